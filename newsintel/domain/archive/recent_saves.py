"""Remembers what was accepted a short time ago, so that no search saves it again.

Searches of the same minute find mostly the same articles, and saving one costs more than finding
it.
"""

from collections.abc import Iterable

from attrs import frozen

from newsintel.domain.archive.batch import ArchiveBatch
from newsintel.domain.bounds.newest import Newest
from newsintel.domain.search.article import Article, Pair

KEEP_S = 60.0
"""So long the archive's time of an article's last fetch may be behind. Whatever else deletes or
changes articles there works by the day."""
MAX_KEPT = 50_000
"""Articles and pairs, at some 300 bytes each: more than a busy process saves in a minute."""


@frozen
class _Accepted:
    """The latest version of an article or a pair.

    Attributes:
        content: a hash of all its fields.
        at_s: when it was accepted.
        spooled: it is only in the spool.
    """

    content: int
    at_s: float
    spooled: bool


class RecentSaves:
    """The articles and pairs of the last KEEP_S, each as it was last, and what waits to be one."""

    def __init__(self) -> None:
        self._accepted = Newest[str | tuple[str, str], _Accepted](MAX_KEPT)
        self._waiting: dict[str, int] = {}
        """The content of each article of the current batch."""

    def drop_known(self, new: ArchiveBatch, now_s: float) -> bool:
        """Remove what was accepted unchanged, and what waits; note the other articles as waiting.

        Args:
            new: what an answer adds to the current batch.
            now_s: the time, of a monotonic clock.

        Returns:
            True if the spool has some of it, so that pairs may need what is only there.
        """
        rows, spooled = [], False
        for row in new.rows:
            article, content = row[0], hash(row[0])
            known = self._find(article, content, now_s)
            if known is not None:
                spooled = spooled or known.spooled
            elif self._waiting.get(article.id) != content:
                self._waiting[article.id] = content
                rows.append(row)
        new.rows = rows
        new.pairs = [pair for pair in new.pairs if self._find(pair, hash(pair), now_s) is None]
        return spooled

    def end_batch(self) -> None:
        """Forget what waited: each article of the batch is accepted or lost."""
        self._waiting.clear()

    def note(self, values: Iterable[Article | Pair], now_s: float, *, spooled: bool) -> None:
        """Note what the archive, or only the spool, has accepted."""
        for value in values:
            self._accepted[_name(value)] = _Accepted(hash(value), now_s, spooled)

    def _find(self, value: Article | Pair, content: int, now_s: float) -> _Accepted | None:
        known = self._accepted.get(_name(value))
        if known is None or known.content != content or now_s - known.at_s >= KEEP_S:
            return None
        return known


def _name(value: Article | Pair) -> str | tuple[str, str]:
    return value.id if isinstance(value, Article) else (value.member_id, value.founder_id)
