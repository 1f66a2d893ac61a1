"""Remembers what was saved a short time ago, so that no search saves it again.

Searches of the same minute find mostly the same articles, and saving one costs more than finding
it.
"""

from collections.abc import Hashable, Iterable
from math import inf

from newsintel.domain.archive.batch import ArchiveBatch, FetchedArticle
from newsintel.domain.bounds.newest import Newest
from newsintel.domain.search.article import Pair

KEEP_S = 60.0
"""So long the archive's time of an article's last fetch may be behind. Whatever else deletes or
changes articles there works by the day."""
MAX_SAVED = 50_000
"""Articles and pairs, at some 200 bytes each: more than a busy process saves in a minute."""


class RecentSaves:
    """The saved articles and pairs of the last KEEP_S, by a hash of all their fields."""

    def __init__(self) -> None:
        self._saved_s = Newest[int, float](MAX_SAVED)

    def drop_known(self, batch: ArchiveBatch, now_s: float) -> None:
        """Remove from a batch what was saved unchanged; `now_s` is of a monotonic clock."""
        batch.rows = [row for row in batch.rows if not self._is_known(row[0], now_s)]
        batch.pairs = [pair for pair in batch.pairs if not self._is_known(pair, now_s)]

    def note_saved(
        self, rows: Iterable[FetchedArticle], pairs: Iterable[Pair], now_s: float
    ) -> None:
        """Note what was saved."""
        for saved in (*(article for article, _ in rows), *pairs):
            self._saved_s[hash(saved)] = now_s

    def _is_known(self, value: Hashable, now_s: float) -> bool:
        return now_s - self._saved_s.get(hash(value), -inf) < KEEP_S
