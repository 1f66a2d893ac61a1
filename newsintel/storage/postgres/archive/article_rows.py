"""Articles as rows of the archive: the columns, and both ways between a row and an Article."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from asyncpg import Record

from newsintel.domain.search.article import Article, Engagement
from newsintel.errors import PoisonedBatchError
from newsintel.storage.postgres.archive.indexing import Texts

ARTICLE_COLUMNS = (
    "public_id, canonical_url, url, source, external_id, publisher, title, description, content, "
    "author, section, image_url, language, published_at, published_at_estimated, points, comments, "
    "discussion_url, country"
)

LISTED = ARTICLE_COLUMNS.replace("content", "NULL::text AS content")
"""ARTICLE_COLUMNS without the content, which no list shows: the contents of a hundred imported
articles are 5 MB.
"""


def article_of(row: Record) -> Article:
    """Return the article in a row with ARTICLE_COLUMNS."""
    values = {name: row[name] for name in ARTICLE_COLUMNS.split(", ")}
    points, comments, thread = map(values.pop, ("points", "comments", "discussion_url"))
    engagement = None if points is None else Engagement(points, comments, thread)
    return Article(id=values.pop("public_id"), engagement=engagement, **values)


def build_row(article: Article, fetched_at: datetime) -> tuple[Any, ...]:
    """Return an article's values in the order of ARTICLE_COLUMNS, then its fetch time.

    Raises:
        PoisonedBatchError: a time has no time zone; asyncpg would silently take it for local time.
    """
    if article.published_at.tzinfo is None or fetched_at.tzinfo is None:
        raise PoisonedBatchError("an article's time has no zone")
    engagement = article.engagement
    return (
        *(
            article.id,
            article.canonical_url,
            article.url,
            article.source,
            article.external_id,
            article.publisher,
            article.title,
        ),
        *(
            article.description,
            article.content,
            article.author,
            article.section,
            article.image_url,
            article.language,
        ),
        *(article.published_at, article.published_at_estimated),
        *(
            (engagement.points, engagement.comments, engagement.url)
            if engagement
            else (None, None, None)
        ),
        article.country,
        fetched_at,
    )


def get_texts(article: Article) -> Texts:
    """Return the texts of an article that are indexed.

    Raises:
        PoisonedBatchError: a text field is not a string.
    """
    texts = (
        article.title,
        article.publisher,
        article.description or "",
        article.content or "",
        article.author or "",
    )
    if not all(isinstance(text, str) for text in texts):
        raise PoisonedBatchError("a text of an article is not a string")
    return Texts(
        article.title,
        article.description,
        article.content,
        article.author,
        article.publisher,
        article.language,
    )


def transpose_rows(rows: Sequence[tuple[Any, ...]]) -> Iterator[list[Any]]:
    """Return the columns of some rows; there must be at least one row."""
    return map(list, zip(*rows, strict=True))
