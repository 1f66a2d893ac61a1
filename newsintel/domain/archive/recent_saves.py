"""Remembers what was accepted a short time ago, so that no search saves it again.

Searches of the same minute find mostly the same articles, and saving one costs more than finding
it.
"""

from collections.abc import Hashable, Iterable
from math import inf

from newsintel.domain.archive.batch import ArchiveBatch
from newsintel.domain.bounds.newest import Newest

KEEP_S = 60.0
"""So long the archive's time of an article's last fetch may be behind. Whatever else deletes or
changes articles there works by the day."""
MAX_KEPT = 50_000
"""Articles and pairs, at some 200 bytes each: more than a busy process saves in a minute."""


class RecentSaves:
    """The articles and pairs of the last KEEP_S, by a hash of all their fields.

    The spool's are apart: the archive may not have them yet.
    """

    def __init__(self) -> None:
        self._saved_s = Newest[int, float](MAX_KEPT)
        self._spooled_s = Newest[int, float](MAX_KEPT)

    def drop_known(self, batch: ArchiveBatch, now_s: float) -> bool:
        """Remove from a batch what was accepted unchanged.

        Args:
            batch: what is to be saved.
            now_s: the time, of a monotonic clock.

        Returns:
            True if the spool has some of it, so that pairs may need what is only there.
        """
        rows, spooled = [], False
        for row in batch.rows:
            if _is_recent(row[0], self._spooled_s, now_s):
                spooled = True
            elif not _is_recent(row[0], self._saved_s, now_s):
                rows.append(row)
        batch.rows = rows
        batch.pairs = [one for one in batch.pairs if not _is_recent(one, self._saved_s, now_s)]
        return spooled

    def note_saved(self, values: Iterable[Hashable], now_s: float) -> None:
        """Note articles or pairs that the archive has."""
        for value in values:
            self._saved_s[hash(value)] = now_s

    def note_spooled(self, values: Iterable[Hashable], now_s: float) -> None:
        """Note articles that the spool has."""
        for value in values:
            self._spooled_s[hash(value)] = now_s


def _is_recent(value: Hashable, known_s: Newest[int, float], now_s: float) -> bool:
    return now_s - known_s.get(hash(value), -inf) < KEEP_S
