"""Reddit's post search, with an app-only token.

A link post represents the article that it links to, and the outlet published it; every other post
is an article of its own, and its subreddit published it. Reddit's terms require a link to the post:
it is the discussion's address. The terms exclude posts that are not safe for work
from free use, and removed posts must be forgotten.
"""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from attrs import evolve

from newsintel.config.settings import SourceSettings
from newsintel.config.values import SourceOptions, parse_secret
from newsintel.config.values import parse_text as any_text
from newsintel.config.values import url_parser as base_url
from newsintel.domain.bounds.slices import Sliced
from newsintel.domain.limits.pauses import MAX_PAUSE_S, clamp_pause
from newsintel.domain.search.article import (
    MAX_DESCRIPTION,
    MAX_NAME,
    MAX_TITLE,
    Article,
    Engagement,
)
from newsintel.domain.search.outcome import Refusal, SourcePage, Status
from newsintel.domain.search.query import translate_clauses
from newsintel.domain.search.query_model import Query, Sort
from newsintel.domain.text.markup import read_escaped, read_html
from newsintel.domain.text.safe_urls import get_host, sanitize_url
from newsintel.domain.text.urls import canonicalize_url, make_article_id
from newsintel.outbound.sources.outlet_names import name_outlet
from newsintel.outbound.sources.payload import media_type, read_json_object
from newsintel.outbound.sources.refusals import DEFAULT_PAUSE_S, make_status_refusal
from newsintel.outbound.sources.rows import (
    SourceRow,
    read_count,
    read_date,
    read_members,
    read_page,
    read_text,
    read_url,
)
from newsintel.outbound.sources.source import Recheck, Request, Response, Source

_MAX_Q = 512  # characters; the server's limit
_SORT = {Sort.RELEVANCE: "relevance", Sort.NEWEST: "new", Sort.POPULAR: "top"}
# Month and year are the shortest ones of the calendar: if Reddit's span were shorter than assumed,
# articles that the query asks for would be missing.
_SPANS = (
    ("hour", timedelta(hours=1)),
    ("day", timedelta(days=1)),
    ("week", timedelta(weeks=1)),
    ("month", timedelta(days=28)),
    ("year", timedelta(days=365)),
)
_POST_ID = r"t3_[a-z0-9]{1,13}"
_SITE = "https://www.reddit.com"
_REMOVED_TEXTS = frozenset(
    {
        "[removed]",
        "[deleted]",
        "[ removed by reddit ]",
        "[deleted by user]",
        "[removed by moderator]",
    }
)
_LONGEST_GONE = max(map(len, _REMOVED_TEXTS))
_DEFAULT_SUBREDDITS = ("news", "worldnews", "technology")


def parse_subreddits(raw: str) -> tuple[str, ...]:
    """Parse a setting such as `news+worldnews`; `all` means everywhere.

    Names of subreddits have 2 to 21 letters, digits and underscores.
    """
    names = tuple(name.strip() for name in raw.split("+"))
    if not all(re.fullmatch(r"[A-Za-z0-9_]{2,21}", name) for name in names):
        raise ValueError("must be names of subreddits such as news+worldnews, or all")
    return names


def build_request(query: Query, settings: SourceSettings, token: str, now: datetime) -> Request:
    """Build GET /r/<subreddits>/search.

    Reddit's only time filter is `t`, which counts back from now. `read_slices` applies the exact
    dates.
    """
    names: tuple[str, ...] = settings.values["subreddits"]
    everywhere = "all" in {name.lower() for name in names}
    params = (
        # Words with a dot are quoted; otherwise Reddit reads them as a URL.
        ("q", translate_clauses(query.clauses, max_chars=_MAX_Q)),
        ("sort", _SORT[query.sort]),
        ("t", _choose_span(query, now)),
        ("limit", "100"),
        ("type", "link"),
        ("raw_json", "1"),  # otherwise & < > are escaped, also in URLs
        # Without restrict_sr, Reddit ignores the subreddits in the path.
        *(() if everywhere else (("restrict_sr", "1"),)),
    )
    headers = (("Authorization", f"bearer {token}"), ("User-Agent", settings.values["user_agent"]))
    return Request("/search" if everywhere else f"/r/{'+'.join(names)}/search", params, headers)


def _choose_span(query: Query, now: datetime) -> str:
    """Return the shortest of Reddit's spans that reaches back to the query's start."""
    if query.start is None:
        return "all"
    return next((name for name, length in _SPANS if query.start > now - length), "all")


def read_slices(response: Response, query: Query, now: datetime) -> Sliced[SourcePage | Refusal]:
    """Read a response as a page or as a refusal."""
    body = yield from read_json_object(response)
    if response.status != 200:
        return _read_refusal(response, body, now)
    if isinstance(body, Refusal):
        return body
    rows = read_members(body, "data").get("children")
    if body.get("kind") != "Listing" or not isinstance(rows, list):
        return Refusal(Status.BAD_PAYLOAD, "JSON, but not a listing (HTTP 200)", 200)
    return (
        yield from read_page(
            rows,
            lambda row: _read_article(row, now),
            query,
            http_status=200,
            pause_s=_pause_s(response),
        )
    )


def build_recheck(ids: Sequence[str], settings: SourceSettings, token: str) -> Request:
    """Build GET /api/info: posts that were deleted or removed say so, or are missing."""
    headers = (("Authorization", f"bearer {token}"), ("User-Agent", settings.values["user_agent"]))
    return Request("/api/info", (("id", ",".join(ids)), ("raw_json", "1")), headers)


def list_ignored_parameters(query: Query) -> tuple[str, ...]:
    """Language: Reddit cannot filter by it and does not report it."""
    return ("language",) if query.language else ()


def _read_refusal(response: Response, body: SourceRow | Refusal, now: datetime) -> Refusal:
    """Return the refusal in a response.

    The body of a 403 gives a reason, and the rate-limit headers say when to retry. In all other
    cases the HTTP status decides.
    """
    if response.status == 403 and media_type(response) != "application/json":
        # "blocked by network security": Reddit blocks the address, not the app. Retries make it
        # worse.
        return Refusal(
            Status.UNREACHABLE, "Reddit blocks this network address (HTTP 403)", 403, MAX_PAUSE_S
        )
    reason = "" if isinstance(body, Refusal) else body.get("reason")
    said = (
        f"subreddit is {reason}"
        if isinstance(reason, str) and re.fullmatch(r"[a-z_]{1,30}", reason)
        else ""
    )
    if "insufficient_scope" in response.headers.get("www-authenticate", ""):
        said = "insufficient_scope"
    refusal = make_status_refusal(response, now, said)
    if response.status == 429 and "retry-after" not in response.headers:
        return evolve(refusal, pause_s=_pause_s(response) or DEFAULT_PAUSE_S)
    return refusal


def _pause_s(response: Response) -> float:
    """Return the seconds until the rate window ends if no calls are left in it, else 0.

    The headers are numbers such as `599.0` or `996`.
    """
    numbers = [response.headers.get(f"x-ratelimit-{name}", "") for name in ("remaining", "reset")]
    remaining, reset = (
        float(text) if re.fullmatch(r"-?[0-9]{1,9}(?:\.[0-9]{1,9})?", text) else None
        for text in numbers
    )
    if remaining is None or remaining > 0:
        return 0.0
    return DEFAULT_PAUSE_S if reset is None else clamp_pause(reset)


def _read_article(row: SourceRow, now: datetime) -> Sliced[Article | str]:
    post = read_members(row, "data")
    if row.get("kind") != "t3":
        return "not_a_post"
    if unwanted := _find_block_reason(post):
        return unwanted
    title = read_text(post, "title", MAX_TITLE)
    name = post.get("name")
    if not isinstance(name, str) or not re.fullmatch(_POST_ID, name):
        return "bad_id"
    link, thread = _find_link(post), _build_post_url(post)
    url = link or thread
    if url is None:
        return "bad_url"
    if title is None:
        return "no_title"
    published_at, estimated = read_date(post.get("created_utc"), now)
    author, subreddit = (read_text(post, field, MAX_NAME) for field in ("author", "subreddit"))
    yield
    # The HTML is Reddit's own reading of the Markdown.
    description = read_text(post, "selftext_html", MAX_DESCRIPTION, _read_post) or read_text(
        post, "selftext", MAX_DESCRIPTION, read_escaped
    )
    yield
    identity = canonicalize_url(url)
    return Article(
        id=make_article_id(identity),
        source="reddit",
        external_id=name,
        url=url,
        canonical_url=identity,
        title=title,
        publisher=name_outlet(link) if link else f"r/{subreddit or 'unknown'}",
        published_at=published_at,
        published_at_estimated=estimated,
        description=description,
        # Who posts a link did not write the outlet's article.
        author=None if link or author in _REMOVED_TEXTS else author,
        image_url=_find_image(post),
        engagement=Engagement(
            points=read_count(post, "score"),
            comments=read_count(post, "num_comments"),
            url=thread or f"{_SITE}/comments/{name.removeprefix('t3_')}",
        ),
    )


def _read_post(html: str) -> str:
    """Turn a post's HTML into plain text; without `raw_json=1` it is escaped once more."""
    return read_html(read_escaped(html) if html.startswith("&lt;") else html)


def _find_block_reason(post: SourceRow) -> str | None:
    """Return why a post must not be shown, or None.

    A stickied post may be shown: only listings contain it without a match, searches do not.
    """
    if post.get("over_18") is True:
        return "nsfw"
    if (
        post.get("removed_by_category")
        or post.get("banned_by")
        or _is_removed(post.get("title"))
        or _is_removed(post.get("selftext"))
    ):
        return "removed"
    return "promoted" if post.get("promoted") is True else None


def _is_removed(text: object) -> bool:
    """Return whether a text is a placeholder for a removed text."""
    return isinstance(text, str) and len(text) <= _LONGEST_GONE and text.lower() in _REMOVED_TEXTS


def _find_link(post: SourceRow) -> str | None:
    """Return the page that a post links to, or None.

    Links to Reddit do not count: for galleries, crossposts, images and videos, the post itself is
    the article.
    """
    link = read_url(post, "url_overridden_by_dest") or read_url(post, "url")
    if post.get("is_self") is True or link is None:
        return None
    return None if f".{get_host(link)}".endswith((".reddit.com", ".redd.it")) else link


def _build_post_url(post: SourceRow) -> str | None:
    """Return the post's own URL.

    Permalinks are relative. Older ones say where they were found (`?ref=search_posts`), but a
    discussion must have one address.
    """
    permalink = post.get("permalink")
    return (
        sanitize_url(_SITE + permalink.partition("?")[0])
        if isinstance(permalink, str) and permalink.startswith("/")
        else None
    )


def _find_image(post: SourceRow) -> str | None:
    """Return the preview, else the thumbnail, unless that is a word such as `self` or `nsfw`."""
    images = read_members(post, "preview").get("images")
    first = images[0] if isinstance(images, list) and images and isinstance(images[0], dict) else {}
    return read_url(read_members(first, "source"), "url") or read_url(post, "thumbnail")


SOURCE = Source(
    options=SourceOptions(
        name="reddit",
        url="https://oauth.reddit.com",
        pace_s=0.6,  # 100 calls per minute and app
        quota=None,
        required={"CLIENT_ID": any_text, "CLIENT_SECRET": parse_secret, "USER_AGENT": any_text},
        optional={
            "AUTH_URL": (base_url("http", "https"), _SITE),
            "SUBREDDITS": (parse_subreddits, _DEFAULT_SUBREDDITS),
        },
    ),
    build_request=build_request,
    read_slices=read_slices,
    list_ignored_parameters=list_ignored_parameters,
    uses_token=True,
    # "delete content that was deleted on Reddit" (Data API terms); /api/info takes 100 ids.
    recheck=Recheck(build_recheck, id_pattern=_POST_ID, most_ids=100, every_s=60.0),
)
