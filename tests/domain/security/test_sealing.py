"""Sealed values: any listed key opens them, and only in their own row and field."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsintel.config.values import Secret
from newsintel.domain.security.sealing import Sealer
from newsintel.errors import UnknownKeyError

OLD, NEW = Secret("A" * 43), Secret("B" * 43)


@given(st.text())
def test_a_sealed_value_opens(text):
    """Sealing it again gives another result."""
    sealer = Sealer([OLD])
    sealed = sealer.seal(text, "1 reddit access_token")
    assert sealer.open(sealed, "1 reddit access_token") == text
    assert sealed != sealer.seal(text, "1 reddit access_token")
    assert len(text) < 4 or text.encode() not in sealed


@pytest.mark.parametrize(
    "other", ["2 reddit access_token", "1 reddit refresh_token", "1 oidc access_token"]
)
def test_asvs_08_a_value_moved_to_another_row_or_field_does_not_open(other):
    """So write access to the database is not enough to give one account another's token."""
    sealer = Sealer([OLD])
    with pytest.raises(ValueError, match="another account"):
        sealer.open(sealer.seal("token", "1 reddit access_token"), other)


@pytest.mark.parametrize("at", [9, 20, -1])
def test_asvs_08_a_changed_value_does_not_open(at):
    """The nonce, the text and the tag are all protected."""
    sealer = Sealer([OLD])
    sealed = bytearray(sealer.seal("token", "x"))
    sealed[at] ^= 1
    with pytest.raises(ValueError, match="was changed"):
        sealer.open(bytes(sealed), "x")


def test_asvs_08_after_a_rotation_both_open_and_the_newest_seals():
    """So people stay signed in."""
    sealed = Sealer([OLD]).seal("token", "x")
    both = Sealer([NEW, OLD])
    assert both.open(sealed, "x") == "token"
    assert not both.is_newest(sealed)
    assert both.is_newest(both.seal("token", "x"))


@pytest.mark.parametrize(
    "change", [lambda sealed: sealed, lambda sealed: b"\x02" + sealed[1:], lambda _: b""]
)
def test_asvs_08_an_unknown_key_or_format_is_reported_clearly(change):
    """The message has the key's id and says what to do."""
    sealed = Sealer([OLD]).seal("token", "x")
    with pytest.raises(UnknownKeyError, match="put that key back"):
        Sealer([NEW]).open(change(sealed), "x")
    with pytest.raises(UnknownKeyError, match=sealed[1:9].hex()):
        Sealer([NEW]).open(sealed, "x")
