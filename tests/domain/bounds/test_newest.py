"""A mapping that keeps only its newest entries."""

from hypothesis import given
from hypothesis import strategies as st

from newsintel.domain.bounds.newest import Newest


@given(st.lists(st.integers(0, 9)), st.integers(1, 5))
def test_the_newest_assignments_are_kept(keys, most):
    """Keys may be assigned repeatedly. The order is that of the last assignments."""
    kept = Newest(most)
    for number, key in enumerate(keys):
        kept[key] = number
    latest = {key: number for number, key in enumerate(keys)}
    assert list(kept.items()) == sorted(latest.items(), key=lambda one: one[1])[-most:]


def test_a_removed_entry_makes_room():
    """The next assignment then drops nothing."""
    kept = Newest(2)
    kept["a"], kept["b"] = 1, 2
    assert kept.pop("a") == 1
    kept["c"] = 3
    assert dict(kept) == {"b": 2, "c": 3}
    kept.clear()
    assert not kept
