"""URLs of articles: which are safe to show, and which are the same page.

`sanitize_url` checks and repairs a URL before a browser gets it. `canonicalize_url` maps all URLs
of a page to one. `make_article_id` makes the public id.
"""

import hashlib
import re
from urllib.parse import SplitResult, parse_qsl, quote, urljoin, urlsplit

from newsintel.domain.bounds.sized_cache import memoize
from newsintel.domain.text.clean import fold
from newsintel.domain.text.host_names import MAX_WRITTEN_CHARS, is_registered, to_ascii_host

_MAX_CHARS = 2048
"""A length that browsers and caches support; also the width of the archive's column."""

# A JSON escape that was escaped twice: recorded as `story?id\u003d114`.
_ESCAPE = re.compile(r"\\+u00([2-7][0-9a-fA-F])")
_ESCAPED_AMPERSAND = re.compile(r"&(?:amp;)+", re.IGNORECASE)
# Browsers remove these everywhere (WHATWG URL, 4.4); recorded in the middle of a path.
_DROPPED = str.maketrans("", "", "\t\r\n")
# Matches only URLs that need repair; most do not.
_BROKEN = re.compile(r"[\t\r\n \\]|&amp;", re.IGNORECASE)
# RFC 3986 excludes these on purpose. A browser reads a backslash as a slash, so it would open
# another host than the one we checked.
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f-\x9f\\<>\"\ud800-\udfff]")
# Python normalises a host while it splits a URL, in quadratic time. So a longer host is refused
# before that.
_LONG_HOST = re.compile(rf"[^/?#]*//[^/?#]{{{MAX_WRITTEN_CHARS + 1}}}")
# A URL without anything to repair, normalise or refuse; most are. The host is checked separately.
_PLAIN = re.compile(r"https?://([a-z0-9._-]+)(?:[/?#][!#$&-;=?-\[\]^-~]*)?")
_HOST = re.compile(r"https?://([^/?#:]+)")
_PERCENT = re.compile(r"%([0-9a-fA-F]{2})?")
_BASE32 = "abcdefghijklmnopqrstuvwxyz234567"
_BASE32_PAIRS = tuple(one + other for one in _BASE32 for other in _BASE32)
"""Two characters for each ten bits, in half of the time that `base64` takes."""
_UNRESERVED = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~")

# Parameters that say where a reader came from. No known site uses these names for the page itself.
_TRACKING_PREFIXES = ("utm_", "at_", "pk_", "mtm_", "hsa_", "wt.", "guce_", "soc_")
_TRACKING = re.compile(
    "_ga|_gl|_r|amp|cmp|cmpid|dclid|fbclid|ftag|gbraid|gclid|gclsrc|guccounter|icid|igsh|igshid|"
    "ito|mbid|mc_cid|mc_eid|mkt_tok|msclkid|ncid|ocid|pgtype|sessionid|smid|smtyp|sref|taid|trk|"
    "ttclid|twclid|wbraid|wt_mc|xid|yclid"
)
# These names have other uses: only these values are tracking.
_TRACKING_PAIRS = frozenset(
    {
        ("partner", "rss"),
        ("partner", "rssnyt"),
        ("emc", "rss"),
        ("ref", "rss"),
        ("source", "rss"),
        ("cid", "rss"),
        ("feature", "share"),
    }
    | {("feature", "youtu.be"), ("outputtype", "amp"), ("output", "amp"), ("homepage", "true")}
)
# Outlets whose path alone identifies an article. The rest says where the reader came from or how to
# display it.
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

# Redirect pages, by host and path, with the parameter that holds the target.
_REDIRECTORS = {
    ("google.com", "/url"): ("q", "url"),
    ("news.google.com", "/news/url"): ("url",),
    ("consent.google.com", "/m"): ("continue",),
    ("consent.google.com", "/ml"): ("continue",),
    ("consent.youtube.com", "/m"): ("continue",),
    ("youtube.com", "/supported_browsers"): ("next_url",),
    ("youtube.com", "/attribution_link"): ("u",),
    ("l.facebook.com", "/l.php"): ("u",),
    ("lm.facebook.com", "/l.php"): ("u",),
    ("l.instagram.com", "/"): ("u",),
    ("out.reddit.com", "*"): ("url",),
    ("forbes.com", "/forbes/welcome"): ("toURL",),
    ("bing.com", "/news/apiclick.aspx"): ("url",),
    ("t.umblr.com", "/redirect"): ("z",),
    ("vk.com", "/away.php"): ("to",),
}
_MOST_STEPS = 8
"""Maximum of redirect pages followed; recorded URLs have one. A longer chain is an attack on our
CPU and counts as a page."""

_AMP_CACHE = re.compile(r"(?:[a-z0-9-]+\.cdn\.ampproject\.org/[cv]|google\.[a-z.]+/amp)/(?:s/)?")
_AMP_TAILS = ("/amp", ".amp", "/amp.html", ".amp.html")
_REDDIT_POST = re.compile(
    r"/(?:r/[^/]+/|user/[^/]+/)?(?:comments|gallery)/([a-z0-9]+)(?:/[^/]*)?/?", re.IGNORECASE
)
# Hosts that serve the same pages under another name.
_ALIASES = {
    "bbc.co.uk": "bbc.com",
    "guardian.co.uk": "theguardian.com",
    "new.reddit.com": "reddit.com",
    "np.reddit.com": "reddit.com",
    "old.reddit.com": "reddit.com",
}
_YOUTUBE_PATH = re.compile(r"/(?:shorts|embed|live|v)/([\w-]+)/?")


# Each URL of a row is checked here at least twice: by its parser and by `canonicalize_url`.
@memoize(max_bytes=2**20)
def sanitize_url(raw: str) -> str | None:
    r"""Return the URL in a form that is safe for a browser, or None.

    Repairs known errors of upstreams (outer spaces, tabs within, `\u003d`, `&amp;`). The result is
    ASCII.

    Returns:
        An http or https URL of at most 2,048 characters, with a registered host name and without
        user, password or control characters.
    """
    if len(raw) > _MAX_CHARS * 2:
        return None
    text = raw.strip()
    if (
        (plain := _PLAIN.fullmatch(text))
        and is_registered(plain[1])
        and len(text) <= _MAX_CHARS
        and "&amp;" not in text.lower()
    ):
        return text
    if _BROKEN.search(text):
        text = _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text.translate(_DROPPED))
        text = _ESCAPED_AMPERSAND.sub("&", text).replace(" ", "%20")
    if _FORBIDDEN.search(text) or _LONG_HOST.match(text):
        return None
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:  # an unclosed bracket, a port out of range, a host that NFKC would change
        return None
    # Not parts.hostname: Python's lower case differs from that of host names (ΣΑΣ-1).
    host = None if "[" in parts.netloc else to_ascii_host(parts.netloc.partition(":")[0])
    if parts.scheme.lower() not in ("http", "https") or host is None or "@" in parts.netloc:
        return None
    where = host if port is None else f"{host}:{port}"
    tail = text.partition("://")[2][len(parts.netloc) :]
    url = f"{parts.scheme.lower()}://{where}{_normalize_escapes(tail)}"
    return url if len(url) <= _MAX_CHARS else None


def get_host(url: str) -> str:
    """Return the host of a URL from `sanitize_url`; "" for a text that is not one."""
    match = _HOST.match(url)
    return match[1] if match else ""


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
        target = _find_redirect_target(host, path, parts.query)
        if target is None:
            return _build_canonical(host, path, parts)
        at = target
    parts = urlsplit(sanitize_url(url) or url)
    return _build_canonical(*_strip_display_parts(parts), parts)


def make_stand_in(url: str, title: str, day: str) -> str | None:
    """Return an identity for a page whose URL does not show which page it is, else None.

    The URLs of consent.yahoo.com, in a quarter of one recorded NewsAPI payload, hold nothing of the
    article but a session id. With it, each fetch of a page would be a new article; without it, all
    pages would be the same. The title and the day of publication distinguish them.

    Args:
        url: a usable URL.
        title: plain text.
        day: the day of publication, YYYY-MM-DD, empty if unknown. It is included because headlines
            such as "Stock market today" repeat.
    """
    host = get_host(url)
    if not host.startswith("consent."):
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


def _normalize_escapes(text: str) -> str:
    """Normalise escapes (RFC 3986, 6.2.2). A stray % and anything beyond ASCII are escaped, too."""

    def settle(match: re.Match[str]) -> str:
        if match[1] is None:
            return "%25"
        char = chr(int(match[1], 16))
        return char if char in _UNRESERVED else f"%{match[1].upper()}"

    return quote(_PERCENT.sub(settle, text), safe="%!#$&'()*+,/:;=?@[]~^`{|}")


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
    path = _strip_amp(path)
    return _ALIASES.get(host, host), path or "/"


def _strip_amp(path: str) -> str:
    """Remove AMP suffixes and trailing slashes from an ASCII path."""
    lower, end = path.lower(), len(path)
    while True:
        while lower.endswith("/", 0, end):
            end -= 1
        if not lower.endswith(_AMP_TAILS, 0, end):
            return path[:end]
        end -= next(len(tail) for tail in _AMP_TAILS if lower.endswith(tail, 0, end))


def _find_redirect_target(host: str, path: str, query: str) -> str | None:
    """Return the target of a redirect page, or None."""
    if match := _AMP_CACHE.match(host + path):
        target = "http://" + (host + path)[match.end() :] + (f"?{query}" if query else "")
        return target if sanitize_url(target) else None
    names = _REDIRECTORS.get((host, path)) or _REDIRECTORS.get((host, "*"), ())
    for value in (value for name in names for key, value in parse_qsl(query) if key == name):
        there = _join_path(host, value) if re.match(r"/[^/]", value) else value
        if there is not None and sanitize_url(there):
            return there
    return None


def _join_path(host: str, path: str) -> str | None:
    r"""Return the URL of a path at a host; None if it is not a valid path, such as `/\t/[x`."""
    try:
        return urljoin(f"https://{host}/", path)
    except ValueError:
        return None


def _build_canonical(host: str, path: str, parts: SplitResult) -> str:
    """Return the canonical URL of a page that is not a redirect."""
    if special := _canonicalize_special(host, path, parts.query):
        return special
    port = "" if parts.port in (None, 80, 443) else f":{parts.port}"
    if host in _PATH_ONLY and path != "/":
        return f"https://{host}{port}{path}"
    query, fragment = _canonicalize_query(parts.query), _canonicalize_fragment(parts.fragment)
    return f"https://{host}{port}{path}{query}{fragment}"


def _canonicalize_query(raw: str) -> str:
    """Return a query in canonical form, with its question mark; empty if only tracking is in it."""
    pieces = raw.replace("+", "%20").split("&")
    query = "&".join(sorted(one for one in pieces if one and not _is_tracking(one)))
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


def _is_tracking(piece: str) -> bool:
    name, _, value = piece.lower().partition("=")
    return (
        name.startswith(_TRACKING_PREFIXES)
        or _TRACKING.fullmatch(name) is not None
        or (name, value) in _TRACKING_PAIRS
    )
