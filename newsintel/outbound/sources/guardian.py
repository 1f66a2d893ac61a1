"""The Guardian's Content API: its own articles since 1999.

A developer key allows one call per second and 500 per day. The API's default operator is OR and its
default order depends on q, so we always send both explicitly. Field values are strings; empty
fields are absent.
"""

import re
from collections.abc import Sequence
from datetime import datetime

from attrs import evolve

from newsintel.config.settings import SourceSettings
from newsintel.config.values import Quota, SourceOptions, parse_secret
from newsintel.domain.bounds.slices import Sliced
from newsintel.domain.limits.pauses import MAX_PAUSE_S
from newsintel.domain.search.article import MAX_DESCRIPTION, MAX_NAME, MAX_TITLE, Article
from newsintel.domain.search.outcome import Refusal, SourcePage, Status
from newsintel.domain.search.query import translate_clauses
from newsintel.domain.search.query_model import Query, Sort
from newsintel.domain.text.clean import fold
from newsintel.domain.text.markup import read_escaped, read_html
from newsintel.domain.text.urls import canonicalize_url, make_article_id
from newsintel.outbound.sources.payload import read_json_object
from newsintel.outbound.sources.refusals import clean_message, make_status_refusal
from newsintel.outbound.sources.rows import (
    SourceRow,
    read_date,
    read_members,
    read_page,
    read_text,
    read_url,
)
from newsintel.outbound.sources.source import Recheck, Request, Response, Source

# We do not request the body: fifty bodies are megabytes, and the terms forbid keeping them long.
_FIELDS = "trailText,byline,thumbnail,lang"
# The API documents no limit. Every query without groups fits. At this length, even three-byte
# characters in percent-encoding fit into the 8,000 bytes that RFC 9112, section 3, recommends every
# server to accept as a request line.
_MAX_Q = 850
_PAGE_SIZE = 50  # the largest that the docs allow; the server currently accepts 200

_BYLINE = re.compile(r"(?P<headline>.*\S)\s+\|\s+(?P<tail>[^|]+)", re.DOTALL)
_KINDS = re.compile(r"(?:[\w ]+ )?(?:letters?|editorial|review)")
# Capitalised words or a handle, with the lower-case words that occur in names.
_NAME = re.compile(
    r"(?:[^\W\d_a-z]|@)\S*(?: (?:[^\W\d_a-z]\S*|and|others|de|der|van|von|la|le|bin|al)){0,5}"
)


def build_request(query: Query, _settings: SourceSettings, key: str, _now: datetime) -> Request:
    """Build GET /search. The key can only be a parameter, so a log must omit a URL's query."""
    params = [
        ("q", translate_clauses(query.clauses, without=" AND NOT ", max_chars=_MAX_Q)),
        # The API has no order by popularity.
        ("order-by", "newest" if query.sort is Sort.NEWEST else "relevance"),
        ("page-size", str(_PAGE_SIZE)),
        ("show-fields", _FIELDS),
    ]
    for name, bound in (("from-date", query.start), ("to-date", query.end)):
        if bound is not None:
            # Not strftime: on Linux its %Y does not pad years before 1000.
            params.append((name, bound.replace(tzinfo=None).isoformat(timespec="seconds") + "Z"))
    if query.language is not None:
        params.append(("lang", query.language))
    return Request("/search", (*params, ("api-key", key)))


def read_slices(response: Response, query: Query, now: datetime) -> Sliced[SourcePage | Refusal]:
    """Read a response as a page or as a refusal."""
    body = yield from read_json_object(response)
    if isinstance(body, Refusal):
        return body if response.status == 200 else make_status_refusal(response, now)
    # The API's gateway (401, 429) answers without this envelope.
    inner = read_members(body, "response")
    rows = inner.get("results")
    if response.status == 200 and inner.get("status") == "ok" and isinstance(rows, list):
        return (
            yield from read_page(rows, lambda row: _read_article(row, now), query, http_status=200)
        )
    said = clean_message(inner.get("message", body.get("message")))
    if response.status == 400 and said == "requested page is beyond the number of available pages":
        return SourcePage((), 0, http_status=400)  # the API's reply when nothing was found
    refusal = make_status_refusal(response, now, said)
    if (
        response.status == 429
        and response.headers.get("x-ratelimit-remaining-day", "").strip() == "0"
    ):
        return evolve(refusal, status=Status.QUOTA_EXHAUSTED, pause_s=MAX_PAUSE_S)
    return refusal


def build_recheck(ids: Sequence[str], _settings: SourceSettings, key: str) -> Request:
    """Build GET /search for items by their ids; withdrawn ones are missing."""
    params = (
        ("ids", ",".join(ids)),
        ("page-size", str(_PAGE_SIZE)),
        ("show-fields", _FIELDS),
        ("api-key", key),
    )
    return Request("/search", params)


def list_ignored_parameters(query: Query) -> tuple[str, ...]:
    """Popularity: the API has no such order, and no number by which we could sort afterwards."""
    return ("sort",) if query.sort is Sort.POPULAR else ()


def _read_article(row: SourceRow, now: datetime) -> Sliced[Article | str]:
    if row.get("isHosted") in (True, "true"):
        return "promoted"  # paid for by an advertiser
    title = read_text(row, "webTitle", MAX_TITLE)
    url = read_url(row, "webUrl")
    if url is None:
        return "bad_url"
    if title is None:
        return "no_title"
    fields = read_members(row, "fields")
    yield
    byline = read_text(fields, "byline", MAX_NAME, read_html)
    language = read_text(fields, "lang", MAX_NAME)
    published_at, estimated = read_date(row.get("webPublicationDate"), now)
    yield
    identity = canonicalize_url(url)
    description = read_text(fields, "trailText", MAX_DESCRIPTION, read_html)
    yield
    return Article(
        id=make_article_id(identity),
        source="guardian",
        external_id=read_text(row, "id", 512) or url,
        url=url,
        canonical_url=identity,
        title=_strip_byline(title, byline),
        publisher="The Guardian",
        published_at=published_at,
        published_at_estimated=estimated,
        description=description,
        author=byline,
        section=read_text(row, "sectionName", MAX_NAME, read_escaped),
        image_url=read_url(fields, "thumbnail"),
        language=language.lower() if language and len(language) == 2 else None,
    )


def _strip_byline(title: str, byline: str | None) -> str:
    """Remove an ending such as ` | Columnist`, ` | Letters` or ` | Editorial` from a headline.

    "The Fiver | Ushered to the door" keeps its second half, which is neither a name nor a kind of
    article.
    """
    match = _BYLINE.fullmatch(title)
    if match is None:
        return title
    tail = fold(match["tail"])
    known = tail in fold(byline or "") or _KINDS.fullmatch(tail) or _NAME.fullmatch(match["tail"])
    return match["headline"] if known else title


SOURCE = Source(
    options=SourceOptions(
        name="guardian",
        url="https://content.guardianapis.com",
        pace_s=1.0,
        quota=Quota(500, 86400),
        required={"KEY": parse_secret},
    ),
    build_request=build_request,
    read_slices=read_slices,
    list_ignored_parameters=list_ignored_parameters,
    # Content must be refreshed every 24 hours (terms, 2009). 72 of 500 calls a day refresh 3,600
    # articles.
    recheck=Recheck(
        build_recheck, id_pattern=r"[\w-]+(?:/[\w.-]+)+", most_ids=_PAGE_SIZE, every_s=1200.0
    ),
)
