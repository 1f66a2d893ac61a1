"""Which cursors are read back, and which are refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsintel.config.values import Secret
from newsintel.domain.paging import CURSOR_PURPOSE, MAX_CHARS, Cursors, Position
from newsintel.domain.security.keys import Signer
from newsintel.errors import InvalidParameterError

OLD, NEW = Secret("A" * 43), Secret("B" * 43)
POSITION = Position(("2026-03-01T12:00:00+00:00", 0.1 + 0.2, 7))


def cursors(*keys):
    """Cursors signed with the first of some keys."""
    return Cursors(Signer(keys or (OLD,), CURSOR_PURPOSE))


def refused(cursor, bound_to="q", of=None):
    """Whether a cursor is refused, with the parameter's name."""
    with pytest.raises(InvalidParameterError) as caught:
        (of or cursors()).read(cursor, bound_to)
    return (caught.value.field, caught.value.code) == ("cursor", "invalid")


@given(
    st.lists(
        st.one_of(st.text(max_size=8), st.integers(-(2**63), 2**63), st.floats(allow_nan=False)),
        max_size=3,
    ).map(tuple)
)
def test_a_position_survives_writing_and_reading(keys):
    """Numbers keep every digit, and text may have any script.

    The cursor's characters need no encoding in a URL.
    """
    cursor = cursors().write(Position(keys), "q")
    assert cursor.replace("-", "").replace("_", "").isalnum()
    assert cursors().read(cursor, "q") == Position(keys)


def test_a_cursor_is_bound_to_its_query():
    """It is refused for any other query, also for one that begins with the same text."""
    cursor = cursors().write(POSITION, "q")
    assert refused(cursor, "p")
    assert refused(cursor, "")
    assert refused(cursor, "qq")


def test_every_change_of_a_cursor_is_detected():
    """One character changed anywhere, one missing, or more added."""
    cursor = cursors().write(POSITION, "q")
    whole = len(cursor) - 1  # base64 does not use all bits of the last character
    assert all(
        refused(cursor[:at] + ("A" if cursor[at] != "A" else "B") + cursor[at + 1 :])
        for at in range(whole)
    )
    assert refused(cursor[:-1])
    assert refused(cursor + "AA")


@pytest.mark.parametrize(
    "cursor",
    ["", "A", "AAAA", "=", "é", "a b", "a+/b", "A" * 43, "A" * MAX_CHARS, "A" * 100_000, "AAAA\n"],
)
def test_garbage_is_refused(cursor):
    """Every kind gets the same refusal."""
    assert refused(cursor)


def test_a_cursor_stays_valid_while_its_key_is_listed():
    """It is refused when the key is removed."""
    cursor = cursors(OLD).write(POSITION, "q")
    assert cursors(NEW, OLD).read(cursor, "q") == POSITION
    assert refused(cursor, of=cursors(NEW))


@given(st.text(max_size=80))
def test_any_other_text_is_refused(cursor):
    """No text raises another error."""
    assert refused(cursor)
