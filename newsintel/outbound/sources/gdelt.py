"""GDELT's DOC API, version 2: pages of the world's news sites of the last three months, no key.

It allows one call in five seconds and sheds load beyond that. Errors are plain text, mostly with
HTTP 200. Its JSON may have escapes that JSON does not know. Titles come as separate tokens
(`Serrano , sobrina`), and the date is when GDELT saw the page, at most minutes after it appeared.
"""

import re
from datetime import datetime, timedelta

from attrs import evolve

from newsintel.config.settings import SourceSettings
from newsintel.config.values import SourceOptions, parse_flag, url_parser
from newsintel.domain.bounds.slices import Sliced
from newsintel.domain.search.article import MAX_TITLE, Article
from newsintel.domain.search.outcome import Refusal, SourcePage, Status
from newsintel.domain.search.query_model import Query, Sort
from newsintel.domain.text.markup import read_escaped
from newsintel.domain.text.safe_urls import get_host
from newsintel.domain.text.urls import canonicalize_url, make_article_id
from newsintel.outbound.sources.gdelt_names import find_country, find_language, name_language
from newsintel.outbound.sources.gdelt_query import translate_query
from newsintel.outbound.sources.outlet_names import name_outlet
from newsintel.outbound.sources.payload import read_json_object
from newsintel.outbound.sources.refusals import clean_message, make_status_refusal, pause_after
from newsintel.outbound.sources.rows import (
    MAX_ROWS,
    SourceRow,
    read_date,
    read_page,
    read_text,
    read_url,
)
from newsintel.outbound.sources.shared_tails import strip_shared_tails
from newsintel.outbound.sources.source import Request, Response, Source
from newsintel.outbound.sources.tails import strip_outlet

PACE_S = 6.5
"""Pause between the starts of two calls.

GDELT's own message says "limit requests to one every 5 seconds". A second more is for the way: a
call on a new connection reaches GDELT up to four round trips later than the next one on the same.
And a start may be late by half a second (LATE_START_S).
"""

_WINDOW = timedelta(days=90)
"""The API searches the last three months; an earlier start is an error."""

_ESCAPES = re.compile(rb'(\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))|[\\\x00-\x1f]')
"""An escape that JSON knows, or a sign that must not stand alone (RFC 8259, section 7)."""

_REPAIRED_BYTES = 256 * 1024
"""Largest body that is repaired, in 60 ms at worst. A hundred rows have 60 KiB."""

_MESSAGE_BYTES = 1_000
"""Longest plain text that is read as the API's own message; recorded ones have 102 at most."""

_QUERY_WORDS = re.compile(
    r"\b(?:keywords?|parenthes[ei]s|phrase|quer(?:y|ies)|timespan)\b", re.IGNORECASE
)
"""Words by which a message says that the query is at fault."""

_BEFORE = re.compile(r"\s+(?=[,.;:!?%)\]\u2026\u3001\u3002](?:\s|\Z))")
_AFTER = re.compile(r"(?<=[(\[])\s+")
_APOSTROPHE = re.compile(r"(?<=\w) ?(['\u2019]) ?(?=(?:s|t|d|m|ll|re|ve)\b)")


def build_request(
    query: Query, _settings: SourceSettings, _key: str, now: datetime
) -> Request | Refusal:
    """Build GET /api/v2/doc/doc; a query that GDELT cannot answer is refused without a call."""
    text = translate_query(query.clauses, query.language)
    if text is None:
        return _make_query_refusal("every word is too short for GDELT", None)
    earliest = now - _WINDOW
    if query.end is not None and query.end < earliest:
        return _make_query_refusal("GDELT searches the last three months only", None)
    params = [
        ("query", text),
        ("mode", "artlist"),
        ("format", "json"),
        ("maxrecords", str(MAX_ROWS)),
        ("sort", "datedesc" if query.sort is Sort.NEWEST else "hybridrel"),
    ]
    if query.start is not None:
        params.append(("startdatetime", f"{max(query.start, earliest):%Y%m%d%H%M%S}"))
    if query.end is not None:
        params.append(("enddatetime", f"{min(query.end, now):%Y%m%d%H%M%S}"))
    return Request("/api/v2/doc/doc", tuple(params))


def read_slices(response: Response, query: Query, now: datetime) -> Sliced[SourcePage | Refusal]:
    """Read a response as a page or as a refusal. An empty object means that nothing was found."""
    if not response.body.lstrip().startswith(b"{"):
        return _read_message(response, now)
    if response.status != 200:
        return make_status_refusal(response, now)
    body = yield from read_json_object(response)
    if isinstance(body, Refusal) and len(response.body) <= _REPAIRED_BYTES:
        repaired = _ESCAPES.sub(rb"\1", response.body)
        yield
        body = yield from read_json_object(evolve(response, body=repaired))
    if isinstance(body, Refusal):
        return body
    rows = body.get("articles", [])
    if not isinstance(rows, list):
        return Refusal(Status.BAD_PAYLOAD, "JSON, but without articles (HTTP 200)", 200)
    known_hosts: set[str] = set()
    page = yield from read_page(
        rows, lambda row: _read_article(row, now, known_hosts), query, http_status=200
    )
    articles = yield from strip_shared_tails(page.articles, known_hosts)
    return evolve(page, articles=articles)


def list_ignored_parameters(query: Query) -> tuple[str, ...]:
    """Popularity, which GDELT does not know, and languages that it does not read."""
    unknown = query.language is not None and name_language(query.language) is None
    return (
        *(("language",) if unknown else ()),
        *(("sort",) if query.sort is Sort.POPULAR else ()),
    )


def tidy_title(title: str) -> str:
    """Return a title without the spaces that GDELT puts around signs."""
    return _APOSTROPHE.sub(r"\1", _AFTER.sub("", _BEFORE.sub("", title)))


def make_article(
    *, url: str, title: str, seen_at: object, now: datetime, known_hosts: set[str]
) -> Article:
    """Make the article of a page that GDELT saw, without its country, language and image.

    Args:
        url: a usable URL; also the external id.
        title: plain text.
        seen_at: the date as GDELT writes it.
        now: aware UTC.
        known_hosts: gets the host if the title named the outlet.
    """
    publisher, host = name_outlet(url), get_host(url)
    stripped = strip_outlet(title, publisher=publisher, host=host, author=None)
    if stripped != title:
        known_hosts.add(host)
    published_at, estimated = read_date(seen_at, now)
    identity = canonicalize_url(url)
    return Article(
        id=make_article_id(identity),
        source="gdelt",
        external_id=url,
        url=url,
        canonical_url=identity,
        title=stripped,
        publisher=publisher,
        published_at=published_at,
        published_at_estimated=estimated,
    )


def _read_article(row: SourceRow, now: datetime, known_hosts: set[str]) -> Sliced[Article | str]:
    url = read_url(row, "url")
    if url is None:
        return "bad_url"
    title = read_text(row, "title", MAX_TITLE, read_escaped)
    if title is None:
        return "no_title"
    yield
    article = make_article(
        url=url,
        title=tidy_title(title),
        seen_at=row.get("seendate"),
        now=now,
        known_hosts=known_hosts,
    )
    return evolve(
        article,
        image_url=read_url(row, "socialimage"),
        language=find_language(row.get("language")),
        country=find_country(row.get("sourcecountry")),
    )


def _read_message(response: Response, now: datetime) -> Refusal:
    """Return the refusal in a plain text. With HTTP 200 its words decide what it means."""
    text = response.body[:_MESSAGE_BYTES].decode("utf-8", "replace")
    said = "" if text.lstrip().startswith("<") else clean_message(text)
    if response.status != 200:
        return make_status_refusal(response, now, said)
    if "limit requests" in said:
        return Refusal(Status.RATE_LIMITED, said, 200, pause_after(response, now))
    if _QUERY_WORDS.search(said):
        return _make_query_refusal(f"GDELT refuses the query: {said}", 200)
    return Refusal(Status.BAD_PAYLOAD, f"not JSON (HTTP 200): {said or 'a page or nothing'}", 200)


def _make_query_refusal(detail: str, http_status: int | None) -> Refusal:
    return Refusal(Status.UNSUPPORTED, detail, http_status, query_fault=True)


SOURCE = Source(
    options=SourceOptions(
        name="gdelt",
        url="https://api.gdeltproject.org",
        pace_s=PACE_S,
        quota=None,
        required={},
        optional={
            "BULK": (parse_flag, False),
            # The same files as at data.gdeltproject.org, whose certificate is not for its name.
            "BULK_URL": (
                url_parser("http", "https"),
                "https://storage.googleapis.com/data.gdeltproject.org",
            ),
        },
    ),
    build_request=build_request,
    read_slices=read_slices,
    list_ignored_parameters=list_ignored_parameters,
)
