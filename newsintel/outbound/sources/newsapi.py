"""NewsAPI, version 2: everything it indexed under a query, from some 150,000 outlets; on the free plan a day late.

Its plan limits are HTTP 426, and page 2 fails as a whole on the free plan, so only the first page of 100 is ever asked for.
"""

import re
from datetime import datetime
from urllib.parse import urlsplit

from attrs import evolve

from newsintel.config.settings import SourceSettings
from newsintel.config.values import Quota, SourceOptions, secret
from newsintel.domain.bounds.slices import Sliced
from newsintel.domain.limits.pauses import MAX_PAUSE_S
from newsintel.domain.search.article import MAX_DESCRIPTION, MAX_NAME, MAX_TITLE, Article
from newsintel.domain.search.outcome import Page, Refusal, Status
from newsintel.domain.search.query import translate
from newsintel.domain.search.query_model import Query, Sort
from newsintel.domain.text.markup import read_escaped, read_snippet
from newsintel.domain.text.urls import article_id, canonical, stand_in
from newsintel.outbound.sources.payload import read_object
from newsintel.outbound.sources.refusals import by_status, message
from newsintel.outbound.sources.rows import Row, address, members, moment, page, text
from newsintel.outbound.sources.source import Request, Response, Source
from newsintel.outbound.sources.tails import without_outlet

_MAX_Q = 500  # characters (docs/endpoints/everything)
_MAX_CONTENT = 2_000  # ten times what it sends: "truncated to 200 chars" (docs/endpoints/everything), recorded 260 with its mark
_SORT = {Sort.RELEVANCE: "relevancy", Sort.NEWEST: "publishedAt", Sort.POPULAR: "popularity"}
_LANGUAGES = frozenset({"ar", "de", "en", "es", "fr", "he", "it", "nl", "no", "pt", "ru", "sv", "ud", "zh"})  # newsapi-python, const.py

# What the codes ask of an operator (docs/errors, and bodies recorded in the wild). Any other code counts by its HTTP status.
_CODES: dict[str, tuple[Status, float | None]] = {
    "apiKeyMissing": (Status.UNAUTHORIZED, None),
    "apiKeyInvalid": (Status.UNAUTHORIZED, None),
    "apiKeyDisabled": (Status.UNAUTHORIZED, None),
    "apiKeyExhausted": (Status.QUOTA_EXHAUSTED, MAX_PAUSE_S),
    # 50 calls per 12 hours, and no word on when they come back: asking once an hour costs at most 12 of them.
    "rateLimited": (Status.RATE_LIMITED, MAX_PAUSE_S),
    "unexpectedError": (Status.UNREACHABLE, None),
    # Sent to pages of other sites, which we are not: something on the way must add an Origin header.
    "corsNotAllowed": (Status.UNAUTHORIZED, None),
}
_QUERY_CODES = frozenset({"parameterInvalid", "parametersMissing", "sourcesTooMany", "sourceDoesNotExist", "sourceDoesntExist"})
_CUT = re.compile(r"\s*\[\+\d+ chars\]\Z")


def request(query: Query, _settings: SourceSettings, key: str, _now: datetime) -> Request:
    """GET /v2/everything. The key goes into a header, which no log of URLs can leak."""
    params = [
        ("q", translate(query.clauses, max_chars=_MAX_Q)),
        ("sortBy", _SORT[query.sort]),
        ("pageSize", "100"),  # always sent: its default differs between plans
        ("page", "1"),
    ]
    for name, bound in (("from", query.start), ("to", query.end)):
        if bound is not None:
            params.append((name, bound.replace(tzinfo=None).isoformat(timespec="seconds")))  # %Y pads no year on Linux
    if query.language in _LANGUAGES:
        params.append(("language", str(query.language)))
    return Request("/v2/everything", tuple(params), (("X-Api-Key", key),))


def reading(response: Response, query: Query, now: datetime) -> Sliced[Page | Refusal]:
    """A page, or what went wrong."""
    body = yield from read_object(response)
    if isinstance(body, Refusal):
        return body if response.status == 200 else by_status(response, now)
    rows = body.get("articles")
    if response.status == 200 and body.get("status") == "ok" and isinstance(rows, list):
        return (yield from page(rows, lambda row: _article(row, query, now), query, http_status=200))
    return _refusal(response, body, now)


def ignored(query: Query) -> tuple[str, ...]:
    """A language that NewsAPI does not offer: its rows do not say theirs."""
    return () if query.language is None or query.language in _LANGUAGES else ("language",)


def _refusal(response: Response, body: Row, now: datetime) -> Refusal:
    code = body.get("code")
    code = code if isinstance(code, str) and re.fullmatch(r"[A-Za-z]{1,40}", code) else "no code"
    said = f"{code}: {message(body.get('message'))}"
    beyond_plan = code == "maximumResultsReached" or (code == "parameterInvalid" and "too far in the past" in said)
    if beyond_plan or (response.status == 426 and code not in _CODES):
        detail = f"the plan does not cover this query (HTTP {response.status}): {said}"
        return Refusal(Status.UNSUPPORTED, detail, response.status, query_fault=True)
    refusal = by_status(response, now, said)
    if code not in _CODES:
        return evolve(refusal, query_fault=refusal.query_fault or code in _QUERY_CODES)
    status, pause_s = _CODES[code]
    # A Retry-After was never recorded; if one comes, it knows better.
    return evolve(refusal, status=status, pause_s=refusal.pause_s if "retry-after" in response.headers else pause_s, query_fault=False)


def _article(row: Row, query: Query, now: datetime) -> Sliced[Article | str]:
    title = text(row, "title", MAX_TITLE, read_escaped)
    url = address(row, "url")
    if title == "[Removed]" or (url and urlsplit(url).hostname == "removed.com"):
        return "removed"
    if url is None:
        return "bad_url"
    if title is None:
        return "no_title"
    publisher = text(members(row, "source"), "name", MAX_NAME, read_escaped) or str(urlsplit(url).hostname)
    author = text(row, "author", MAX_NAME, read_escaped)
    yield
    title = without_outlet(title, publisher=publisher, host=str(urlsplit(url).hostname), author=author)
    published_at, estimated = moment(row.get("publishedAt"), now)
    identity = stand_in(url, title, "" if estimated else f"{published_at:%Y-%m-%d}") or canonical(url)
    yield
    content = text(row, "content", _MAX_CONTENT, read_snippet)
    yield
    return Article(
        id=article_id(identity),
        source="newsapi",
        external_id=url,
        url=url,
        canonical_url=identity,
        title=title,
        publisher=publisher,
        published_at=published_at,
        published_at_estimated=estimated,
        description=text(row, "description", MAX_DESCRIPTION, read_snippet),
        content=_CUT.sub("", content) or None if content else None,
        author=_person(author),
        image_url=address(row, "urlToImage"),
        # Only a language that was asked for, and that NewsAPI filters by, is known.
        language=query.language if query.language in _LANGUAGES else None,
    )


def _person(author: str | None) -> str | None:
    """An author as people write one; addresses, handles and markup data (all recorded) are none."""
    return None if author is None or re.search(r"://|@|[{}\[\]]|\Awww\.", author) else author


SOURCE = Source(
    options=SourceOptions(
        name="newsapi",
        url="https://newsapi.org",
        pace_s=0.0,
        quota=Quota(100, 86400),  # the developer plan's
        required={"KEY": secret},
    ),
    request=request,
    reading=reading,
    ignored=ignored,
)
