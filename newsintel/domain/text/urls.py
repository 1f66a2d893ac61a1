"""Addresses of articles: which may be shown, and which are the same page.

`usable` decides what may be handed to a browser; `canonical` folds all spellings of a page into one; `article_id` makes the public id.
"""

import base64
import hashlib
import re
from urllib.parse import SplitResult, parse_qsl, quote, urljoin, urlsplit

from newsintel.domain.bounds.sized_cache import remembered
from newsintel.domain.text.clean import fold
from newsintel.domain.text.host_names import MAX_WRITTEN_CHARS, ascii_host, is_registered

_MAX_CHARS = 2048
"""What browsers and caches carry without trouble; also the width of the archive's column."""

# A JSON escape that was escaped again: recorded as `story?id\u003d114`.
_ESCAPE = re.compile(r"\\+u00([2-7][0-9a-fA-F])")
_ESCAPED_AMPERSAND = re.compile(r"&(?:amp;)+", re.IGNORECASE)
# Browsers drop these wherever they stand (WHATWG URL, 4.4); recorded in the middle of a path.
_DROPPED = str.maketrans("", "", "\t\r\n")
# Whether there is anything to repair; most addresses are well.
_BROKEN = re.compile(r"[\t\r\n \\]|&amp;", re.IGNORECASE)
# RFC 3986 leaves these out on purpose; a browser reads a backslash as a slash, so the host would not be the one we checked.
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f-\x9f\\<>\"\ud800-\udfff]")
# Python normalises a host while it splits an address, which takes quadratic time: a longer one is refused before that.
_LONG_HOST = re.compile(rf"[^/?#]*//[^/?#]{{{MAX_WRITTEN_CHARS + 1}}}")
_PERCENT = re.compile(r"%([0-9a-fA-F]{2})?")
_UNRESERVED = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~")

# Parameters that say where a reader came from. Only names that no site is known to use for the page itself.
_TRACKING_PREFIXES = ("utm_", "at_", "pk_", "mtm_", "hsa_", "wt.", "guce_", "soc_")
_TRACKING = re.compile(
    "_ga|_gl|_r|amp|cmp|cmpid|dclid|fbclid|ftag|gbraid|gclid|gclsrc|guccounter|icid|igsh|igshid|ito|mbid|mc_cid|mc_eid|mkt_tok|msclkid|"
    "ncid|ocid|pgtype|sessionid|smid|smtyp|sref|taid|trk|ttclid|twclid|wbraid|wt_mc|xid|yclid"
)
# Names that mean something elsewhere are tracking with these values only.
_TRACKING_PAIRS = frozenset(
    {("partner", "rss"), ("partner", "rssnyt"), ("emc", "rss"), ("ref", "rss"), ("source", "rss"), ("cid", "rss"), ("feature", "share")}
    | {("feature", "youtu.be"), ("outputtype", "amp"), ("output", "amp"), ("homepage", "true")}
)
# Outlets whose articles are named by the path alone: whatever follows says how the reader came or is to see it.
_PATH_ONLY = frozenset(
    {"bbc.com", "bloomberg.com", "businessinsider.com", "cnn.com", "forbes.com", "foxnews.com", "nytimes.com", "reuters.com"}
    | {"theguardian.com", "washingtonpost.com", "wired.com", "wsj.com"}
)

# Pages that only lead on, by host and path, with the parameter that names the target.
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
"""Pages that only lead on to the next one; recorded addresses have one. A longer chain was made to keep us busy, and counts as a page."""

_AMP_CACHE = re.compile(r"(?:[a-z0-9-]+\.cdn\.ampproject\.org/[cv]|google\.[a-z.]+/amp)/(?:s/)?")
_AMP_TAILS = ("/amp", ".amp", "/amp.html", ".amp.html")
_REDDIT_POST = re.compile(r"/(?:r/[^/]+/|user/[^/]+/)?(?:comments|gallery)/([a-z0-9]+)(?:/[^/]*)?/?", re.IGNORECASE)
# Hosts that show the same pages under another name.
_ALIASES = {
    "bbc.co.uk": "bbc.com",
    "guardian.co.uk": "theguardian.com",
    "new.reddit.com": "reddit.com",
    "np.reddit.com": "reddit.com",
    "old.reddit.com": "reddit.com",
}
_YOUTUBE_PATH = re.compile(r"/(?:shorts|embed|live|v)/([\w-]+)/?")


# Each address of a row is looked at here twice or more, by its reader and by `canonical`.
@remembered(max_bytes=2**20)
def usable(raw: str) -> str | None:
    r"""The address as a browser may be given it, or None.

    Repairs what upstreams are known to break (outer spaces, tabs within, `\u003d`, `&amp;`) and writes it in ASCII.

    Returns:
        An http or https URL of at most 2,048 characters with a registered host name and without user, password or control characters.
    """
    if len(raw) > _MAX_CHARS * 2:
        return None
    text = raw.strip()
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
    # Not parts.hostname: it is in Python's lower case, which is not that of host names (ΣΑΣ-1).
    host = None if "[" in parts.netloc else ascii_host(parts.netloc.partition(":")[0])
    if parts.scheme.lower() not in ("http", "https") or host is None or "@" in parts.netloc:
        return None
    where = host if port is None else f"{host}:{port}"
    tail = text.partition("://")[2][len(parts.netloc) :]
    url = f"{parts.scheme.lower()}://{where}{_percent(tail)}"
    return url if len(url) <= _MAX_CHARS else None


def canonical(url: str) -> str:
    """The identity of a page: one address for all its spellings. Applying it twice changes nothing.

    Folded away: scheme, `www.`, mobile and AMP hosts, AMP paths, default ports, tracking parameters, the order of parameters, trailing
    slashes, escapes that need not be, pages that only lead on to another, and fragments, but for those that name a page of their own
    (`#/story/1`, `#!story`). The result identifies; it need not open.
    A text that is no usable URL stands for itself.
    """
    at = url
    for _ in range(_MOST_STEPS):
        if (address := usable(at)) is None:
            return at
        parts = urlsplit(address)
        host, path = _host_and_path(parts)
        target = _target(host, path, parts.query)
        if target is None:
            return _folded(host, path, parts)
        at = target
    parts = urlsplit(usable(url) or url)
    return _folded(*_host_and_path(parts), parts)


def stand_in(url: str, title: str, day: str) -> str | None:
    """An identity for a page whose address hides it, else None.

    consent.yahoo.com, in a quarter of one recorded NewsAPI payload, leaves nothing of the article in its URL but a session id: kept, each
    fetch of one page would be a new article; dropped, all pages would be the same. The title and the day of publication tell them apart.

    Args:
        url: a usable one.
        title: plain.
        day: the day of publication, YYYY-MM-DD, empty if unknown; it counts since headlines such as "Stock market today" come back.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if not host.startswith("consent.") or "sessionid=" not in parts.query.lower():
        return None
    page = hashlib.sha256(f"{day}\n{fold(title)}".encode()).hexdigest()[:32]
    return canonical(f"https://{host}{parts.path}?page={page}")


def article_id(canonical_url: str) -> str:
    """The public id: `a_` and the first 20 lower-case base32 characters of the identity's SHA-256 (100 bits)."""
    digest = hashlib.sha256(canonical_url.encode("utf-8", "surrogatepass")).digest()
    return "a_" + base64.b32encode(digest[:15]).decode("ascii").lower()[:20]  # 15 bytes are 24 characters without padding


def _percent(text: str) -> str:
    """RFC 3986, 6.2.2: one spelling of every escape; a stray % becomes one, anything beyond ASCII too."""

    def settle(match: re.Match[str]) -> str:
        if match[1] is None:
            return "%25"
        char = chr(int(match[1], 16))
        return char if char in _UNRESERVED else f"%{match[1].upper()}"

    return quote(_PERCENT.sub(settle, text), safe="%!#$&'()*+,/:;=?@[]~^`{|}")


def _host_and_path(parts: SplitResult) -> tuple[str, str]:
    """A page's host and path without what only says how it is shown: www, mobile and AMP hosts, AMP paths, trailing slashes."""
    host, path = parts.hostname or "", re.sub("/{2,}", "/", parts.path)
    while True:
        first, _, rest = host.partition(".")
        # A mobile host is a shorter name's twin, unless what is left is a suffix such as `co.uk`.
        twin = first == "www" or (first in ("m", "mobile", "amp") and (rest.count(".") > 1 or len(rest.partition(".")[0]) > 2))
        if not twin or not is_registered(rest):
            break
        host = rest
    path = _without_amp(path)
    return _ALIASES.get(host, host), path or "/"


def _without_amp(path: str) -> str:
    """A path, which is ASCII, without AMP's names for it and slashes at its end."""
    lower, end = path.lower(), len(path)
    while True:
        while lower.endswith("/", 0, end):
            end -= 1
        tail = next((tail for tail in _AMP_TAILS if lower.endswith(tail, 0, end)), None)
        if tail is None:
            return path[:end]
        end -= len(tail)


def _target(host: str, path: str, query: str) -> str | None:
    """Where a page that only leads on leads to, or None."""
    if match := _AMP_CACHE.match(host + path):
        target = "http://" + (host + path)[match.end() :] + (f"?{query}" if query else "")
        return target if usable(target) else None
    names = _REDIRECTORS.get((host, path)) or _REDIRECTORS.get((host, "*"), ())
    for value in (value for name in names for key, value in parse_qsl(query) if key == name):
        there = _within(host, value) if re.match(r"/[^/]", value) else value
        if there is not None and usable(there):
            return there
    return None


def _within(host: str, path: str) -> str | None:
    r"""A path at a host as an address; None for what only looks like a path, such as `/\t/[x`."""
    try:
        return urljoin(f"https://{host}/", path)
    except ValueError:
        return None


def _folded(host: str, path: str, parts: SplitResult) -> str:
    """A page that leads nowhere else, in its one spelling."""
    if special := _special(host, path, parts.query):
        return special
    port = "" if parts.port in (None, 80, 443) else f":{parts.port}"
    if host in _PATH_ONLY and path != "/":
        return f"https://{host}{port}{path}"
    return f"https://{host}{port}{path}{_query(parts.query)}{_page_within(parts.fragment)}"


def _query(raw: str) -> str:
    """A query in its one spelling, with its question mark; empty if nothing of it counts."""
    query = "&".join(sorted(piece for piece in raw.replace("+", "%20").split("&") if piece and not _is_tracking(piece)))
    return f"?{query}" if query else ""


def _page_within(fragment: str) -> str:
    """A fragment that names a page which a script shows (`#/story/1`, `#!story`), in its one spelling; others name a place in the page.

    So does what stands behind a further `#`; behind `:~:` it is the browser's own. A path of nothing is the page itself.
    """
    if not fragment.startswith(("/", "!")):
        return ""
    path, _, query = re.split("#|:~:", fragment, maxsplit=1)[0].partition("?")
    path, query = path.rstrip("/"), _query(query)
    if not path.strip("/!"):
        path = "/" if query else ""
    return f"#{path}{query}" if path else ""


def _special(host: str, path: str, query: str) -> str | None:
    """Sites that are known to spell one page in several ways: YouTube, Reddit, Google News."""
    video = path.strip("/") if host == "youtu.be" else None
    if host in ("youtube.com", "youtube-nocookie.com", "music.youtube.com"):
        match = _YOUTUBE_PATH.fullmatch(path)
        video = match[1] if match else next((piece[2:] for piece in query.split("&") if path == "/watch" and piece.startswith("v=")), None)
    if video and re.fullmatch(r"[\w-]{1,64}", video, re.ASCII):
        return f"https://youtube.com/watch?v={video}"
    post = _REDDIT_POST.fullmatch(path) if host == "reddit.com" else re.fullmatch(r"/([a-z0-9]+)", path) if host == "redd.it" else None
    if post:
        return f"https://reddit.com/comments/{post[1].lower()}"
    if host == "news.google.com" and (news := re.fullmatch(r"(?:/__i)?(?:/rss)?(?:/rd)?/(?:articles|read)/([\w-]+)", path, re.ASCII)):
        # Opaque, but the same for the same entry; its query only says how the reader is to see it.
        return f"https://news.google.com/articles/{news[1]}"
    return None


def _is_tracking(piece: str) -> bool:
    name, _, value = piece.lower().partition("=")
    return name.startswith(_TRACKING_PREFIXES) or _TRACKING.fullmatch(name) is not None or (name, value) in _TRACKING_PAIRS
