"""The first cache level: recent answers in this process's memory."""

from datetime import datetime

from attrs import define

from newsintel.domain.bounds.sized_cache import SizedCache
from newsintel.domain.search.article import ArchivedArticle
from newsintel.domain.search.harvest import Answer
from newsintel.domain.search.sizes import answer_bytes

MAX_BYTES = 100 * 2**20
"""For the answers kept and the index of their articles. An article takes about 2 KiB, an answer of 250 half a MiB."""

INDEX_BYTES = 130
"""An article's entry in the index."""


@define
class Remembered:
    """An answer kept. No new flight for it before `quiet_until`: its last refresh, `renewal`, brought less than it holds.

    The renewal is where the next refresh goes on from: what it brought need not be asked for again.
    """

    answer: Answer
    quiet_until: datetime | None = None
    renewal: Answer | None = None


class AnswerCache:
    """Answers by harvest key, least recently used first out, bounded by the bytes that they take."""

    def __init__(self) -> None:
        self._kept: SizedCache[str, Remembered] = SizedCache(MAX_BYTES)
        self._key_of: dict[str, str] = {}

    def get(self, key: str) -> Remembered | None:
        """The answer kept under a key, now the most recently used."""
        return self._kept.get(key)

    def put(self, answer: Answer) -> None:
        """Keep an answer, in place of an older one under its key. One that takes more than all may is not kept."""
        self._put(answer.harvest.query.key, Remembered(answer))

    def put_beside(self, kept: Remembered, renewal: Answer, quiet_until: datetime | None) -> None:
        """Keep what a refresh brought beside the answer that stays, to be refreshed no sooner than then (None = when it may be)."""
        self._put(kept.answer.harvest.query.key, Remembered(kept.answer, quiet_until, renewal))

    def article(self, article_id: str) -> ArchivedArticle | None:
        """One article out of the answers kept."""
        key = self._key_of.get(article_id)
        kept = self._kept.get(key) if key is not None else None
        if kept is None:
            return None
        group, article = next(
            (ranked.group, member.article)
            for ranked in kept.answer.merge.ranked
            for member in ranked.group.members
            if member.article.id == article_id
        )
        fetched_at = kept.answer.harvest.fetched_at
        return ArchivedArticle(article, first_seen_at=fetched_at, fetched_at=fetched_at, leader_id=group.leader.id)

    def _put(self, key: str, kept: Remembered) -> None:
        if (older := self._kept.pop(key)) is not None:
            self._forget(key, older)
        articles = kept.answer.harvest.articles
        size_bytes = answer_bytes(kept.answer) + INDEX_BYTES * len(articles)
        if kept.renewal is not None:
            size_bytes += answer_bytes(kept.renewal)
        self._key_of |= {article.id: key for article in articles}
        for dropped in self._kept.put(key, kept, size_bytes):
            self._forget(*dropped)

    def _forget(self, key: str, kept: Remembered) -> None:
        """Take an answer's articles out of the index, but for those that a later answer has as well."""
        for article in kept.answer.harvest.articles:
            if self._key_of.get(article.id) == key:
                del self._key_of[article.id]
