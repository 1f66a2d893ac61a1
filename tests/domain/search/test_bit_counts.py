"""Counting many things as bits gives the same as counting each."""

from hypothesis import given
from hypothesis import strategies as st

from newsintel.domain.search.bit_counts import (
    list_set_bits,
    select_by_count,
    select_by_sum,
)
from tests.values import unhurried

_THINGS = 40
_bitmaps = st.lists(st.integers(0, 2**_THINGS - 1), max_size=12)


@unhurried
@given(st.lists(_bitmaps, min_size=1, max_size=4), st.integers(1, 200))
def test_the_selected_are_those_whose_sum_is_enough(digits, needed):
    """A bitmap of the n-th digit counts 2 to the power of n."""
    sums = [
        sum(
            (bitmap >> thing & 1) << place
            for place, bitmaps in enumerate(digits)
            for bitmap in bitmaps
        )
        for thing in range(_THINGS)
    ]
    selected = list_set_bits(select_by_sum(digits, needed))
    assert selected == [thing for thing, total in enumerate(sums) if total >= needed]


@unhurried
@given(_bitmaps, st.integers(1, 5))
def test_the_selected_are_set_in_enough_bitmaps(bitmaps, needed):
    """Up to three are counted: who is in four is in three."""
    counts = [sum(bitmap >> thing & 1 for bitmap in bitmaps) for thing in range(_THINGS)]
    selected = list_set_bits(select_by_count(bitmaps, needed))
    assert selected == [thing for thing, count in enumerate(counts) if count >= min(needed, 3)]


@unhurried
@given(st.sets(st.integers(0, 300), max_size=60))
def test_the_set_bits_are_listed_in_order(places):
    """Few or many."""
    assert list_set_bits(sum(1 << place for place in places)) == sorted(places)
