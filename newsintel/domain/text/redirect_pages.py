"""Pages that lead to another page: redirects, and walls that name the page behind them."""

import re
from base64 import b64decode
from urllib.parse import parse_qsl, urljoin

from newsintel.domain.text.safe_urls import get_host, sanitize_url

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
    ("bloomberg.com", "/tosv2.html"): ("url",),
}
# The last part of the path of a login, a consent page or a bot wall.
_WALL = re.compile(
    r"g?log-?in|sign-?in|sign-?up|gdpr-consent|consent|captcha|access-denied|are-you-a-robot|"
    r"tosv\d\.html",
    re.IGNORECASE,
)
# Their parameters for the page behind, in lower case.
_WALLED = frozenset(
    {"uri", "url", "next", "next_url", "continue", "destination", "redirect", "redirect_uri"}
    | {"redirect_url", "return_to", "return_url", "returnurl"}
)
_BASE64 = re.compile("[A-Za-z0-9+/ _-]+={0,2}")
_AMP_CACHE = re.compile(r"(?:[a-z0-9-]+\.cdn\.ampproject\.org/[cv]|google\.[a-z.]+/amp)/(?:s/)?")


def find_redirect_target(host: str, path: str, query: str) -> str | None:
    """Return the target of a redirect page, or None."""
    if match := _AMP_CACHE.match(host + path):
        target = "http://" + (host + path)[match.end() :] + (f"?{query}" if query else "")
        return target if sanitize_url(target) else None
    names = _REDIRECTORS.get((host, path)) or _REDIRECTORS.get((host, "*"), ())
    wall = not names and is_wall(path)
    for key, value in parse_qsl(query):
        if key in names or (wall and key.lower() in _WALLED):
            there = _read_target(host, value)
            if there and (not wall or _is_one_site(host, there)):
                return there
    return None


def is_wall(path: str) -> bool:
    """Return whether a path is one of the pages that stand before any page of a site."""
    return _WALL.fullmatch(path.rpartition("/")[2]) is not None


def _read_target(host: str, value: str) -> str | None:
    """Return a target as a URL: it may be a path of the host, and Bloomberg's is in Base64."""
    if host == "bloomberg.com" and value[:1] != "/" and _BASE64.fullmatch(value):
        code = value.replace(" ", "+").rstrip("=")
        try:
            value = b64decode(code + "=" * (-len(code) % 4)).decode("ascii")
        except ValueError:
            return None
    there = _join_path(host, value) if re.match(r"/[^/]", value) else value
    return there if there is not None and sanitize_url(there) else None


def _is_one_site(host: str, url: str) -> bool:
    """Return whether one host is the other, or above it.

    A wall of another site must not choose whose page it is.
    """
    one, other = host, get_host(sanitize_url(url) or "").removeprefix("www.")
    return one == other or one.endswith(f".{other}") or other.endswith(f".{one}")


def _join_path(host: str, path: str) -> str | None:
    r"""Return the URL of a path at a host; None if it is not a valid path, such as `/\t/[x`."""
    try:
        return urljoin(f"https://{host}/", path)
    except ValueError:
        return None
