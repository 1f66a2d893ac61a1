"""Caches are bounded in bytes, whatever the number and the size of their entries."""

import tracemalloc
from collections import OrderedDict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsintel.domain.bounds.room import ByteBudget
from newsintel.domain.bounds.sized_cache import ENTRY_BYTES, SizedCache, memoize

KEYS = st.sampled_from("abcdef")
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), KEYS, st.integers(0, 500)),
        st.tuples(st.sampled_from(["get", "pop"]), KEYS),
    )
)


@given(STEPS)
def test_it_behaves_as_a_plain_lru_cache(steps):
    """It returns the last value, drops the least recently used entry, and sums the sizes.

    An entry that is too large is not kept.
    """
    cache, plain = SizedCache(3 * ENTRY_BYTES), OrderedDict()
    for step, key, *size in steps:
        if step == "put":
            gone = cache.put(key, key.upper(), *size)
            plain.pop(key, None)
            dropped = [key] if ENTRY_BYTES + size[0] > 3 * ENTRY_BYTES else []
            if not dropped:
                plain[key] = ENTRY_BYTES + size[0]
            while sum(plain.values()) > 3 * ENTRY_BYTES:
                dropped.append(plain.popitem(last=False)[0])
            assert gone == [(one, one.upper()) for one in dropped]
        elif step == "get":
            assert cache.get(key) == (key.upper() if key in plain else None)
            if key in plain:
                plain.move_to_end(key)
        else:
            assert cache.pop(key) == (key.upper() if plain.pop(key, None) else None)
        assert (len(cache), cache.size_bytes) == (len(plain), sum(plain.values()))
    cache.clear()
    assert (len(cache), cache.size_bytes) == (0, 0)


@pytest.mark.slow
def test_a_remembered_function_stays_within_its_bytes():
    """The memory that Python allocated stays near the bound.

    A cached text is not computed again.
    """
    calls = []

    @memoize(max_bytes=2**20)
    def doubled(text):
        calls.append(text)
        return text * 2

    tracemalloc.start()
    try:
        for size in (10, 1_000, 100_000):
            for number in range(2_000_000 // size):
                assert doubled(f"{number:>{size}}") == f"{number:>{size}}" * 2
                calls.clear()
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 1.25 * 2**20
    doubled("again")
    doubled("again")
    assert calls == ["again"]


def test_room_is_taken_whole_or_not_at_all():
    """Room that is given back can be taken again."""
    room = ByteBudget(10)
    assert room.reserve(6)
    assert not room.reserve(5)
    assert room.reserve(4)
    room.release(6)
    assert room.reserved_bytes == 4
    assert room.reserve(6)
