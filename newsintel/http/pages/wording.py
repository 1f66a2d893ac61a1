"""The words that pages show for values of the API."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from newsintel.domain.search.article import Rule
from newsintel.domain.search.outcome import Status

SOURCES = {
    "newsapi": "NewsAPI",
    "guardian": "The Guardian",
    "reddit": "Reddit",
    "hackernews": "Hacker News",
    "gdelt": "GDELT",
}

WAITING = "waiting"
"""The status of a source on a page that shows a running search."""

STATUSES: dict[str, str] = {
    Status.OK: "answered",
    Status.EMPTY: "found nothing",
    Status.TIMEOUT: "too late",
    Status.OVERLOADED: "no room here",
    Status.RATE_LIMITED: "at its limit",
    Status.QUOTA_EXHAUSTED: "quota used up",
    Status.UNAUTHORIZED: "refused our key",
    Status.UNSUPPORTED: "does not cover this",
    Status.BAD_PAYLOAD: "unreadable answer",
    Status.UNREACHABLE: "unreachable",
    Status.CIRCUIT_OPEN: "paused after failures",
    Status.DISABLED: "off",
    WAITING: "waiting",
}

RULES = {
    Rule.URL: "same address",
    Rule.TITLE: "same headline",
    Rule.NEAR_TITLE: "similar headline",
}


def name_source(name: str) -> str:
    """Return the name of a source for people."""
    return SOURCES.get(name, name.replace("_", " ").capitalize())


def describe_status(status: str) -> str:
    """Return the state of a source in a few words."""
    return STATUSES.get(status, status)


def describe_rule(rule: str | None, similarity: float | None) -> str:
    """Return why an article was merged, e.g. `similar headline, 93 %`; the founder has no rule."""
    if rule is None:
        return "the first we found"
    words = RULES.get(Rule(rule), rule)
    return words if similarity is None else f"{words}, {int(similarity * 100)} %"


def format_moment(moment: str) -> str:
    """Return an RFC 3339 time in UTC as people write it, e.g. `3 Jan 2026, 14:05`."""
    at = datetime.fromisoformat(moment)
    return f"{at.day} {at:%b} {at.year:04d}, {at:%H:%M}"


def format_day(moment: str) -> str:
    """Return the day of an RFC 3339 time in UTC, e.g. `3 Jan 2026`."""
    at = datetime.fromisoformat(moment)
    return f"{at.day} {at:%b} {at.year:04d}"


def format_bytes(size: int) -> str:
    """Return a size in bytes with the largest unit that leaves at least 1, e.g. `3.2 MiB`."""
    for unit, name in ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB")):
        if size >= unit:
            return f"{size / unit:.1f} {name}"
    return f"{size} bytes"


def format_seconds(seconds: float) -> str:
    """Return a time as people write it, e.g. `0.4 s`, `75 s` or `12 min`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def mark_title(title: str, snippet: Mapping[str, Any]) -> list[tuple[str, bool]]:
    """Cut a title at the highlights of a snippet that is a part of it; see `mark_passages`."""
    before, _, after = title.partition(snippet["text"])
    pieces = mark_passages(snippet["text"], snippet["highlights"])
    return [piece for piece in ((before, False), *pieces, (after, False)) if piece[0]]


def mark_passages(text: str, spans: list[list[int]]) -> list[tuple[str, bool]]:
    """Cut a text at its highlights.

    Args:
        text: the passage.
        spans: [start, end) of each highlight in code points, in order.

    Returns:
        The pieces in order, and whether each is highlighted.
    """
    pieces, at = [], 0
    for start, end in spans:
        pieces += [(text[at:start], False), (text[start:end], True)]
        at = end
    return [piece for piece in (*pieces, (text[at:], False)) if piece[0]]
