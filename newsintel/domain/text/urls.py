"""URLs of articles: which are the same page.

`canonicalize_url` maps all URLs of a page to one. `make_article_id` makes the public id.
"""

import hashlib
import re
from urllib.parse import SplitResult, urlsplit

from newsintel.domain.bounds.sized_cache import memoize
from newsintel.domain.text.clean import fold
from newsintel.domain.text.host_names import is_registered
from newsintel.domain.text.redirect_pages import find_redirect_target, is_wall
from newsintel.domain.text.safe_urls import get_host, sanitize_url
from newsintel.domain.text.tracking import is_tracking

_BASE32 = "abcdefghijklmnopqrstuvwxyz234567"
_BASE32_PAIRS = tuple(one + other for one in _BASE32 for other in _BASE32)
"""Two characters for each ten bits, in half of the time that `base64` takes."""
# Outlets whose path alone identifies an article, if it ends as articles' paths do: with a digit or
# a hyphen in its last part. The rest says where the reader came from or how to display it.
_PATH_ONLY = frozenset(
    {
        "bbc.com",
        "bloomberg.com",
        "businessinsider.com",
        "cnn.com",
        "forbes.com",
        "foxnews.com",
        "nytimes.com",
        "reuters.com",
    }
    | {"theguardian.com", "washingtonpost.com", "wired.com", "wsj.com"}
)

_MOST_STEPS = 8
"""Maximum of redirect pages followed; recorded URLs have one. A longer chain is an attack on our
CPU and counts as a page."""

_NAMES_ARTICLE = re.compile("[0-9-]")
_AMP_TAILS = ("/amp", ".amp", "/amp.html", ".amp.html")
_REDDIT_POST = re.compile(
    r"/(?:r/[^/]+/|user/[^/]+/)?(?:comments|gallery)/([a-z0-9]+)(?:/[^/]*)?/?", re.IGNORECASE
)
# Hosts that serve the same pages under another name.
_ALIASES = {
    "bbc.co.uk": "bbc.com",
    "edition.cnn.com": "cnn.com",
    "us.cnn.com": "cnn.com",
    "guardian.co.uk": "theguardian.com",
    "new.reddit.com": "reddit.com",
    "np.reddit.com": "reddit.com",
    "old.reddit.com": "reddit.com",
}
# AMP before the rest of a path.
_AMP_HEAD = re.compile(r"(?:/amp)+(?=/.)", re.IGNORECASE)
_AMP_HEADS = {"bbc.com": ("/news/amp/", "/news/"), "cnn.com": ("/cnn/", "/")}
_YOUTUBE_PATH = re.compile(r"/(?:shorts|embed|live|v)/([\w-]+)/?")


# A refresh of a search finds mostly the same URLs.
@memoize(max_bytes=2**20)
def canonicalize_url(url: str) -> str:
    """Return the identity of a page: one URL for all its spellings. Idempotent.

    Removed or unified: scheme, `www.`, mobile and AMP hosts, AMP paths, default ports, tracking
    parameters, the order of parameters, trailing slashes, unnecessary escapes, redirect pages, and
    fragments, except those that name a page of their own (`#/story/1`, `#!story`). The result is an
    identifier; it may not open in a browser. A text that is not a usable URL is returned unchanged.
    """
    at = url
    for _ in range(_MOST_STEPS):
        if (address := sanitize_url(at)) is None:
            return at
        parts = urlsplit(address)
        host, path = _strip_display_parts(parts)
        target = find_redirect_target(host, path, parts.query)
        if target is None:
            return _build_canonical(host, path, parts)
        at = target
    parts = urlsplit(sanitize_url(url) or url)
    return _build_canonical(*_strip_display_parts(parts), parts)


def make_stand_in(url: str, title: str, day: str) -> str | None:
    """Return an identity for a page whose URL does not show which page it is, else None.

    The URLs of consent.yahoo.com, in a quarter of one recorded NewsAPI payload, hold nothing of the
    article but a session id. With it, each fetch of a page would be a new article; without it, all
    pages would be the same. The title and the day of publication distinguish them. Yahoo's hosts
    for other outlets are like guce.techcrunch.com.

    Args:
        url: a usable URL.
        title: plain text.
        day: the day of publication, YYYY-MM-DD, empty if unknown. It is included because headlines
            such as "Stock market today" repeat.
    """
    host = get_host(url)
    if not host.startswith(("consent.", "guce.")):
        return None
    parts = urlsplit(url)
    if "sessionid=" not in parts.query.lower():
        return None
    page = hashlib.sha256(f"{day}\n{fold(title)}".encode()).hexdigest()[:32]
    return canonicalize_url(f"https://{host}{parts.path}?page={page}")


@memoize(max_bytes=2**20)
def make_article_id(canonical_url: str) -> str:
    """Return the public id of an identity.

    It is `a_` and the first 20 lower-case base32 characters of the identity's SHA-256 (100 bits).
    """
    digest = hashlib.sha256(canonical_url.encode("utf-8", "surrogatepass")).digest()
    number, pairs = int.from_bytes(digest[:13]) >> 4, _BASE32_PAIRS  # 100 bits
    return "a_" + "".join([pairs[number >> place & 1023] for place in range(90, -1, -10)])


def _strip_display_parts(parts: SplitResult) -> tuple[str, str]:
    """Return host and path without what only changes the display of a page.

    That is www, mobile and AMP hosts, AMP paths, and trailing slashes.
    """
    host, path = parts.hostname or "", parts.path
    if "//" in path:
        path = re.sub("/{2,}", "/", path)
    while True:
        first, _, rest = host.partition(".")
        # A mobile host is an alias of the shorter name, unless that is a suffix such as `co.uk`.
        twin = first == "www" or (
            first in ("m", "mobile", "amp")
            and (rest.count(".") > 1 or len(rest.partition(".")[0]) > 2)
        )
        if not twin or not is_registered(rest):
            break
        host = rest
    host = _ALIASES.get(host, host)
    # Google's /amp/ is not a page of its own.
    path = _strip_amp(path if host.startswith("google.") else _strip_amp_head(host, path))
    return host, path or "/"


def _strip_amp_head(host: str, path: str) -> str:
    """Remove AMP from the beginning of a path, and from where an outlet has it."""
    old, new = _AMP_HEADS.get(host, ("/amp/", "/"))
    while True:
        before = path
        if path.startswith(old):
            path = new + path[len(old) :]
        if match := _AMP_HEAD.match(path):
            path = path[match.end() :]
        if path == before:
            return path


def _strip_amp(path: str) -> str:
    """Remove AMP suffixes and trailing slashes from an ASCII path."""
    lower, end = path.lower(), len(path)
    while True:
        while lower.endswith("/", 0, end):
            end -= 1
        if not lower.endswith(_AMP_TAILS, 0, end):
            return path[:end]
        end -= next(len(tail) for tail in _AMP_TAILS if lower.endswith(tail, 0, end))


def _build_canonical(host: str, path: str, parts: SplitResult) -> str:
    """Return the canonical URL of a page that is not a redirect."""
    if special := _canonicalize_special(host, path, parts.query):
        return special
    port = "" if parts.port in (None, 80, 443) else f":{parts.port}"
    if host in _PATH_ONLY and not is_wall(path):
        last = path.removesuffix("/index.html").rpartition("/")[2]
        if _NAMES_ARTICLE.search(last):
            return f"https://{host}{port}{path}"
    query, fragment = _canonicalize_query(parts.query), _canonicalize_fragment(parts.fragment)
    return f"https://{host}{port}{path}{query}{fragment}"


def _canonicalize_query(raw: str) -> str:
    """Return a query in canonical form, with its question mark; empty if only tracking is in it."""
    pieces = raw.replace("+", "%20").split("&")
    query = "&".join(sorted(one for one in pieces if one and not is_tracking(one)))
    return f"?{query}" if query else ""


def _canonicalize_fragment(fragment: str) -> str:
    """Return in canonical form a fragment that names a page which a script shows; else "".

    Examples are `#/story/1` and `#!story`. Other fragments name a place in the page, and so does
    text after a second `#`. Text after `:~:` is for the browser. An empty path is the page itself.
    """
    if not fragment.startswith(("/", "!")):
        return ""
    path, _, query = re.split("#|:~:", fragment, maxsplit=1)[0].partition("?")
    path, query = path.rstrip("/"), _canonicalize_query(query)
    if not path.strip("/!"):
        path = "/" if query else ""
    return f"#{path}{query}" if path else ""


def _canonicalize_special(host: str, path: str, query: str) -> str | None:
    """Handle sites that have several URLs for one page: YouTube, Reddit, Google News."""
    video = path.strip("/") if host == "youtu.be" else None
    if host in ("youtube.com", "youtube-nocookie.com", "music.youtube.com"):
        if match := _YOUTUBE_PATH.fullmatch(path):
            video = match[1]
        elif path == "/watch":
            video = next((piece[2:] for piece in query.split("&") if piece.startswith("v=")), None)
    if video and re.fullmatch(r"[\w-]{1,64}", video, re.ASCII):
        return f"https://youtube.com/watch?v={video}"
    post = None
    if host == "reddit.com":
        post = _REDDIT_POST.fullmatch(path)
    elif host == "redd.it":
        post = re.fullmatch(r"/([a-z0-9]+)", path)
    if post:
        return f"https://reddit.com/comments/{post[1].lower()}"
    if host == "news.google.com" and (
        news := re.fullmatch(
            r"(?:/__i)?(?:/rss)?(?:/rd)?/(?:articles|read)/([\w-]+)", path, re.ASCII
        )
    ):
        # Opaque, but constant for an entry. The query only changes the display.
        return f"https://news.google.com/articles/{news[1]}"
    return None
