"""Estimates how many bytes values take in memory, for the limits of caches and queues.

The size of texts is exact. The objects around them have constant measured sizes
(tests/domain/search/test_sizes.py compares them with what the interpreter allocates, within a
quarter).
"""

from collections.abc import Iterable
from sys import getsizeof

from newsintel.domain.search.article import Article
from newsintel.domain.search.outcome import FetchOutcome

ARTICLE_BYTES = 330
"""An Article, its dates and numbers, and its Member in a group."""
GROUP_BYTES = 450
"""A Group, its Ranked with the parts of the score, and the tuples that hold these."""
ANSWER_BYTES = 2000
"""An answer's query and outcomes."""


def articles_bytes(articles: Iterable[Article]) -> int:
    """Return the size of articles. URLs of one article that are the same object count once."""
    total = 0
    for one in articles:
        total += (
            ARTICLE_BYTES
            + getsizeof(one.id)
            + getsizeof(one.url)
            + getsizeof(one.title)
            + getsizeof(one.publisher)
        )
        if one.external_id is not one.url:
            total += getsizeof(one.external_id)
        if one.canonical_url is not one.url:
            total += getsizeof(one.canonical_url)
        if one.engagement is not None and (thread := one.engagement.url) not in (None, one.url):
            total += getsizeof(thread)
        for text in (one.description, one.content, one.author, one.section, one.image_url):
            if text is not None:
                total += getsizeof(text)
    return total


def outcome_bytes(outcome: FetchOutcome) -> int:
    """Return the size of a source's outcome, with the groups that its articles may form."""
    return articles_bytes(outcome.articles) + GROUP_BYTES * len(outcome.articles)
