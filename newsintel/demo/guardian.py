"""The Guardian's Content API: `/search`, with a developer key.

Errors of the API have its envelope; errors of the gateway before it (key, rate) have none. Where no
real message is known, the message is ours.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from attrs import define, field

from newsintel.demo.api import Clocks
from newsintel.demo.documents import Document, Row, by_date, by_relevance, parse_time
from newsintel.demo.limits import CallWindow
from newsintel.demo.matching import GUARDIAN, parse_query
from newsintel.demo.wire import Reply, Request

KEY = "demo-guardian-key"
TIERS = {KEY: "developer", "test": "test"}
"""The known keys. The real API also accepts `test` as a trial key."""
PAGE_SIZE = 10
MAX_PAGE_SIZE = 200
"""What the real server accepts; its documentation says 50."""
BAD_DATE = (
    "Dates must be an ISO8601 date or datetime (e.g. 2010-07-20 or 2010-07-20T10:00:00+05:00). "
    "Remember to URL-encode the '+' if you provide a timezone offset."
)
BAD_PAGE_SIZE = "page-size must be an integer between 0 and 200"
PAGE_BEYOND = "requested page is beyond the number of available pages"
NOT_FOUND = "The requested resource could not be found."
QUERY_FIELDS = {
    "headline": "webTitle",
    "trailText": "trailText",
    "body": "body",
    "byline": "byline",
}


class RefusedError(Exception):
    """The API itself answers the request with an error. `reply` is that answer."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.reply = Reply.json(status, {"response": {"status": "error", "message": message}})


@define
class GuardianApi:
    """The API for a set of articles."""

    documents: Sequence[Document]
    clocks: Clocks
    pace: CallWindow = field(init=False)
    quota: CallWindow = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Start with the quota unused."""
        self.pace, self.quota = CallWindow(1, 1.0), CallWindow(500, 24 * 3600)

    def build_refusal(self, status: int) -> Reply:
        """Return the gateway's refusal (401, 429), or the API's own failure (500)."""
        if status == 500:
            return RefusedError("Internal Server Error", 500).reply
        return Reply.json(
            status, {"message": "Unauthorized" if status == 401 else "API rate limit exceeded"}
        )

    def answer_request(self, request: Request, *, limited: bool) -> Reply:
        """Answer, or refuse with the message of the API or of its gateway."""
        tier = TIERS.get(request.query.get("api-key", ""))
        if tier is None:
            return self.build_refusal(401)
        at = self.clocks.monotonic()
        if limited and (self.pace.is_full(at) or self.quota.is_full(at)):
            return self.build_refusal(429).with_headers(self._build_headers(at))
        self.pace.take(at)
        self.quota.take(at)
        try:
            reply = Reply.json(
                200,
                {"response": {"status": "ok", "userTier": tier, **self._search_articles(request)}},
            )
        except RefusedError as refused:
            reply = refused.reply
        return reply.with_headers(self._build_headers(at)) if limited else reply

    def _build_headers(self, at: float) -> dict[str, str]:
        """Return the headers that this gateway is reported to send; no recording confirms them."""
        left = max(0, self.quota.calls - self.quota.count_used(at))
        return {
            "X-RateLimit-Limit-day": str(self.quota.calls),
            "X-RateLimit-Remaining-day": str(left),
        }

    def _search_articles(self, request: Request) -> dict[str, Any]:
        if request.path != "/search" or request.method != "GET":
            raise RefusedError(NOT_FOUND, 404)
        query = request.query
        found, order = self._find_articles(query)
        size, page = (
            _parse_number(query, "page-size", PAGE_SIZE, 0, BAD_PAGE_SIZE),
            _parse_number(query, "page", 1, 1, "page must be an integer above 0"),
        )
        if size > MAX_PAGE_SIZE:
            raise RefusedError(BAD_PAGE_SIZE)
        pages = -(-len(found) // size) if size else 0
        if page > max(pages, 1):
            raise RefusedError(PAGE_BEYOND)
        start = (page - 1) * size
        shown = _split_names(query, "show-fields")
        return {
            "total": len(found),
            "startIndex": start + 1 if found else 0,
            "pageSize": size,
            "currentPage": page,
            "pages": pages,
            "orderBy": order,
            "results": [
                _select_fields(document.row, shown) for document in found[start : start + size]
            ],
        }

    def _find_articles(self, query: Mapping[str, str]) -> tuple[list[Document], str]:
        """Return every matching article in the requested order, and the order's name."""
        text = query.get("q", "")
        expression = parse_query(text, GUARDIAN)
        order = query.get("order-by") or ("relevance" if text else "newest")
        orders: dict[str, Callable[[Document], Any]] = {
            "relevance": by_relevance(expression) if text else by_date,
            "newest": by_date,
            "oldest": lambda document: document.at,
        }
        if order not in orders:
            raise RefusedError("order-by must be one of newest, oldest or relevance")
        start, end = _parse_date(query, "from-date"), _parse_date(query, "to-date")
        ids = _split_names(query, "ids")
        sections = [part for part in query.get("section", "").split("|") if part]
        fields = [
            QUERY_FIELDS[name]
            for name in _split_names(query, "query-fields")
            if name in QUERY_FIELDS
        ] or None
        found = [
            document
            for document in self.documents
            if (not start or start <= document.at)
            and (not end or document.at <= end)
            and (not sections or document.row.get("sectionId") in sections)
            and (not ids or document.row["id"] in ids)
            and query.get("lang", "en") == "en"
            and (not text or expression.matches(document.join_text(fields)))
        ]
        return sorted(found, key=orders[order]), order


def _split_names(query: Mapping[str, str], name: str) -> list[str]:
    return [part.strip() for part in query.get(name, "").split(",") if part.strip()]


def _parse_date(query: Mapping[str, str], name: str) -> Any:
    if not query.get(name):
        return None
    when = parse_time(query[name], end=name == "to-date")
    if when is None:
        raise RefusedError(BAD_DATE)
    return when


def _parse_number(query: Mapping[str, str], name: str, default: int, low: int, message: str) -> int:
    text = query.get(name, str(default))
    if not (text.isascii() and text.isdigit() and int(text[:9]) >= low):
        raise RefusedError(message)
    return int(text[:9])


def _select_fields(row: Row, names: Sequence[str]) -> Row:
    """Return the row with the requested fields that have a value; without `fields` if none is."""
    fields = row.get("fields", {})
    kept = {name: value for name, value in fields.items() if "all" in names or name in names}
    rest = {name: value for name, value in row.items() if name != "fields"}
    return {**rest, "fields": kept} if names and fields else rest
