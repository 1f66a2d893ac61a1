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
"""So long the archive's time of an article's last fetch may be behind, and its choice between two
discussions whose points fall. Whatever else deletes or changes articles there works by the day."""
MAX_KEPT = 50_000
"""Articles and pairs, at some 300 bytes each: more than a busy process saves in a minute."""


_Name = tuple[str, ...]


@frozen
class _Version:
    """The latest version of an article or a pair.

    Attributes:
        content: a hash of all its fields.
        at_s: when it was accepted, or came into the batch.
        spooled: it is only in the spool.
    """

    content: int
    at_s: float
    spooled: bool


class RecentSaves:
    """The articles and pairs of the last KEEP_S, each as it was last, and what waits to be one.

    Several posts and several sources have the same article, each in its own form: all are known.
    """

    def __init__(self) -> None:
        self._accepted = Newest[_Name, _Version](MAX_KEPT)
        self._waiting: dict[_Name, _Version] = {}
        """What the current batch has."""

    def drop_known(self, new: ArchiveBatch, now_s: float) -> bool:
        """Remove what was accepted unchanged, and what waits; note the rest as waiting.

        Args:
            new: what an answer adds to the current batch.
            now_s: the time, of a monotonic clock.

        Returns:
            True if the spool has some of its articles, so that pairs may need what is only there.
        """
        rows, spooled = [], False
        for row in new.rows:
            known = self._recall(row[0], now_s)
            if known is None:
                rows.append(row)
            else:
                spooled = spooled or known.spooled
        new.rows = rows
        new.pairs = [pair for pair in new.pairs if self._recall(pair, now_s) is None]
        return spooled

    def end_batch(self) -> None:
        """Forget what waited: all of the batch is accepted or lost."""
        self._waiting.clear()

    def note(self, values: Iterable[Article | Pair], now_s: float, *, spooled: bool) -> None:
        """Note what the archive, or only the spool, has accepted, and forget what is too old."""
        for value in values:
            self._accepted[_name(value)] = _Version(hash(value), now_s, spooled)
        while self._accepted and now_s - next(iter(self._accepted.values())).at_s >= KEEP_S:
            self._accepted.popitem(last=False)

    def _recall(self, value: Article | Pair, now_s: float) -> _Version | None:
        """Return the version that was accepted, or waits; None, and note it as waiting, if new."""
        name, content = _name(value), hash(value)
        known = self._accepted.get(name)
        if known and known.content == content and now_s - known.at_s < KEEP_S:
            return known
        waiting = self._waiting.get(name)
        if waiting and waiting.content == content:
            return waiting
        self._waiting[name] = _Version(content, now_s, spooled=False)
        return None


def _name(value: Article | Pair) -> _Name:
    if isinstance(value, Article):
        return value.id, value.source, value.external_id
    return value.member_id, value.founder_id
