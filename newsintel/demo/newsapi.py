"""NewsAPI's `/v2/everything`, with the limits of its developer plan.

Statuses, codes and messages are those that the real API sent. Where none was seen, the message is
ours.
"""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from attrs import define, field

from newsintel.demo.api import Clocks
from newsintel.demo.documents import Document, by_date, by_popularity, by_relevance, parse_time
from newsintel.demo.limits import CallWindow
from newsintel.demo.matching import NEWSAPI, parse_query
from newsintel.demo.wire import Reply, Request

KEY = "demo-newsapi-key"
LANGUAGES = frozenset(
    {"ar", "de", "en", "es", "fr", "he", "it", "nl", "no", "pt", "ru", "sv", "ud", "zh"}
)
MAX_RESULTS = 100
"""Last result that the developer plan can reach by paging, and the largest page."""
MAX_QUERY = 500
MAX_SOURCES = 20
HISTORY = timedelta(days=31)
"""How far back the developer plan may search: "about a month"."""
DELAY = timedelta(hours=24)
"""The delay of articles on the developer plan."""
HEADERS = {
    "Cache-Control": "no-cache",
    "Pragma": "no-cache",
    "Expires": "-1",
    "X-Cached-Result": "false",
}
MESSAGES = {
    "parametersMissing": "Required parameters are missing, the scope of your search is too broad. "
    "Please set any of the following required parameters and try again: q, qInTitle, sources, "
    "domains.",
    "apiKeyMissing": "Your API key is missing. "
    "Append this to the URL with the apiKey param, or use the x-api-key HTTP header.",
    "apiKeyInvalid": "Your API key is invalid or incorrect. "
    "Check your key, or go to https://newsapi.org to create a free API key.",
    "corsNotAllowed": "Requests from the browser are not allowed "
    "on the Developer plan, except from localhost.",
    "rateLimited": "You have made too many requests recently. Developer accounts are limited to "
    "100 requests over a 24 hour period (50 requests available every 12 hours). Please upgrade to "
    "a paid plan if you need more requests.",
    "maximumResultsReached": "You have requested too many results. Developer accounts are limited "
    "to a max of 100 results. You are trying to request results {start} to {end}. Please upgrade "
    "to a paid plan if you need more results.",
    "sourcesTooMany": "You have requested too many sources in a single request. The maximum is 20.",
    "unexpectedError": "An unexpected error occurred on our side. Please try again.",
}
TOO_FAR_BACK = (
    "You are trying to request results too far in the past. Your plan permits you to request "
    "articles as far back as {limit}, but you have requested {asked}. You may need to upgrade to a "
    "paid plan."
)


class RefusedError(Exception):
    """The API answers the request with an error. `reply` is that answer."""

    def __init__(self, status: int, code: str, message: str = "", **values: object) -> None:
        super().__init__(code)
        text = (message or MESSAGES[code]).format(**values)
        self.reply = Reply.json(
            status, {"status": "error", "code": code, "message": text}
        ).with_headers(HEADERS)


@define
class NewsApi:
    """The API for a set of articles."""

    documents: Sequence[Document]
    clocks: Clocks
    quotas: tuple[CallWindow, ...] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Start with the quota unused."""
        self.quotas = (CallWindow(50, 12 * 3600), CallWindow(100, 24 * 3600))

    def build_refusal(self, status: int) -> Reply:
        """Return the error envelope of a status."""
        return RefusedError(
            status, {401: "apiKeyInvalid", 429: "rateLimited"}.get(status, "unexpectedError")
        ).reply

    def answer_request(self, request: Request, *, limited: bool) -> Reply:
        """Answer, or refuse with NewsAPI's message."""
        if request.path != "/v2/everything" or request.method != "GET":
            return RefusedError(
                404, "endpointDoesNotExist", "This simulated API has GET /v2/everything only."
            ).reply
        try:
            self._check_request(request, limited=limited)
            found = self._find_articles(request.query, limited=limited)
            first, last = _parse_page(request.query)
        except RefusedError as refused:
            return refused.reply
        rows = [document.row for document in found[first:last]]
        return Reply.json(
            200, {"status": "ok", "totalResults": len(found), "articles": rows}
        ).with_headers(HEADERS)

    def _check_request(self, request: Request, *, limited: bool) -> None:
        headers = request.headers
        key = (
            headers.get("x-api-key")
            or headers.get("authorization", "").removeprefix("Bearer ")
            or request.query.get("apiKey")
        )
        if not key:
            raise RefusedError(401, "apiKeyMissing")
        if key != KEY:
            raise RefusedError(401, "apiKeyInvalid")
        if "origin" in headers and "//localhost" not in headers["origin"]:
            raise RefusedError(426, "corsNotAllowed")
        at = self.clocks.monotonic()
        if limited and any(quota.is_full(at) for quota in self.quotas):
            raise RefusedError(429, "rateLimited")
        for quota in self.quotas:
            quota.take(at)

    def _find_articles(self, query: Any, *, limited: bool) -> list[Document]:
        """Return every matching article in the requested order."""
        if not any(query.get(name) for name in ("q", "qInTitle", "sources", "domains")):
            raise RefusedError(400, "parametersMissing")
        if len(query.get("q", "")) > MAX_QUERY:
            raise RefusedError(
                400, "parameterInvalid", "The q parameter is longer than 500 characters."
            )
        text = query.get("q") or query.get("qInTitle", "")
        fields = ["title"] if not query.get("q") else _split_names(query, "searchIn") or None
        expression = parse_query(text, NEWSAPI)
        tests = [
            self._filter_dates(query, limited=limited),
            _filter_outlets(query),
            _filter_language(query),
        ]
        orders: dict[str, Callable[[Document], Any]] = {
            "relevancy": by_relevance(expression),
            "popularity": by_popularity,
            "publishedAt": by_date,
        }
        order = query.get("sortBy", "publishedAt")
        if order not in orders:
            raise RefusedError(
                400,
                "parameterInvalid",
                "The sortBy parameter must be relevancy, popularity or publishedAt.",
            )
        found = [
            document
            for document in self.documents
            if all(test(document) for test in tests)
            and (not text or expression.matches(document.join_text(fields)))
        ]
        return sorted(found, key=orders[order])

    def _filter_dates(self, query: Any, *, limited: bool) -> Callable[[Document], bool]:
        start, end = _parse_date(query, "from"), _parse_date(query, "to")
        horizon = self.clocks.now - HISTORY
        if start and start < horizon:
            raise RefusedError(
                426,
                "parameterInvalid",
                TOO_FAR_BACK,
                limit=f"{horizon:%Y-%m-%d}",
                asked=f"{start:%Y-%m-%d}",
            )
        latest = self.clocks.now - DELAY if limited else None
        return lambda document: (
            (not start or start <= document.at)
            and (not end or document.at <= end)
            and (not latest or document.at <= latest)
        )


def _split_names(query: Any, name: str) -> list[str]:
    return [part for part in query.get(name, "").split(",") if part]


def _parse_date(query: Any, name: str) -> Any:
    if not query.get(name):
        return None
    when = parse_time(query[name], end=name == "to")
    if when is None:
        raise RefusedError(
            400, "parameterInvalid", f"The {name} parameter must be an ISO 8601 date or time."
        )
    return when


def _filter_outlets(query: Any) -> Callable[[Document], bool]:
    sources, domains, excluded = (
        _split_names(query, "sources"),
        _split_names(query, "domains"),
        _split_names(query, "excludeDomains"),
    )
    if len(sources) > MAX_SOURCES:
        raise RefusedError(400, "sourcesTooMany")

    def wanted(document: Document) -> bool:
        url = document.row.get("url") or ""
        return (
            (not sources or (document.row.get("source") or {}).get("id") in sources)
            and (not domains or any(domain in url for domain in domains))
            and not any(domain in url for domain in excluded)
        )

    return wanted


def _filter_language(query: Any) -> Callable[[Document], bool]:
    """Return the language filter. Rows have no language; all invented ones are in English."""
    language = query.get("language")
    if language and language not in LANGUAGES:
        raise RefusedError(
            400, "parameterInvalid", "The language parameter is not one of the languages available."
        )
    return lambda _: language in (None, "", "en")


def _parse_page(query: Any) -> tuple[int, int]:
    """Return the requested slice of results, within the plan's limit."""
    size, page = query.get("pageSize", str(MAX_RESULTS)), query.get("page", "1")
    if not (size.isascii() and size.isdigit() and 1 <= int(size[:9]) <= MAX_RESULTS):
        raise RefusedError(
            400, "parameterInvalid", "The pageSize parameter must be a number from 1 to 100."
        )
    if not (page.isascii() and page.isdigit() and int(page[:9]) >= 1):
        raise RefusedError(
            400, "parameterInvalid", "The page parameter must be a number of at least 1."
        )
    end = int(size) * int(page[:9])
    if end > MAX_RESULTS:
        raise RefusedError(426, "maximumResultsReached", start=end - int(size), end=end)
    return end - int(size), end
