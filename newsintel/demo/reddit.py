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
from newsintel.demo.documents import Document, Row, by_date, by_popularity, by_relevance
from newsintel.demo.limits import CallWindow
from newsintel.demo.matching import REDDIT, parse_query
from newsintel.demo.reddit_auth import RedditTokens, build_too_many, is_library_agent
from newsintel.demo.reddit_people import describe_person
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
    window: CallWindow = field(init=False)
    subreddits: frozenset[str] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.subreddits = frozenset(_get_subreddit(document) for document in self.documents)
        self.reset()

    def reset(self) -> None:
        """Start with the quota unused."""
        self.window = CallWindow(CALLS_PER_WINDOW, WINDOW_S)

    def build_refusal(self, status: int) -> Reply:
        """Return 401 and 429 with Reddit's small JSON body, and 500 without a body."""
        if status == 401:
            invalid = 'Bearer realm="reddit", error="invalid_token"'
            return Reply.json(
                401, {"message": "Unauthorized", "error": 401}, WWW_Authenticate=invalid
            )
        return (
            build_too_many()
            if status == 429
            else Reply(status, b"", {"Content-Type": "application/json; charset=UTF-8"})
        )

    def answer_request(self, request: Request, *, limited: bool) -> Reply:
        """Answer or refuse as Reddit would."""
        at = self.clocks.monotonic()
        if is_library_agent(request):
            return build_too_many(page=True)
        if not self.tokens.is_valid(request.headers.get("authorization", "")):
            return self.build_refusal(401)
        if limited and self.window.is_full(at):
            return build_too_many(page=True)
        self.window.take(at)
        used = self.window.count_used(at)
        views = {"/api/v1/me": self._answer_me, "/api/info": self._find_by_name}
        reply = views.get(request.path, self._search_posts)(request)
        return reply.with_headers(
            {
                "x-ratelimit-used": str(used),
                "x-ratelimit-remaining": f"{max(0, CALLS_PER_WINDOW - used)}.0",
                "x-ratelimit-reset": str(self.window.compute_reset_s(at)),
            }
        )

    def _answer_me(self, request: Request) -> Reply:
        """Return the person of a token. An application's own token has none and gets a 403."""
        username = self.tokens.find_username(request.headers["authorization"])
        if username is None:
            lacking = 'Bearer realm="reddit", error="insufficient_scope"'
            return Reply.json(403, {"message": "Forbidden", "error": 403}, WWW_Authenticate=lacking)
        return Reply.json(200, describe_person(username))

    def _find_by_name(self, request: Request) -> Reply:
        """Return posts by their names; removed ones say so, unknown ones are missing."""
        names = request.query.get("id", "").split(",")[:MAX_LIMIT]
        found = [one for one in self.documents if one.row["data"]["name"] in names]
        listing = _build_listing(found, {"limit": str(MAX_LIMIT)})
        raw = request.query.get("raw_json") == "1"
        return Reply.json(200, listing if raw else _escape_texts(listing))

    def _search_posts(self, request: Request) -> Reply:
        match = _PATH.fullmatch(request.path)
        if request.method != "GET" or not (match or request.path.rstrip("/") == "/search"):
            return Reply.json(404, {"message": "Not Found", "error": 404})
        query = request.query
        text = query.get("q", "")
        if len(text) > MAX_QUERY:
            return Reply.json(400, {"message": "Bad Request", "error": 400})
        if _LIKE_URL.fullmatch(text):
            return _build_redirect("/submit?url=", text)
        subs = (
            frozenset(match["subs"].lower().split("+"))
            if match and _is_on(query, "restrict_sr", default=False)
            else frozenset({"all"})
        )
        if "all" not in subs:
            if subs & PRIVATE:
                return Reply.json(403, {"reason": "private", "message": "Forbidden", "error": 403})
            if not subs & self.subreddits:
                return _build_redirect("/subreddits/search?q=", "+".join(sorted(subs)))
        listing = _build_listing(self._find_posts(query, subs), query)
        return Reply.json(200, listing if query.get("raw_json") == "1" else _escape_texts(listing))

    def _find_posts(self, query: Mapping[str, str], subs: frozenset[str]) -> list[Document]:
        """Return every matching post in the requested order. Unknown sorts, spans: the default."""
        expression = parse_query(query.get("q", ""), REDDIT)
        days = SPANS.get(query.get("t", "all"))
        since = self.clocks.now - timedelta(days=days) if days else None
        kinds = {"link": "t3", "sr": "t5"}
        wanted = {kinds[name] for name in query.get("type", "link").split(",") if name in kinds}
        adult = _is_on(query, "include_over_18", default=True)
        orders: dict[str, Callable[[Document], Any]] = {
            "new": by_date,
            "top": by_popularity,
            "hot": lambda document: (
                -document.weight / (1 + (self.clocks.now - document.at).total_seconds() / 3600)
            ),
            "comments": lambda document: -document.row["data"].get("num_comments", 0),
        }
        found = [
            document
            for document in self.documents
            if document.row["kind"] in wanted
            and ("all" in subs or _get_subreddit(document) in subs)
            and (not since or document.at >= since)
            and (adult or not document.row["data"].get("over_18"))
            and expression.matches(document.join_text())
        ]
        return sorted(found, key=orders.get(query.get("sort", ""), by_relevance(expression)))


def _is_on(query: Mapping[str, str], name: str, *, default: bool) -> bool:
    return query[name].lower() not in ("", "0", "off", "no", "false") if name in query else default


def _get_subreddit(document: Document) -> str:
    return str(
        document.row["data"].get("subreddit") or document.row["data"].get("display_name") or ""
    ).lower()


def _build_listing(found: Sequence[Document], query: Mapping[str, str]) -> dict[str, Any]:
    """Return a page of results. A `limit` out of bounds is clamped."""
    asked = query.get("limit", "")
    limit = min(max(int(asked[:9]), 1), MAX_LIMIT) if asked.isascii() and asked.isdigit() else LIMIT
    names = [_get_fullname(document) for document in found]
    start = names.index(query["after"]) + 1 if query.get("after") in names else 0
    children = [document.row for document in found[start : start + limit]]
    after = names[start + limit - 1] if start + limit < len(found) else None
    data: Row = {
        "after": after,
        "before": None,
        "dist": len(children),
        "modhash": "",
        "geo_filter": "",
        "facets": {},
        "children": children,
    }
    return {"kind": "Listing", "data": data}


def _get_fullname(document: Document) -> str:
    return str(document.row["data"].get("name", ""))


def _escape_texts(value: Any) -> Any:
    """Escape & < > in every text, as Reddit does without raw_json=1."""
    if isinstance(value, str):
        return html.escape(value, quote=False)
    if isinstance(value, dict):
        return {key: _escape_texts(each) for key, each in value.items()}
    return [_escape_texts(each) for each in value] if isinstance(value, list) else value


def _build_redirect(page_of: str, value: str) -> Reply:
    location = page_of + quote(value, safe="")
    page = (
        "<html><head><title>302 Found</title></head>"
        f"<body>The resource was found at {html.escape(location)}</body></html>"
    )
    return Reply.html(302, page).with_headers({"Location": f"https://www.reddit.com{location}"})
