"""The size of batches that take too long."""

from newsintel.domain.bounds.batch_size import LEAST_SHARE, BatchSize


def test_a_size_shrinks_by_halves_and_grows_back():
    """To one row; after twenty failures it needs no twenty successes."""
    size = BatchSize()
    seen = [size.cut(100)]
    for _ in range(20):
        size.shrink()
        seen.append(size.cut(100))
    assert seen[:9] == [100, 50, 25, 12, 6, 3, 1, 1, 1]
    assert size.share == LEAST_SHARE
    for _ in range(20):
        size.grow()
    assert (size.cut(100), size.cut(1)) == (100, 1)
