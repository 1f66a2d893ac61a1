"""The choice of queries in the everyday mix."""

from collections import Counter

from benchmarks.targets.mix import zipf


def test_zipf():
    """The n-th query is asked about 1/n as often as the first; equal seeds choose alike."""
    names = [f"q{rank}" for rank in range(500)]
    counted = Counter(zipf(names, seed=3))
    assert 0.13 < counted["q0"] / 50_000 < 0.17
    assert 8 < counted["q0"] / counted["q9"] < 12
    assert zipf(names, 4, 50) == zipf(names, 4, 50) != zipf(names, 5, 50)
