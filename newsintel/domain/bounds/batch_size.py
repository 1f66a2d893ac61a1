"""How much of a backlog the next batch takes: less after one that took too long.

The same batch would take too long again, and nothing behind it would ever be worked off.
"""

from attrs import define

LEAST_SHARE = 1 / 1024
"""Of which one row is left, or nearly so, of all our batches."""


@define
class BatchSize:
    """The share of its usual size that a batch has, from LEAST_SHARE to 1."""

    share: float = 1.0

    def cut(self, most: int) -> int:
        """Return how many of `most` rows the next batch takes, at least one."""
        return max(1, int(most * self.share))

    def shrink(self) -> None:
        """Halve it, because a batch took too long."""
        self.share = max(LEAST_SHARE, self.share / 2)

    def grow(self) -> None:
        """Double it, because a batch was worked off."""
        self.share = min(1.0, self.share * 2)
