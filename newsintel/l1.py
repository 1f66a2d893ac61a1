"""The first cache level: recent answers in this process's memory."""

from collections import OrderedDict
from datetime import datetime

from attrs import define

from newsintel.model import Answer, ArchivedArticle

MAX_ANSWERS = 1_000
MAX_ARTICLES = 50_000
"""An article takes about 2 KiB, so that a full memory is about 100 MiB."""


@define
class Remembered:
    """An answer kept. No new flight for it before `quiet_until`: its last refresh, `renewal`, brought less than it holds.

    The renewal is where the next refresh goes on from: what it brought need not be asked for again.
    """

    answer: Answer
    quiet_until: datetime | None = None
    renewal: Answer | None = None


class AnswerCache:
    """Answers by harvest key, least recently used first out, bounded by answers and by articles."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Remembered] = OrderedDict()
        self._key_of: dict[str, str] = {}
        self._articles = 0

    def get(self, key: str) -> Remembered | None:
        """The answer kept under a key, now the most recently used."""
        if key in self._kept:
            self._kept.move_to_end(key)
        return self._kept.get(key)

    def put(self, answer: Answer) -> None:
        """Keep an answer, in place of an older one under its key."""
        key = answer.harvest.query.key
        self._drop(key)
        self._kept[key] = Remembered(answer)
        articles = answer.harvest.articles
        self._articles += len(articles)
        self._key_of |= {article.id: key for article in articles}
        while len(self._kept) > MAX_ANSWERS or (self._articles > MAX_ARTICLES and len(self._kept) > 1):
            self._drop(next(iter(self._kept)))

    def article(self, article_id: str) -> ArchivedArticle | None:
        """One article out of the answers kept."""
        kept = self._kept.get(self._key_of.get(article_id, ""))
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

    def _drop(self, key: str) -> None:
        old = self._kept.pop(key, None)
        if old is None:
            return
        self._articles -= len(old.answer.harvest.articles)
        for article in old.answer.harvest.articles:
            if self._key_of.get(article.id) == key:
                del self._key_of[article.id]
