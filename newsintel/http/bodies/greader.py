"""Bodies of Google Reader's API: pure functions from articles and states to JSON values."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from html import escape
from typing import Any

from attrs import frozen

from newsintel.domain.archive.model import Hit
from newsintel.domain.reader.item_ids import compute_number, write_long
from newsintel.domain.reader.model import Item, ItemState, Stream
from newsintel.domain.reader.selection import Page, State

STATE_PREFIX = "user/-/state/com.google/"
READING_LIST = STATE_PREFIX + State.READING_LIST
STARRED = STATE_PREFIX + State.STARRED
READ = STATE_PREFIX + State.READ

MOST_TEXT_CHARS, MOST_ANSWER_CHARS = 20_000, 2_000_000
"""Characters of one text, and of all texts of an answer."""


@frozen
class Origin:
    """The subscription that an item belongs to."""

    stream_id: str
    title: str


def build_subscriptions(
    streams: Iterable[Stream], public_url: str, atom_url: str, icon_url: str
) -> dict[str, Any]:
    """The body of subscription/list.

    Args:
        streams: the subscriptions.
        public_url: the address of this service.
        atom_url: what stands before a stream's id in the address of its feed. Some clients know a
            subscription by this address, so no two may be equal.
        icon_url: the address of an icon.
    """
    return {
        "subscriptions": [
            {
                "id": stream.id,
                "title": stream.title,
                "categories": [],
                "sortid": f"{place:08x}",
                "firstitemmsec": str(int(stream.created_at.timestamp() * 1000)),
                "url": atom_url + stream.id,
                "htmlUrl": f"{public_url}/search",
                "iconUrl": icon_url,
            }
            for place, stream in enumerate(streams, 1)
        ]
    }


def build_tags() -> dict[str, Any]:
    """The body of tag/list."""
    return {"tags": [{"id": STARRED, "sortid": "00000001"}]}


def build_unread_counts(
    counts: Sequence[tuple[str, int, Sequence[Item]]], most: int
) -> dict[str, Any]:
    """The body of unread-count.

    Args:
        counts: id, number of unread items, and items of each stream, the newest item first.
        most: the highest count that is possible.
    """
    return {
        "max": most,
        "unreadcounts": [
            {
                "id": stream,
                "count": count,
                "newestItemTimestampUsec": str(items[0].seen_us if items else 0),
            }
            for stream, count, items in counts
        ],
    }


def build_ids(page: Page) -> dict[str, Any]:
    """The body of stream/items/ids."""
    refs = [
        {
            "id": str(compute_number(item.id)),
            "directStreamIds": [],
            "timestampUsec": str(item.seen_us),
        }
        for item in page.items
    ]
    return {"itemRefs": refs} | _continue(page.continuation)


def build_contents(
    stream: str, items: Sequence[dict[str, Any]], continuation: str | None, now: datetime
) -> dict[str, Any]:
    """The body of stream/contents and of stream/items/contents."""
    return {
        "id": stream,
        "direction": "ltr",
        "updated": int(now.timestamp()),
        "items": [*items],
    } | _continue(continuation)


def build_item(
    hit: Hit, state: ItemState, origin: Origin, public_url: str, *, shown: int
) -> dict[str, Any]:
    """One item of a stream.

    Args:
        hit: the article.
        state: what the person did with it.
        origin: the subscription.
        public_url: the address of this service.
        shown: the number of items in the answer, which share the characters of their texts.
    """
    article = hit.article
    text = article.content or article.description or ""
    seen_us = str(int(hit.first_seen_at.timestamp() * 1_000_000))
    published = int(article.published_at.timestamp())
    states = [READING_LIST, *([READ] if state.read else []), *([STARRED] if state.starred else [])]
    return {
        "id": write_long(compute_number(article.id)),
        "crawlTimeMsec": seen_us[:-3],
        "timestampUsec": seen_us,
        "published": published,
        "updated": published,
        "title": article.title,
        "author": article.author or article.publisher,
        "canonical": [{"href": article.url}],
        "alternate": [{"href": article.url, "type": "text/html"}],
        "categories": states,
        "origin": {
            "streamId": origin.stream_id,
            "title": origin.title,
            "htmlUrl": f"{public_url}/search",
        },
        "summary": {
            "direction": "ltr",
            "content": _write_html(text[: count_chars(shown)]),
        },
    }


def count_chars(shown: int) -> int:
    """Return how many characters of each text an answer with so many items shows."""
    return max(1, min(MOST_TEXT_CHARS, MOST_ANSWER_CHARS // max(1, shown)))


def _write_html(text: str) -> str:
    """Return plain text as HTML that looks the same."""
    paragraphs = (escape(line) for line in text.splitlines() if line.strip())
    return "".join(f"<p>{line}</p>" for line in paragraphs)


def _continue(continuation: str | None) -> dict[str, str]:
    return {} if continuation is None else {"continuation": continuation}
