"""The first cache level: recent answers in this process's memory."""

from datetime import datetime

from attrs import define

from newsintel.domain.bounds.sized_cache import SizedCache
from newsintel.domain.search.article import ArchivedArticle
from newsintel.domain.search.harvest import Answer

MAX_BYTES = 64 * 2**20
"""Size limit of all answers and the index of their articles.

An article takes about 2 KiB, an answer of 250 articles half a MiB. The 500 answers of the benchmark
`mix`, with some 22,000 articles, fit.
"""

INDEX_BYTES = 130
"""Size of an article's entry in the index."""


@define
class CachedAnswer:
    """An answer in the cache.

    If its last refresh brought less, that refresh is `renewal`, and no flight renews the answer
    before `quiet_until`. The next refresh continues from `renewal`: what it brought is not asked
    for again.
    """

    answer: Answer
    quiet_until: datetime | None = None
    renewal: Answer | None = None


class AnswerCache:
    """Answers by harvest key, limited by size; the least recently used are removed first."""

    def __init__(self) -> None:
        self._kept: SizedCache[str, CachedAnswer] = SizedCache(MAX_BYTES)
        self._key_of: dict[str, str] = {}

    def get(self, key: str) -> CachedAnswer | None:
        """Return the answer under a key and mark it as most recently used."""
        return self._kept.get(key)

    def put(self, answer: Answer) -> None:
        """Keep an answer; it replaces an older one of its key. One above MAX_BYTES is not kept."""
        self._put(answer.harvest.query.key, CachedAnswer(answer))

    def put_with_renewal(
        self, kept: CachedAnswer, renewal: Answer, quiet_until: datetime | None
    ) -> None:
        """Keep the answer and, beside it, what its refresh brought.

        Args:
            kept: the answer that stays.
            renewal: what the refresh brought.
            quiet_until: when the answer may be refreshed again; None = as soon as it is due.
        """
        self._put(kept.answer.harvest.query.key, CachedAnswer(kept.answer, quiet_until, renewal))

    def find_article(self, article_id: str) -> ArchivedArticle | None:
        """Return an article of a cached answer; None if no cached answer has it."""
        key = self._key_of.get(article_id)
        kept = self._kept.get(key) if key is not None else None
        return None if kept is None else kept.answer.find_article(article_id)

    def _put(self, key: str, kept: CachedAnswer) -> None:
        if (older := self._kept.pop(key)) is not None:
            self._unindex_articles(key, older)
        articles = kept.answer.harvest.articles
        size_bytes = kept.answer.size_bytes + INDEX_BYTES * len(articles)
        if kept.renewal is not None:
            size_bytes += kept.renewal.size_bytes
        self._key_of |= {article.id: key for article in articles}
        for dropped in self._kept.put(key, kept, size_bytes):
            self._unindex_articles(*dropped)

    def _unindex_articles(self, key: str, kept: CachedAnswer) -> None:
        """Remove an answer's articles from the index, except those that a later answer also has."""
        for article in kept.answer.harvest.articles:
            if self._key_of.get(article.id) == key:
                del self._key_of[article.id]
