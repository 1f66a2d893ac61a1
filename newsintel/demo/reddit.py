"""Reddit's API on oauth.reddit.com: `/search`, `/r/{subs}/search` and `/api/v1/me`.

Every request needs a token from `RedditTokens`.
"""

import html
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from attrs import define, field

from newsintel.demo.api import Clocks
from newsintel.demo.documents import Document, Row, heaviest, most_relevant, newest
from newsintel.demo.limits import Window
from newsintel.demo.matching import REDDIT, parse
from newsintel.demo.reddit_auth import RedditTokens, library_agent, too_many
from newsintel.demo.reddit_people import me
from newsintel.demo.wire import Reply, Request

LIMIT = 25
MAX_LIMIT = 100
MAX_QUERY = 512
WINDOW_S = 600
CALLS_PER_WINDOW = 600
"""used + remaining in the headers of most recorded answers."""
PRIVATE = frozenset({"staffroom"})
"""Invented subreddits that refuse searches."""
SPANS = {"hour": 1 / 24, "day": 1, "week": 7, "month": 31, "year": 366, "all": None}
"""The spans of `t`, in days; None: no limit."""
_PATH = re.compile(r"/r/(?P<subs>[\w+]+)/search/?")
_LIKE_URL = re.compile(r"(https?://\S+|[\w-]+(\.[\w-]+)+(/\S*)?)")


@define
class RedditApi:
    """The API for a set of posts."""

    documents: Sequence[Document]
    clocks: Clocks
    tokens: RedditTokens
    window: Window = field(init=False)
    subreddits: frozenset[str] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.subreddits = frozenset(_subreddit(document) for document in self.documents)
        self.forget()

    def forget(self) -> None:
        """Start with the quota unused."""
        self.window = Window(CALLS_PER_WINDOW, WINDOW_S)

    def refusal(self, status: int) -> Reply:
        """Return 401 and 429 with Reddit's small JSON body, and 500 without a body."""
        if status == 401:
            invalid = 'Bearer realm="reddit", error="invalid_token"'
            return Reply.json(401, {"message": "Unauthorized", "error": 401}, WWW_Authenticate=invalid)
        return too_many() if status == 429 else Reply(status, b"", {"Content-Type": "application/json; charset=UTF-8"})

    def answer(self, request: Request, *, limited: bool) -> Reply:
        """Answer or refuse as Reddit would."""
        at = self.clocks.monotonic()
        if library_agent(request):
            return too_many(page=True)
        if not self.tokens.holds(request.headers.get("authorization", "")):
            return self.refusal(401)
        if limited and self.window.full(at):
            return too_many(page=True)
        self.window.take(at)
        used = self.window.used(at)
        reply = self._me(request) if request.path == "/api/v1/me" else self._search(request)
        return reply.with_headers(
            {
                "x-ratelimit-used": str(used),
                "x-ratelimit-remaining": f"{max(0, CALLS_PER_WINDOW - used)}.0",
                "x-ratelimit-reset": str(self.window.resets_in(at)),
            }
        )

    def _me(self, request: Request) -> Reply:
        """Return the person of a token. An application's own token has none and gets a 403."""
        username = self.tokens.whose(request.headers["authorization"])
        if username is None:
            lacking = 'Bearer realm="reddit", error="insufficient_scope"'
            return Reply.json(403, {"message": "Forbidden", "error": 403}, WWW_Authenticate=lacking)
        return Reply.json(200, me(username))

    def _search(self, request: Request) -> Reply:
        match = _PATH.fullmatch(request.path)
        if request.method != "GET" or not (match or request.path.rstrip("/") == "/search"):
            return Reply.json(404, {"message": "Not Found", "error": 404})
        query = request.query
        text = query.get("q", "")
        if len(text) > MAX_QUERY:
            return Reply.json(400, {"message": "Bad Request", "error": 400})
        if _LIKE_URL.fullmatch(text):
            return _redirect("/submit?url=", text)
        subs = frozenset(match["subs"].lower().split("+")) if match and _on(query, "restrict_sr", default=False) else frozenset({"all"})
        if "all" not in subs:
            if subs & PRIVATE:
                return Reply.json(403, {"reason": "private", "message": "Forbidden", "error": 403})
            if not subs & self.subreddits:
                return _redirect("/subreddits/search?q=", "+".join(sorted(subs)))
        listing = _listing(self._found(query, subs), query)
        return Reply.json(200, listing if query.get("raw_json") == "1" else _escaped(listing))

    def _found(self, query: Mapping[str, str], subs: frozenset[str]) -> list[Document]:
        """Return every matching post in the requested order. Unknown sorts, spans: the default."""
        expression = parse(query.get("q", ""), REDDIT)
        days = SPANS.get(query.get("t", "all"))
        since = self.clocks.now - timedelta(days=days) if days else None
        kinds = {"link": "t3", "sr": "t5"}
        wanted = {kinds[name] for name in query.get("type", "link").split(",") if name in kinds}
        adult = _on(query, "include_over_18", default=True)
        orders: dict[str, Callable[[Document], Any]] = {
            "new": newest,
            "top": heaviest,
            "hot": lambda document: -document.weight / (1 + (self.clocks.now - document.at).total_seconds() / 3600),
            "comments": lambda document: -document.row["data"].get("num_comments", 0),
        }
        found = [
            document
            for document in self.documents
            if document.row["kind"] in wanted
            and ("all" in subs or _subreddit(document) in subs)
            and (not since or document.at >= since)
            and (adult or not document.row["data"].get("over_18"))
            and expression.holds(document.text())
        ]
        return sorted(found, key=orders.get(query.get("sort", ""), most_relevant(expression)))


def _on(query: Mapping[str, str], name: str, *, default: bool) -> bool:
    return query[name].lower() not in ("", "0", "off", "no", "false") if name in query else default


def _subreddit(document: Document) -> str:
    return str(document.row["data"].get("subreddit") or document.row["data"].get("display_name") or "").lower()


def _listing(found: Sequence[Document], query: Mapping[str, str]) -> dict[str, Any]:
    """Return a page of results. A `limit` out of bounds is clamped."""
    asked = query.get("limit", "")
    limit = min(max(int(asked[:9]), 1), MAX_LIMIT) if asked.isascii() and asked.isdigit() else LIMIT
    names = [_fullname(document) for document in found]
    start = names.index(query["after"]) + 1 if query.get("after") in names else 0
    children = [document.row for document in found[start : start + limit]]
    after = names[start + limit - 1] if start + limit < len(found) else None
    data: Row = {"after": after, "before": None, "dist": len(children), "modhash": "", "geo_filter": "", "facets": {}, "children": children}
    return {"kind": "Listing", "data": data}


def _fullname(document: Document) -> str:
    return str(document.row["data"].get("name", ""))


def _escaped(value: Any) -> Any:
    """Escape & < > in every text, as Reddit does without raw_json=1."""
    if isinstance(value, str):
        return html.escape(value, quote=False)
    if isinstance(value, dict):
        return {key: _escaped(each) for key, each in value.items()}
    return [_escaped(each) for each in value] if isinstance(value, list) else value


def _redirect(page_of: str, value: str) -> Reply:
    location = page_of + quote(value, safe="")
    page = f"<html><head><title>302 Found</title></head><body>The resource was found at {html.escape(location)}</body></html>"
    return Reply.html(302, page).with_headers({"Location": f"https://www.reddit.com{location}"})
