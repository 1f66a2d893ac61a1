"""The search of Hacker News at Algolia: `/api/v1/search` and `/api/v1/search_by_date`, no key."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from attrs import define, field

from newsintel.demo.arrivals import Arrivals
from newsintel.demo.documents import Document, by_date, by_relevance
from newsintel.demo.limits import CallWindow
from newsintel.demo.matching import HACKER_NEWS, Expression, parse_query
from newsintel.demo.wire import Reply, Request

HITS = 20
MAX_HITS = 1_000
CALLS_PER_HOUR = 10_000
ORDERS: Mapping[str, Callable[[Expression], Callable[[Document], Any]]] = {
    "/api/v1/search": by_relevance,
    "/api/v1/search_by_date": lambda _: by_date,
}
_CONDITION = re.compile(r"created_at_i(?P<sign>[<>]=?|=)(?P<at>[0-9]{1,12})")
_HOLDS: Mapping[str, Callable[[int, int], bool]] = {
    "<": int.__lt__,
    "<=": int.__le__,
    "=": int.__eq__,
    ">=": int.__ge__,
    ">": int.__gt__,
}


@define
class HackerNewsApi:
    """The API for a set of posts, and for those that arrive."""

    documents: Sequence[Document]
    arrivals: Arrivals
    window: CallWindow = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Start with the quota unused."""
        self.window = CallWindow(CALLS_PER_HOUR, 3600)

    def build_refusal(self, status: int) -> Reply:
        """Return an error as Algolia writes it."""
        return Reply.json(status, {"message": f"Refused ({status})", "status": status})

    def answer_request(self, request: Request, *, limited: bool) -> Reply:
        """Answer, or refuse with a message."""
        at = self.arrivals.clocks.monotonic()
        if limited and self.window.is_full(at):
            return self.build_refusal(429)
        self.window.take(at)
        order = ORDERS.get(request.path)
        if request.method != "GET" or order is None:
            return self.build_refusal(404)
        query = request.query
        size, page = (_parse_number(query, "hitsPerPage", HITS), _parse_number(query, "page", 0))
        filters = [part for part in query.get("numericFilters", "").split(",") if part]
        conditions = [match for part in filters if (match := _CONDITION.fullmatch(part))]
        if size is None or page is None or size > MAX_HITS or len(conditions) < len(filters):
            return Reply.json(400, {"message": "invalid parameter", "status": 400})
        expression = parse_query(query.get("query", ""), HACKER_NEWS)
        found = [
            document
            for document in (*self.documents, *self.arrivals.list_documents())
            if all(
                _HOLDS[match["sign"]](document.row["created_at_i"], int(match["at"]))
                for match in conditions
            )
            and (not query.get("query") or expression.matches(document.join_text()))
        ]
        found.sort(key=order(expression))
        return Reply.json(200, _build_page(found, size, page, query.get("query", "")))


def _parse_number(query: Mapping[str, str], name: str, default: int) -> int | None:
    text = query.get(name, str(default))
    return int(text) if re.fullmatch("[0-9]{1,6}", text) else None


def _build_page(found: Sequence[Document], size: int, page: int, query: str) -> dict[str, Any]:
    shown = found[page * size : (page + 1) * size]
    return {
        "hits": [document.row for document in shown],
        "nbHits": len(found),
        "page": page,
        "nbPages": -(-len(found) // size) if size else 0,
        "hitsPerPage": size,
        "query": query,
    }
