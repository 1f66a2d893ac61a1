"""Cursors: what comes back, and what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsintel.config.values import Secret
from newsintel.domain.paging import MAX_CHARS, PURPOSE, Cursors, Position
from newsintel.domain.security.keys import Signer
from newsintel.errors import InvalidParameterError

OLD, NEW = Secret("A" * 43), Secret("B" * 43)
POSITION = Position(("2026-03-01T12:00:00+00:00", 0.1 + 0.2, 7))


def cursors(*keys):
    """Cursors signed by the first of some keys."""
    return Cursors(Signer(keys or (OLD,), PURPOSE))


def refused(cursor, bound_to="q", of=None):
    """True if a cursor is refused by name."""
    with pytest.raises(InvalidParameterError) as caught:
        (of or cursors()).read(cursor, bound_to)
    return (caught.value.field, caught.value.code) == ("cursor", "invalid")


@given(st.lists(st.one_of(st.text(max_size=8), st.integers(-(2**63), 2**63), st.floats(allow_nan=False)), max_size=3).map(tuple))
def test_a_position_comes_back_as_it_was(keys):
    """Numbers to the last digit, text in any script; in characters that need no encoding in a URL."""
    cursor = cursors().write(Position(keys), "q")
    assert cursor.replace("-", "").replace("_", "").isalnum()
    assert cursors().read(cursor, "q") == Position(keys)


def test_a_cursor_is_bound_to_what_was_asked():
    """Neither another query nor one that begins alike takes it."""
    cursor = cursors().write(POSITION, "q")
    assert refused(cursor, "p")
    assert refused(cursor, "")
    assert refused(cursor, "qq")


def test_every_change_is_noticed():
    """One character anywhere, one less, one more."""
    cursor = cursors().write(POSITION, "q")
    whole = len(cursor) - 1  # the last character holds bits that base64 does not use
    assert all(refused(cursor[:at] + ("A" if cursor[at] != "A" else "B") + cursor[at + 1 :]) for at in range(whole))
    assert refused(cursor[:-1])
    assert refused(cursor + "AA")


@pytest.mark.parametrize("cursor", ["", "A", "AAAA", "=", "é", "a b", "a+/b", "A" * 43, "A" * MAX_CHARS, "A" * 100_000, "AAAA\n"])
def test_rubbish_is_refused(cursor):
    """Whatever it is, in the same words."""
    assert refused(cursor)


def test_rotated_keys():
    """A cursor outlives the key that signed it for as long as that key is listed."""
    cursor = cursors(OLD).write(POSITION, "q")
    assert cursors(NEW, OLD).read(cursor, "q") == POSITION
    assert refused(cursor, of=cursors(NEW))


@given(st.text(max_size=80))
def test_reading_never_fails_otherwise(cursor):
    """Any text is refused by name."""
    assert refused(cursor)
