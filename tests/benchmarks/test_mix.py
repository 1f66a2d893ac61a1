"""The choice of queries in the target `mix`."""

from collections import Counter

from benchmarks.targets.mix import draw_queries


def test_queries_follow_zipfs_law():
    """The n-th query is 1/n as frequent as the first; equal seeds give equal choices."""
    names = [f"q{rank}" for rank in range(500)]
    counted = Counter(draw_queries(names, seed=3))
    assert 0.13 < counted["q0"] / 50_000 < 0.17
    assert 8 < counted["q0"] / counted["q9"] < 12
    assert draw_queries(names, 4, 50) == draw_queries(names, 4, 50) != draw_queries(names, 5, 50)
