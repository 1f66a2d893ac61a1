"""JSON Feed 1.1 (jsonfeed.org/version/1.1)."""

from collections.abc import Iterable, Mapping
from typing import Any

from newsintel.http.bodies.channel import Channel

VERSION = "https://jsonfeed.org/version/1.1"


def build_json_feed(articles: Iterable[Mapping[str, Any]], channel: Channel) -> dict[str, Any]:
    """Return a feed of articles as plain values.

    Args:
        articles: as in the JSON body.
        channel: describes the feed.
    """
    return {
        "version": VERSION,
        "title": channel.title,
        "home_page_url": channel.home_url,
        "feed_url": channel.self_url,
        **_given(next_url=channel.next_url),
        "items": [_build_item(article) for article in articles],
    }


def _build_item(article: Mapping[str, Any]) -> dict[str, Any]:
    author, section = article["author"], article["section"]
    return {
        "id": article["id"],
        "url": article["url"],
        "title": article["title"],
        "content_text": article["description"] or "",
        "date_published": article["published_at"],
        **_given(
            image=article["image_url"],
            language=article["language"],
            authors=[{"name": author}] if author else None,
            tags=[section] if section else None,
        ),
        "_newsintel": {"source": article["source"], "publisher": article["publisher"]},
    }


def _given(**members: Any) -> dict[str, Any]:
    """Return the members that have a value: the format has no null."""
    return {name: value for name, value in members.items() if value is not None}
