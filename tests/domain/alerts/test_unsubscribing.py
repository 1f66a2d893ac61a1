"""The tokens of unsubscribe links."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsintel.config.values import Secret
from newsintel.domain.alerts.unsubscribing import PURPOSE, is_signed, sign_channel
from newsintel.domain.security.keys import Signer

OLD, NEW = Secret("o" * 43), Secret("n" * 43)
SIGNER = Signer([NEW], PURPOSE)


def test_a_token_is_good_for_its_channel_alone():
    token = sign_channel(SIGNER, 7)
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", token)
    assert is_signed(SIGNER, 7, token)
    assert not is_signed(SIGNER, 8, token)


def test_a_token_outlives_a_rotation_of_keys():
    token = sign_channel(Signer([OLD], PURPOSE), 7)
    assert is_signed(Signer([NEW, OLD], PURPOSE), 7, token)
    assert not is_signed(SIGNER, 7, token)


@pytest.mark.parametrize("token", ["", "x", "=", "ü" * 43, "A" * 43, "A" * 4000, "\0" * 43])
def test_other_texts_are_no_tokens(token):
    assert not is_signed(SIGNER, 7, token)


@given(st.text(max_size=60))
def test_no_text_is_a_token_by_accident(text):
    assert not is_signed(SIGNER, 7, text)
