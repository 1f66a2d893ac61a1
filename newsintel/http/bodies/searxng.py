"""Bodies of SearXNG's search API (docs.searxng.org, dev/search_api): pure functions of ours."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from newsintel.domain.search.outcome import Status

FORUMS = frozenset({"reddit", "hackernews"})
"""The sources of SearXNG's category `social media`; all others are `news`."""
NEWS, SOCIAL = "news", "social media"
CATEGORIES = ("general", NEWS, SOCIAL)

_UNREPORTED = (Status.OK, Status.EMPTY, Status.DISABLED)


def build_results_body(
    query: str, body: Mapping[str, Any], suggestions: Sequence[str]
) -> dict[str, Any]:
    """The body of a search.

    Args:
        query: as it was asked.
        body: that of GET /articles.
        suggestions: further searches.
    """
    first = (body["page"] - 1) * body["limit"] + 1
    return {
        "query": query,
        "number_of_results": body["total"],
        "results": [
            _build_result(article, place) for place, article in enumerate(body["articles"], first)
        ],
        "answers": [],
        "corrections": [],
        "infoboxes": [],
        "suggestions": list(suggestions),
        "unresponsive_engines": [
            [name, report["status"]]
            for name, report in body["sources"].items()
            if report["status"] not in _UNREPORTED
        ],
    }


def add_searxng_error(document: dict[str, Any]) -> dict[str, Any]:
    """The body of an error: a problem with the member that clients of SearXNG read."""
    return document | {"error": document["detail"]}


def choose_sources(engines: str, categories: str, sources: Sequence[str]) -> tuple[str, ...]:
    """Return the sources for lists of engines and of categories, in the given order.

    As SearXNG does, unknown names are skipped, and lists without a known name are absent. With both
    lists, the sources of both are asked.
    """
    wanted = set(_split(engines)) & set(sources)
    for category in _split(categories):
        if category == SOCIAL:
            wanted |= FORUMS & set(sources)
        elif category in CATEGORIES:
            wanted |= set(sources)
    return tuple(name for name in sources if name in wanted) or tuple(sources)


def _split(names: str) -> list[str]:
    return [name.strip() for name in names.split(",")]


def _build_result(article: Mapping[str, Any], place: int) -> dict[str, Any]:
    """One story. Its engines are the sources that found it; texts are never null."""
    engines = dict.fromkeys(
        (article["source"], *(duplicate["source"] for duplicate in article["duplicates"]))
    )
    published = datetime.fromisoformat(article["published_at"]).isoformat()
    return {
        "url": article["url"],
        "title": article["title"],
        "content": article["description"] or "",
        "publishedDate": published,
        "pubdate": published.replace("T", " ")[:19],
        "author": article["author"] or "",
        "metadata": article["publisher"],
        "img_src": article["image_url"] or "",
        "thumbnail": article["image_url"] or "",
        "engine": article["source"],
        "engines": list(engines),
        "positions": [place],
        "score": article["score"],
        "category": SOCIAL if article["source"] in FORUMS else NEWS,
        "template": "default.html",
        "parsed_url": _split_url(article["url"]),
    }


def _split_url(url: str) -> list[str]:
    """The six parts of a URL, as `urllib.parse.urlparse` has them; ours have no parameters."""
    parts = urlsplit(url)
    return [parts.scheme, parts.netloc, parts.path, "", parts.query, parts.fragment]
