"""Hacker News through Algolia's search API, which needs no key.

A story with a link represents the article that it links to, and the outlet published it; a text
post (Ask HN) is an article of its own, at its address on Hacker News. The item's page is the
discussion. The API knows phrases and exclusions but no OR: `one OR two` is three words to it.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from math import ceil

from attrs import evolve

from newsintel.config.settings import SourceSettings
from newsintel.config.values import SourceOptions
from newsintel.domain.bounds.slices import Sliced
from newsintel.domain.search.article import (
    MAX_DESCRIPTION,
    MAX_NAME,
    MAX_TITLE,
    Article,
    Engagement,
)
from newsintel.domain.search.forums import HACKER_NEWS, ITEM_URL
from newsintel.domain.search.outcome import Refusal, SourcePage, Status
from newsintel.domain.search.query import merge_alternatives, write_term
from newsintel.domain.search.query_model import Clause, Query, Sort
from newsintel.domain.text.markup import read_html
from newsintel.domain.text.safe_urls import get_host
from newsintel.domain.text.urls import canonicalize_url, make_article_id
from newsintel.outbound.sources.outlet_names import name_outlet
from newsintel.outbound.sources.payload import read_json_object
from newsintel.outbound.sources.refusals import clean_message, make_status_refusal
from newsintel.outbound.sources.rows import (
    MAX_ROWS,
    SourceRow,
    read_count,
    read_date,
    read_page,
    read_text,
    read_url,
)
from newsintel.outbound.sources.source import Request, Response, Source

_MAX_QUERY_BYTES = 512  # "query: up to 512 bytes" (algolia.com/doc, service limits)
_SITE = "news.ycombinator.com"
_FIELDS = "objectID,title,url,author,points,num_comments,story_text,created_at_i"


def build_request(query: Query, _settings: SourceSettings, _key: str, _now: datetime) -> Request:
    """Build GET /search, or /search_by_date for the newest first.

    The API's documentation allows every parameter of Algolia's search. The words are taken as
    typed: without corrections, and the last one is no prefix.
    """
    path = "/api/v1/search_by_date" if query.sort is Sort.NEWEST else "/api/v1/search"
    params = [
        ("query", _translate_clauses(query.clauses)),
        ("tags", "story"),
        ("hitsPerPage", str(MAX_ROWS)),
        ("typoTolerance", "false"),
        ("queryType", "prefixNone"),
        ("attributesToRetrieve", _FIELDS),
        ("attributesToHighlight", "[]"),
    ]
    bounds = [
        *([f"created_at_i>={ceil(query.start.timestamp())}"] if query.start else []),
        *([f"created_at_i<={int(query.end.timestamp())}"] if query.end else []),
    ]
    if bounds:
        params.append(("numericFilters", ",".join(bounds)))
    return Request(path, tuple(params))


def _translate_clauses(clauses: Sequence[Clause]) -> str:
    """Return the words that all alternatives share, else the first alternative.

    Beyond the API's limit the last wanted words are dropped, then the last unwanted ones.
    """
    clause = merge_alternatives(clauses)
    while True:
        wanted = [write_term(term) for term in clause.wanted]
        unwanted = ["-" + write_term(term) for term in clause.unwanted]
        text = " ".join([*wanted, *unwanted])
        if len(text.encode()) <= _MAX_QUERY_BYTES or len(wanted) + len(unwanted) == 1:
            return text
        clause = (
            evolve(clause, wanted=clause.wanted[:-1])
            if len(wanted) > 1
            else evolve(clause, unwanted=clause.unwanted[:-1])
        )


def read_slices(response: Response, query: Query, now: datetime) -> Sliced[SourcePage | Refusal]:
    """Read a response as a page or as a refusal."""
    body = yield from read_json_object(response)
    if response.status != 200:
        said = "" if isinstance(body, Refusal) else clean_message(body.get("message"))
        return make_status_refusal(response, now, said)
    if isinstance(body, Refusal):
        return body
    rows = body.get("hits")
    if not isinstance(rows, list):
        return Refusal(Status.BAD_PAYLOAD, "JSON, but without hits (HTTP 200)", 200)
    return (yield from read_page(rows, lambda row: _read_article(row, now), query, http_status=200))


def list_ignored_parameters(query: Query) -> tuple[str, ...]:
    """Language: the API cannot filter by it and does not report it."""
    return ("language",) if query.language else ()


def _read_article(row: SourceRow, now: datetime) -> Sliced[Article | str]:
    name = row.get("objectID")
    if not isinstance(name, str) or not re.fullmatch(r"[0-9]{1,12}", name):
        return "bad_id"
    title = read_text(row, "title", MAX_TITLE)
    if title is None:
        return "no_title"
    thread = ITEM_URL + name
    link = read_url(row, "url")
    if link is not None and get_host(link) == _SITE:
        link = None
    url = link or thread
    published_at, estimated = read_date(row.get("created_at_i"), now)
    yield
    description = read_text(row, "story_text", MAX_DESCRIPTION, read_html)
    yield
    identity = canonicalize_url(url)
    return Article(
        id=make_article_id(identity),
        source="hackernews",
        external_id=name,
        url=url,
        canonical_url=identity,
        title=title,
        publisher=name_outlet(link) if link else HACKER_NEWS,
        published_at=published_at,
        published_at_estimated=estimated,
        description=description,
        # Who posts a link did not write the outlet's article.
        author=None if link else read_text(row, "author", MAX_NAME),
        engagement=Engagement(
            points=read_count(row, "points"), comments=read_count(row, "num_comments"), url=thread
        ),
    )


SOURCE = Source(
    options=SourceOptions(
        name="hackernews",
        url="https://hn.algolia.com",
        pace_s=0.36,  # 10,000 calls per hour and address (hn.algolia.com/api)
        quota=None,
        required={},
    ),
    build_request=build_request,
    read_slices=read_slices,
    list_ignored_parameters=list_ignored_parameters,
)
