"""nDCG equals a published worked example, and every article that a search finds has a grade."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.ranking.gain import bootstrap_mean, compute_ndcg, sum_gains

_grades = st.lists(st.integers(0, 2), min_size=1, max_size=15)


def test_the_published_example():
    """Wikipedia, Discounted cumulative gain, "Example".

    Six documents with grades 3, 2, 3, 0, 1, 2; a seventh and an eighth, not shown, with 3 and 2.
    """
    shown, everything = [3, 2, 3, 0, 1, 2], [3, 2, 3, 0, 1, 2, 3, 2]
    assert sum_gains(shown) == pytest.approx(6.861, abs=5e-4)
    assert sum_gains(sorted(everything, reverse=True), 6) == pytest.approx(8.740, abs=5e-4)
    assert compute_ndcg(shown, everything, 6) == pytest.approx(0.785, abs=5e-4)


@given(_grades, st.data())
def test_the_best_order_gains_all(grades, data):
    """Any other order gains no more; without a good article there is no number."""
    order = data.draw(st.permutations(grades))
    best = compute_ndcg(sorted(grades, reverse=True), grades)
    assert best == (pytest.approx(1.0) if any(grades) else None)
    found = compute_ndcg(order, grades)
    assert found is None or 0 <= found <= 1 + 1e-9


def test_the_range_of_a_mean_holds_the_mean():
    """Equal values have no range; the same values always have the same."""
    assert bootstrap_mean([0.5, 0.5]) == (0.5, 0.5)
    low, high = bootstrap_mean([0.0, 0.5, 1.0, 1.0])
    assert 0 <= low < 0.625 < high <= 1
    assert bootstrap_mean([0.0, 0.5, 1.0, 1.0]) == (low, high)


def test_labels_hold_names_and_grades_alone():
    """Thirty queries in two halves; no text of anybody else."""
    from benchmarks.ranking.labels import LABELS, choose_half, load_labels  # noqa: PLC0415

    grades = load_labels()
    assert len(grades) == 30
    assert {choose_half(query) for query in grades} == {"tuned on", "held out"}
    lines = LABELS.read_text(encoding="utf-8").splitlines()
    assert all(re.fullmatch(r"[a-z ]+\t[0-9a-f]{16}\t[012]", line) for line in lines)
    assert len(lines) == sum(map(len, grades.values()))
