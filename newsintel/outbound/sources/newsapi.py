"""NewsAPI, version 2: articles from about 150,000 outlets; on the free plan they are a day late.

The API reports limits of the plan as HTTP 426. Page 2 always fails on the free plan, so we request
only the first page of 100.
"""

import re
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
from newsintel.domain.text.markup import read_escaped, read_snippet
from newsintel.domain.text.safe_urls import get_host
from newsintel.domain.text.urls import canonicalize_url, make_article_id, make_stand_in
from newsintel.outbound.sources.bylines import read_byline
from newsintel.outbound.sources.outlet_names import name_outlet
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
from newsintel.outbound.sources.shared_tails import strip_shared_tails
from newsintel.outbound.sources.source import Request, Response, Source
from newsintel.outbound.sources.tails import strip_outlet

_MAX_Q = 500  # characters (docs/endpoints/everything)
# Ten times what the API sends: "truncated to 200 chars" (docs/endpoints/everything); recorded: 260,
# with the mark of the truncation.
_MAX_CONTENT = 2_000
_SORT = {Sort.RELEVANCE: "relevancy", Sort.NEWEST: "publishedAt", Sort.POPULAR: "popularity"}
# Source: newsapi-python, const.py.
_LANGUAGES = frozenset(
    {"ar", "de", "en", "es", "fr", "he", "it", "nl", "no", "pt", "ru", "sv", "ud", "zh"}
)

# What each error code means for us (docs/errors, and recorded replies). For any other code, the
# HTTP status decides.
_CODES: dict[str, tuple[Status, float | None]] = {
    "apiKeyMissing": (Status.UNAUTHORIZED, None),
    "apiKeyInvalid": (Status.UNAUTHORIZED, None),
    "apiKeyDisabled": (Status.UNAUTHORIZED, None),
    "apiKeyExhausted": (Status.QUOTA_EXHAUSTED, MAX_PAUSE_S),
    # The limit is 50 calls per 12 hours, and the reply does not say when it ends. One call per hour
    # uses at most 12 of the 50.
    "rateLimited": (Status.RATE_LIMITED, MAX_PAUSE_S),
    "unexpectedError": (Status.UNREACHABLE, None),
    # The API sends this to web pages only, so a proxy on the way must add an Origin header.
    "corsNotAllowed": (Status.UNAUTHORIZED, None),
}
_QUERY_CODES = frozenset(
    {
        "parameterInvalid",
        "parametersMissing",
        "sourcesTooMany",
        "sourceDoesNotExist",
        "sourceDoesntExist",
    }
)
_CUT = re.compile(r"\s*\[\+\d+ chars\]\Z")


def build_request(query: Query, _settings: SourceSettings, key: str, _now: datetime) -> Request:
    """Build GET /v2/everything. The key is in a header, so logged URLs do not contain it."""
    params = [
        ("q", translate_clauses(query.clauses, max_chars=_MAX_Q)),
        ("sortBy", _SORT[query.sort]),
        ("pageSize", "100"),  # explicit, because the default differs between plans
        ("page", "1"),
    ]
    for name, bound in (("from", query.start), ("to", query.end)):
        if bound is not None:
            # Not strftime: on Linux its %Y does not pad years before 1000.
            params.append((name, bound.replace(tzinfo=None).isoformat(timespec="seconds")))
    if query.language in _LANGUAGES:
        params.append(("language", str(query.language)))
    return Request("/v2/everything", tuple(params), (("X-Api-Key", key),))


def read_slices(response: Response, query: Query, now: datetime) -> Sliced[SourcePage | Refusal]:
    """Read a response as a page or as a refusal."""
    body = yield from read_json_object(response)
    if isinstance(body, Refusal):
        return body if response.status == 200 else make_status_refusal(response, now)
    rows = body.get("articles")
    if response.status == 200 and body.get("status") == "ok" and isinstance(rows, list):
        known_hosts: set[str] = set()
        page = yield from read_page(
            rows, lambda row: _read_article(row, query, now, known_hosts), query, http_status=200
        )
        articles = yield from strip_shared_tails(page.articles, known_hosts)
        return evolve(page, articles=articles)
    return _read_refusal(response, body, now)


def list_ignored_parameters(query: Query) -> tuple[str, ...]:
    """A language that NewsAPI cannot filter by: its rows do not name their language."""
    return () if query.language is None or query.language in _LANGUAGES else ("language",)


def _read_refusal(response: Response, body: SourceRow, now: datetime) -> Refusal:
    code = body.get("code")
    code = code if isinstance(code, str) and re.fullmatch(r"[A-Za-z]{1,40}", code) else "no code"
    said = f"{code}: {clean_message(body.get('message'))}"
    beyond_plan = code == "maximumResultsReached" or (
        code == "parameterInvalid" and "too far in the past" in said
    )
    if beyond_plan or (response.status == 426 and code not in _CODES):
        detail = f"the plan does not cover this query (HTTP {response.status}): {said}"
        return Refusal(Status.UNSUPPORTED, detail, response.status, query_fault=True)
    refusal = make_status_refusal(response, now, said)
    if code not in _CODES:
        return evolve(refusal, query_fault=refusal.query_fault or code in _QUERY_CODES)
    status, pause_s = _CODES[code]
    # We never recorded a Retry-After here; if there is one, it has priority.
    return evolve(
        refusal,
        status=status,
        pause_s=refusal.pause_s if "retry-after" in response.headers else pause_s,
        query_fault=False,
    )


def _read_article(
    row: SourceRow, query: Query, now: datetime, known_hosts: set[str]
) -> Sliced[Article | str]:
    """Read a row; add its host to `known_hosts` if its title names the outlet."""
    title = read_text(row, "title", MAX_TITLE, read_escaped)
    url = read_url(row, "url")
    host = get_host(url) if url else ""
    if title == "[Removed]" or host == "removed.com":
        return "removed"
    if url is None:
        return "bad_url"
    if title is None:
        return "no_title"
    named = read_text(read_members(row, "source"), "name", MAX_NAME, read_escaped)
    publisher = named or name_outlet(url)
    author = read_text(row, "author", MAX_NAME, read_escaped)
    yield
    stripped = strip_outlet(title, publisher=publisher, host=host, author=author)
    if stripped != title or "youtube" in host:  # a song's tail is its singer
        known_hosts.add(host)
    title = stripped
    published_at, estimated = read_date(row.get("publishedAt"), now)
    day = "" if estimated else published_at.date().isoformat()
    identity = make_stand_in(url, title, day) or canonicalize_url(url)
    yield
    content = read_text(row, "content", _MAX_CONTENT, read_snippet)
    yield
    return Article(
        id=make_article_id(identity),
        source="newsapi",
        external_id=url,
        url=url,
        canonical_url=identity,
        title=title,
        publisher=publisher,
        published_at=published_at,
        published_at_estimated=estimated,
        description=read_text(row, "description", MAX_DESCRIPTION, read_snippet),
        content=_CUT.sub("", content) or None if content else None,
        author=read_byline(author, publisher),
        image_url=read_url(row, "urlToImage"),
        # The language is known only if the query filters by it and NewsAPI supports that.
        language=query.language if query.language in _LANGUAGES else None,
    )


SOURCE = Source(
    options=SourceOptions(
        name="newsapi",
        url="https://newsapi.org",
        pace_s=0.0,
        quota=Quota(100, 86400),  # of the developer plan
        required={"KEY": parse_secret},
    ),
    build_request=build_request,
    read_slices=read_slices,
    list_ignored_parameters=list_ignored_parameters,
)
