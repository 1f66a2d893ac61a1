"""What each kind of channel is sent about a delivery. Pure."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from newsintel.domain.alerts.delivery_model import ClaimedDelivery
from newsintel.domain.alerts.model import MOST_PUBLISHERS, Match
from newsintel.domain.search.article import Article
from newsintel.domain.text.moments import format_time

EVENT = "story.matched"

MAX_NTFY_BYTES = 4096
"""ntfy turns a longer message into an attachment (docs.ntfy.sh, "Limitations")."""

MAX_TITLE_CHARS = 200
"""Of a notification or a mail's subject. Phones show about 40."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")

Summarize = Callable[[Article], dict[str, Any]]
"""Returns an article's members as every list of articles of the API shows them."""


def build_webhook(delivery: ClaimedDelivery, summarize: Summarize) -> bytes:
    """Return the body of a webhook, as small JSON in UTF-8.

    Its timestamp is that of the event, so all attempts of a delivery have the same.
    """
    search = {"id": delivery.search_id, "name": delivery.search_name}
    data: dict[str, Any] = {
        "search": search,
        "articles": [build_story(story, summarize) for story in delivery.stories],
        "total": delivery.total,
    }
    if delivery.is_test:
        data["test"] = True
    body = {"type": EVENT, "timestamp": format_time(delivery.created_at), "data": data}
    return _write_json(body)


def build_story(story: Match, summarize: Summarize) -> dict[str, Any]:
    """Return an article that matched, with its story; JSON everywhere shows it so."""
    of = {"group_id": story.group_id, "title": story.first_title}
    return summarize(story.article) | {
        "group_id": story.group_id,
        "publishers": list(story.publishers),
        "later_member_of": of if story.is_later else None,
    }


def build_ntfy(delivery: ClaimedDelivery, page: str) -> bytes:
    """Return the JSON that ntfy takes at the root of its server (docs, "Publish as JSON").

    Args:
        delivery: its address is that of a topic.
        page: where all matches can be seen.
    """
    only = delivery.stories[0].article.url if delivery.total == 1 and delivery.stories else page
    body = {
        "topic": urlsplit(delivery.address).path.strip("/"),
        "title": build_title(delivery),
        "message": _cut_lines(build_text(delivery, page), MAX_NTFY_BYTES),
        "click": only,
        "tags": ["newspaper"],
    }
    return _write_json(body)


def build_apprise(delivery: ClaimedDelivery, page: str) -> bytes:
    """Return the JSON that the Apprise API takes at /notify/{KEY}."""
    body = {
        "title": build_title(delivery),
        "body": build_text(delivery, page),
        "type": "info",
        "format": "text",
    }
    return _write_json(body)


def build_title(delivery: ClaimedDelivery) -> str:
    """Return a title in one line: the search, and its only story or the number of stories."""
    if delivery.is_test:
        what = "test"
    elif delivery.total == 1 and delivery.stories:
        what = name_story(delivery.stories[0])
    else:
        what = f"{delivery.total} stories"
    return fold(f"{delivery.search_name}: {what}")[:MAX_TITLE_CHARS]


def build_text(delivery: ClaimedDelivery, page: str) -> str:
    """Return the stories as plain text: a title with its publishers, and a link, for each."""
    parts = [f"{describe_story(story)}\n{story.article.url}" for story in delivery.stories]
    if delivery.is_test:
        parts.insert(0, "This is a test. Alerts of this search arrive here.")
    if delivery.total > len(delivery.stories):
        parts.append(f"And {delivery.total - len(delivery.stories)} more: {page}")
    return "\n\n".join(parts)


def describe_story(story: Match) -> str:
    """Return a story in one line: its title, its publisher, and who else tells it.

    A later member says so, and of which story.
    """
    article = story.article
    told = [name for name in story.publishers if name != article.publisher]
    who = ", ".join([article.publisher, *told[:3]] if article.publisher else told[:3])
    rest = "many" if len(story.publishers) == MOST_PUBLISHERS else len(told) - 3
    more = f" and {rest} more" if len(told) > 3 else ""
    return fold(f"{name_story(story)} ({who}{more})" if who else name_story(story))


def name_story(story: Match) -> str:
    """Return a story's title, for texts and feeds; that of a later member names its story."""
    if not story.is_later:
        return story.article.title
    of = f" of “{story.first_title}”" if story.first_title else ""
    return f"Later report{of}: {story.article.title}"


def fold(text: str) -> str:
    """Return a text in one line: a mail's header or a title must not have line breaks.

    Joiners stay: emoji and several scripts need them.
    """
    return " ".join(_CONTROL.sub(" ", text).split())


def _cut_lines(text: str, max_bytes: int) -> str:
    """Return as many whole lines as fit; of a first line that is longer, its beginning."""
    encoded = text.encode()
    if len(encoded) <= max_bytes:
        return text
    cut = encoded[:max_bytes]
    whole, found, _ = cut.rpartition(b"\n")
    return (whole if found else cut).decode(errors="ignore").rstrip()


def _write_json(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
