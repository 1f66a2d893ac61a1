"""Bodies of NewsAPI (newsapi.org/docs): pure functions of articles, feeds and problems."""

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from newsintel.domain.bounds.slices import Sliced
from newsintel.domain.feeds.model import Subscription
from newsintel.domain.text.clean import fold

CONTENT_CHARS = 200
"""Characters of an article's text that NewsAPI shows (newsapi.org/docs/endpoints/everything)."""

ERROR_CODES = frozenset(
    {
        "parameterInvalid",
        "parametersMissing",
        "parametersIncompatible",
        "sourcesTooMany",
        "sourceDoesNotExist",
        "maximumResultsReached",
    }
)
"""NewsAPI's codes of errors in parameters."""

_CODES = {"unauthenticated": "apiKeyInvalid", "rate_limited": "rateLimited"}
_MESSAGES = {
    "apiKeyInvalid": "Your API key is invalid or incorrect. Check your key, or make one at "
    "/me/page.",
    "rateLimited": "You have made too many requests recently. Wait for the seconds of Retry-After.",
}


def build_newsapi_error(document: Mapping[str, Any]) -> dict[str, Any]:
    """The body of an error, made from a problem document."""
    code = _find_error_code(document)
    return {
        "status": "error",
        "code": code,
        "message": _MESSAGES.get(code, document["detail"]),
        "request_id": document["request_id"],
    }


def _find_error_code(document: Mapping[str, Any]) -> str:
    if document["code"] != "invalid_parameter":
        return _CODES.get(document["code"], "unexpectedError")
    named = [error["code"] for error in document["errors"] if error["code"] in ERROR_CODES]
    return named[0] if named else "parameterInvalid"


def build_articles_body(articles: Iterable[Mapping[str, Any]], total: int) -> dict[str, Any]:
    """The body of a list of articles, which have the members of our own bodies."""
    return {
        "status": "ok",
        "totalResults": total,
        "articles": [_build_article(article) for article in articles],
    }


def _build_article(article: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "source": {"id": make_source_id(article["publisher"]), "name": article["publisher"]},
        "author": article["author"],
        "title": article["title"],
        "description": article["description"],
        "url": article["url"],
        "urlToImage": article["image_url"],
        "publishedAt": article["published_at"],
        "content": _shorten(article.get("content")),
    }


def _shorten(content: str | None) -> str | None:
    """Return the beginning of a text, with the number of the characters that follow."""
    if content is None or len(content) <= CONTENT_CHARS:
        return content
    return f"{content[:CONTENT_CHARS]}… [+{len(content) - CONTENT_CHARS} chars]"


def make_source_id(publisher: str) -> str | None:
    """Return NewsAPI's kind of id of a publisher, e.g. `bbc-news`; None if its name has no word."""
    return "-".join(re.findall(r"\w+", fold(publisher).replace("'", ""))) or None


def build_sources_body(
    feeds: Iterable[Subscription], *, language: str | None, country: str | None
) -> Sliced[dict[str, Any]]:
    """The body of the list of sources: the publishers of the feeds, each once, by name.

    Args:
        feeds: the feeds that are read. Those without a publisher are left out.
        language: two lower-case letters; None = all.
        country: the same.
    """
    found: dict[str, dict[str, Any]] = {}
    names: dict[str, str] = {}
    for feed in feeds:
        source = _build_source(feed)
        if source is not None and source["id"] is not None:
            found.setdefault(source["id"], source)
            names.setdefault(source["id"], fold(source["name"]))
        yield
    shown = (
        source
        for source in found.values()
        if language in (None, source["language"]) and country in (None, source["country"])
    )
    return {"status": "ok", "sources": sorted(shown, key=lambda source: names[source["id"]])}


def _build_source(feed: Subscription) -> dict[str, Any] | None:
    if feed.publisher is None:
        return None
    site = urlsplit(feed.address)
    return {
        "id": make_source_id(feed.publisher),
        "name": feed.publisher,
        "description": feed.title or feed.publisher,
        "url": f"{site.scheme}://{site.hostname}",
        "category": "general",
        "language": feed.language or "",
        "country": (feed.country or "").lower(),
    }


def guess_publisher(source_id: str) -> str:
    """Return the name that a publisher with this id probably has; the archive ignores its case."""
    return source_id.replace("-", " ")
