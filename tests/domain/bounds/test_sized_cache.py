"""What is remembered is bounded by bytes, whatever the number and the size of its entries."""

import tracemalloc
from collections import OrderedDict

from hypothesis import given
from hypothesis import strategies as st

from newsintel.domain.bounds.room import Room
from newsintel.domain.bounds.sized_cache import ENTRY_BYTES, SizedCache, remembered

KEYS = st.sampled_from("abcdef")
STEPS = st.lists(st.one_of(st.tuples(st.just("put"), KEYS, st.integers(0, 500)), st.tuples(st.sampled_from(["get", "pop"]), KEYS)))


@given(STEPS)
def test_it_is_the_plain_rule(steps):
    """An entry is what was put last, the least recently used went first, what is too large is not kept, and the sum is right."""
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


def test_a_function_remembers_within_its_bytes():
    """However long its texts are: what the interpreter has allocated stays near the bound, and a text in it is not worked out again."""
    calls = []

    @remembered(max_bytes=2**20)
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
    """And given back."""
    room = Room(10)
    assert room.take(6)
    assert not room.take(5)
    assert room.take(4)
    room.give_back(6)
    assert room.taken_bytes == 4
    assert room.take(6)
