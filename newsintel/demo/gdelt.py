"""GDELT's DOC API: `/api/v2/doc/doc` in the mode `artlist`, without a key.

Its errors are plain text with HTTP 200, sent as JSON, as the real API does.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from attrs import define, field

from newsintel.demo.arrivals import Arrivals
from newsintel.demo.documents import Document, by_date, by_relevance
from newsintel.demo.limits import CallWindow
from newsintel.demo.matching import GDELT, parse_query
from newsintel.demo.wire import JSON, Reply, Request

RECORDS = 75
MAX_RECORDS = 250
PACE_S = 5.0
TOO_FAST = "Please limit requests to one every 5 seconds or contact the project for larger queries."
TOO_SHORT = "One or more of your keywords were too short, too long or too common"
PARENTHESES = "Parentheses may only be used around OR'd statements."
BAD_DATE = "Invalid query start date."
_LANGUAGE = re.compile(r"sourcelang:(\w+)", re.IGNORECASE)
_GROUP = re.compile(r"\(([^()]*)\)")
_WORD = re.compile(r'"[^"]*"|[^\s()"]+')


@define
class GdeltApi:
    """The API for a set of pages, and for those that arrive."""

    documents: Sequence[Document]
    arrivals: Arrivals
    pace: CallWindow = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Start with no call made."""
        self.pace = CallWindow(1, PACE_S)

    def build_refusal(self, status: int) -> Reply:
        """Return the message about the pace, or a bare error."""
        return _say(TOO_FAST if status == 429 else "Internal error.", status)

    def answer_request(self, request: Request, *, limited: bool) -> Reply:
        """Answer, or refuse in plain text."""
        at = self.arrivals.clocks.monotonic()
        if limited and self.pace.is_full(at):
            return self.build_refusal(429)
        self.pace.take(at)
        if request.method != "GET" or request.path != "/api/v2/doc/doc":
            return Reply.html(404, "<html><body>Not found</body></html>")
        query = request.query
        text = query.get("query", "")
        bounds = [_parse_bound(query, name) for name in ("startdatetime", "enddatetime")]
        if fault := _find_fault(text) or (BAD_DATE if "" in bounds else ""):
            return _say(fault)
        found = self._find_pages(text, *bounds)
        found.sort(key=_choose_order(query, text))
        size = min(int(query.get("maxrecords", RECORDS)), MAX_RECORDS)
        rows = [document.row for document in found[:size]]
        return Reply.json(200, {"articles": rows} if rows else {})

    def _find_pages(self, text: str, start: Any, end: Any) -> list[Document]:
        language = _LANGUAGE.search(text)
        expression = parse_query(_LANGUAGE.sub("", text), GDELT)
        return [
            document
            for document in (*self.documents, *self.arrivals.list_documents())
            if (start is None or document.at >= start)
            and (end is None or document.at <= end)
            and (language is None or language[1].lower() == document.row["language"].lower())
            and expression.matches(document.join_text())
        ]


def _find_fault(text: str) -> str:
    """Return what the real API says about a query that it does not take."""
    if any(" OR " not in group for group in _GROUP.findall(text)):
        return PARENTHESES
    words = [word.lstrip("-") for word in _WORD.findall(text) if word != "OR"]
    short = [word for word in words if len(word.strip('"')) < (5 if word[0] == '"' else 3)]
    if short or not words:
        return f"{TOO_SHORT}: ({', '.join(short)})"
    return ""


def _parse_bound(query: Mapping[str, str], name: str) -> datetime | str | None:
    """Return a bound; None if there is none, "" if it cannot be read."""
    if name not in query:
        return None
    try:
        return datetime.strptime(query[name], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return ""


def _choose_order(query: Mapping[str, str], text: str) -> Callable[[Document], Any]:
    if query.get("sort", "").lower() == "datedesc":
        return by_date
    return by_relevance(parse_query(text, GDELT))


def _say(message: str, status: int = 200) -> Reply:
    return Reply(status, message.encode(), {"Content-Type": JSON})
