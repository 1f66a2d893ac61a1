"""Estimates how many bytes values take in memory, for the limits of caches and queues.

The size of texts is exact. The objects around them have constant measured sizes
(tests/domain/search/test_sizes.py compares them with what the interpreter allocates, within a
quarter).
"""

from collections.abc import Iterable
from sys import getsizeof

from newsintel.domain.search.article import Article
from newsintel.domain.search.outcome import FetchOutcome
from newsintel.domain.search.query_model import Query

ARTICLE_BYTES = 330
"""An Article, its dates and numbers, and its Member in a group."""
GROUP_BYTES = 450
"""A Group, its Ranked with the parts of the score, and the tuples that hold these."""
ANSWER_BYTES = 1200
"""An answer's outcomes, and its query without clauses and texts."""
CLAUSE_BYTES = 130
"""A Clause and its tuples."""
TERM_BYTES = 60
"""A Term and its place in a tuple."""


def query_bytes(query: Query) -> int:
    """Return the size of a query's clauses and texts: 128 words of one letter take 20 KiB."""
    terms = [term for one in query.clauses for term in (*one.wanted, *one.unwanted)]
    return (
        getsizeof(query.text)
        + CLAUSE_BYTES * len(query.clauses)
        + sum(TERM_BYTES + getsizeof(term.text) for term in terms)
    )


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
