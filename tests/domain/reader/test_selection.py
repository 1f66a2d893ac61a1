"""What a request of a feed reader gets of a stream."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsintel.domain.bounds.slices import run_all
from newsintel.domain.reader.item_ids import ALPHABET
from newsintel.domain.reader.model import Item, ItemState
from newsintel.domain.reader.selection import (
    Selection,
    State,
    count_unread,
    merge_items,
    normalize_us,
    parse_continuation,
    select_page,
)

IDS = [f"a_{letter * 20}" for letter in ALPHABET]
SECOND = 1_000_000


def item(place, seen_s=None):
    """Return the item at a place of the alphabet; it arrived at `seen_s`."""
    return Item(IDS[place], (place if seen_s is None else seen_s) * SECOND, place)


FIVE = run_all(merge_items([[item(place) for place in range(5)]]))


def chosen(states=None, **wanted):
    """Return the places of the items of a page."""
    wanted |= {name: frozenset(wanted[name]) for name in ("include", "exclude") if name in wanted}
    page = run_all(select_page(FIVE, states or {}, Selection(**{"count": 9} | wanted)))
    return [IDS.index(one.id) for one in page.items]


def test_items_come_newest_first_unless_the_oldest_are_wanted():
    """`r=o` turns the order around."""
    assert chosen() == [4, 3, 2, 1, 0]
    assert chosen(oldest_first=True) == [0, 1, 2, 3, 4]


def test_states_are_included_and_excluded():
    """Unread, read and starred, each alone and together."""
    states = {IDS[1]: ItemState(read=True), IDS[2]: ItemState(read=True, starred=True)}
    assert chosen(states, exclude=(State.READ,)) == [4, 3, 0]
    assert chosen(states, include=(State.UNREAD,)) == [4, 3, 0]
    assert chosen(states, include=(State.READ,)) == [2, 1]
    assert chosen(states, include=(State.STARRED, State.READING_LIST)) == [2]
    assert chosen(states, include=(State.READ,), exclude=(State.STARRED,)) == [1]
    assert run_all(count_unread(FIVE, states)) == 3


def test_times_bound_the_arrival_to_the_second():
    """Both ends belong to the span."""
    assert chosen(since_s=3) == [4, 3]
    assert chosen(until_s=1) == [1, 0]
    assert chosen(since_s=2, until_s=2) == [2]


@given(
    st.lists(st.integers(0, 3), max_size=25),
    st.integers(1, 7),
    st.booleans(),
    st.sets(st.sampled_from(IDS)),
)
def test_pages_together_are_the_whole_stream(seconds, count, oldest_first, read):
    """Each item once and in order, also where items arrived at the same time."""
    given_items = [item(place, second) for place, second in enumerate(seconds)]
    items = run_all(merge_items([given_items]))
    states = {one: ItemState(read=True) for one in read}
    wanted = Selection(count, oldest_first=oldest_first, exclude=frozenset({State.READ}))
    found, after = [], None
    while True:
        page = run_all(select_page(items, states, Selection(**{**vars_of(wanted), "after": after})))
        found += page.items
        if page.continuation is None:
            break
        after = parse_continuation(page.continuation)
    whole = [one for one in items if one.id not in read]
    assert found == (whole[::-1] if oldest_first else whole)


def vars_of(selection):
    """Return the fields of a selection."""
    return {name: getattr(selection, name) for name in selection.__slots__ if name[0] != "_"}


def test_no_items_are_asked_for():
    """`n=0` has no next page: it would begin where it began."""
    page = run_all(select_page(FIVE, {}, Selection(0)))
    assert (page.items, page.continuation) == ((), None)


def test_an_article_of_two_streams_is_one_item():
    """The reading list has it once."""
    merged = run_all(merge_items([[item(1), item(2)], [item(2), item(0)]]))
    assert merged == (item(2), item(1), item(0))


@pytest.mark.parametrize("text", ["", "1.2", "1.2.a_x", "1.2.3", "-1.2." + IDS[0], "x" * 9999])
def test_a_foreign_continuation_is_refused(text):
    """It would silently begin anywhere."""
    with pytest.raises(ValueError, match="continuation"):
        parse_continuation(text)


@pytest.mark.parametrize(
    "number", [1_700_000_000, 1_700_000_000_000, 1_700_000_000_000_000, 1_700_000_000 * 10**9]
)
def test_moments_in_every_unit_mean_the_same(number):
    """Seconds, milliseconds, microseconds, nanoseconds."""
    assert normalize_us(number) == 1_700_000_000 * SECOND


def test_work_on_many_items_is_done_in_slices():
    """A person may have 75,000, and other requests wait during a slice."""
    items = [Item(IDS[0] + str(place), place, place) for place in range(4_500)]
    wanted = Selection(10, exclude=frozenset({State.UNREAD}))
    assert len([*merge_items([items])]) >= 9
    assert len([*select_page(items, {}, wanted)]) == 5
    assert len([*count_unread(items, {})]) == 5
