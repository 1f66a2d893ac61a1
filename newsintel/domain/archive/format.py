"""Writes and reads archived articles as lines of JSON, for `newsintel export` and `import`.

docs/archive-format.md describes the format for users. The input may come from anywhere: texts are
cleaned and URLs normalised as for a source, the id is computed again, and a line that cannot be
read completely is refused with the reason.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import orjson

from newsintel.domain.archive.model import SOURCE_NAME, Hit
from newsintel.domain.search.article import (
    MAX_CONTENT,
    MAX_DESCRIPTION,
    MAX_NAME,
    MAX_TITLE,
    Article,
    Engagement,
)
from newsintel.domain.text.clean import remove_invisible, to_plain_text
from newsintel.domain.text.json_line import read_object
from newsintel.domain.text.moments import read_moment
from newsintel.domain.text.safe_urls import sanitize_url
from newsintel.domain.text.urls import canonicalize_url, make_article_id, make_stand_in

FIELDS = (
    *(
        "id",
        "url",
        "title",
        "source",
        "publisher",
        "published_at",
        "published_at_estimated",
        "description",
        "content",
        "author",
        "section",
    ),
    *("image_url", "language", "external_id", "points", "comments", "first_seen_at", "fetched_at"),
    "discussion",
    "country",
)
"""All fields in the order of an export. They do not change; more may be added."""

_MAX_EXTERNAL_ID = 2048
"""Characters: as long as a URL, which is used if a source has no ids."""
_OLDEST = datetime(1800, 1, 1, tzinfo=UTC)
_OLDEST_FETCH = datetime(2000, 1, 1, tzinfo=UTC)
"""The earliest values that the archive's columns accept (migration 0001)."""
_MAX_AHEAD = timedelta(hours=24)
"""How far ahead of our clock a time may be, as in a source's payload."""
_INT4 = 2**31

LineFields = Mapping[str, Any]
T = TypeVar("T")


def dump_line(hit: Hit) -> bytes:
    """Return an archived article as a line with its newline; times in UTC, null if unknown."""
    article, counted = hit.article, hit.article.engagement
    counts = {name: getattr(counted, name, None) for name in ("points", "comments")}
    other = counts | {
        "first_seen_at": hit.first_seen_at,
        "fetched_at": hit.fetched_at,
        "discussion": {"url": counted.url} | counts if counted and counted.url else None,
    }
    values = {name: other[name] if name in other else getattr(article, name) for name in FIELDS}
    return orjson.dumps(values, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_UTC_Z)


def parse_line(line: bytes, now: datetime) -> Hit:
    """Return the article of a line.

    Args:
        line: one JSON object.
        now: the default for the time of the fetch, and the limit for all times.

    Raises:
        ValueError: the line is refused. The message gives the reason and quotes at most names of
            fields.
    """
    row = _read_line(line)
    fetched_at = _read_time(row, "fetched_at", _OLDEST_FETCH, now) or now
    first_seen_at = _read_time(row, "first_seen_at", _OLDEST_FETCH, now) or fetched_at
    if first_seen_at > fetched_at:
        raise ValueError("first_seen_at is later than fetched_at")
    return Hit(_build_article(row, now), first_seen_at, fetched_at)


def _read_line(line: bytes) -> LineFields:
    row = read_object(line)
    _check_names(row, FIELDS)
    return row


def _check_names(row: LineFields, known: Sequence[str]) -> None:
    if unknown := row.keys() - set(known):
        raise ValueError(f"unknown field {to_plain_text(min(unknown), 40)!r}")


def _build_article(row: LineFields, now: datetime) -> Article:
    url = _require(_read_url(row, "url"), "url")
    title = _require(_read_text(row, "title", MAX_TITLE), "title")
    published_at = _require(_read_time(row, "published_at", _OLDEST, now), "published_at")
    estimated = _read_typed(row, "published_at_estimated", bool) or False
    identity = make_stand_in(
        url, title, "" if estimated else f"{published_at:%Y-%m-%d}"
    ) or canonicalize_url(url)
    return Article(
        id=make_article_id(identity),
        source=_require(_read_pattern(row, "source", SOURCE_NAME), "source"),
        external_id=_read_external_id(row) or url,
        url=url,
        canonical_url=identity,
        title=title,
        publisher=_require(_read_text(row, "publisher", MAX_NAME), "publisher"),
        published_at=published_at,
        published_at_estimated=estimated,
        description=_read_text(row, "description", MAX_DESCRIPTION),
        content=_read_text(row, "content", MAX_CONTENT),
        author=_read_text(row, "author", MAX_NAME),
        section=_read_text(row, "section", MAX_NAME),
        image_url=_read_url(row, "image_url"),
        language=_read_pattern(row, "language", r"[a-z]{2}"),
        country=_read_pattern(row, "country", r"[A-Z]{2}"),
        engagement=_read_engagement(row),
    )


def _require(value: T | None, name: str) -> T:
    if value is None:
        raise ValueError(f"{name} is missing or empty")
    return value


def _read_engagement(row: LineFields) -> Engagement | None:
    """Read points and comments, alone or in a discussion, which has their address, too."""
    counts = _read_counts(row)
    discussion = _read_typed(row, "discussion", dict)
    if discussion is None:
        return None if counts is None else Engagement(*counts)
    try:
        found = _read_discussion(discussion)
    except ValueError as error:
        raise ValueError(f"discussion: {error}") from None
    if counts not in (None, (found.points, found.comments)):
        raise ValueError("points and comments are not those of discussion")
    return found


def _read_discussion(row: LineFields) -> Engagement:
    _check_names(row, ("url", "points", "comments"))
    url, counts = _require(_read_url(row, "url"), "url"), _read_counts(row)
    if counts is None:
        raise ValueError("points and comments are missing")
    return Engagement(*counts, url)


def _read_typed(row: LineFields, name: str, kind: type[T]) -> T | None:
    value = row.get(name)
    if value is not None and type(value) is not kind:
        raise ValueError(f"{name} is not {_KINDS[kind]}")
    return value


_KINDS: Mapping[type, str] = {
    str: "text",
    bool: "true or false",
    int: "a whole number",
    dict: "an object",
}


def _read_text(row: LineFields, name: str, max_chars: int) -> str | None:
    value = _read_typed(row, name, str)
    return None if value is None else to_plain_text(value, max_chars)


def _read_pattern(row: LineFields, name: str, pattern: str) -> str | None:
    value = _read_typed(row, name, str)
    if value is not None and not re.fullmatch(pattern, value):
        raise ValueError(f"{name} must match {pattern}")
    return value


def _read_url(row: LineFields, name: str) -> str | None:
    value = _read_typed(row, name, str)
    address = sanitize_url(value) if value else None
    if value and address is None:
        raise ValueError(f"{name} is not an http or https address fit for a browser")
    return address


def _read_external_id(row: LineFields) -> str | None:
    """Return the id unchanged; a number becomes its digits.

    The id is compared and never shown, and cleaning could change its meaning.
    """
    number = row.get("external_id")
    value = str(number) if type(number) is int else _read_typed(row, "external_id", str)
    if value is not None and (len(value) > _MAX_EXTERNAL_ID or remove_invisible(value) != value):
        raise ValueError(
            f"external_id is longer than {_MAX_EXTERNAL_ID} characters or has invisible ones"
        )
    return value


def _read_time(row: LineFields, name: str, oldest: datetime, now: datetime) -> datetime | None:
    """Read a time with an offset; the result is in UTC."""
    value = _read_typed(row, name, str)
    if value is None:
        return None
    try:
        moment = read_moment(value)
    except ValueError:
        raise ValueError(f"{name} is not a time such as 2026-01-31T12:00:00Z") from None
    if moment.tzinfo is None:
        raise ValueError(f"{name} has no offset such as Z")
    if not oldest <= moment <= now + _MAX_AHEAD:
        raise ValueError(f"{name} is before {oldest.year} or in the future")
    return moment.astimezone(UTC)


def _read_integer(row: LineFields, name: str) -> int | None:
    """Read an integer. Other programs may write 12.0 (spreadsheets, columns of floats)."""
    value = row.get(name)
    return (
        int(value) if type(value) is float and value.is_integer() else _read_typed(row, name, int)
    )


def _read_counts(row: LineFields) -> tuple[int, int] | None:
    points, comments = _read_integer(row, "points"), _read_integer(row, "comments")
    if points is None and comments is None:
        return None
    if points is None or comments is None:
        raise ValueError("points and comments come together or not at all")
    if not all(-_INT4 <= number < _INT4 for number in (points, comments)):
        raise ValueError("points or comments do not fit 32 bits")
    return points, comments
