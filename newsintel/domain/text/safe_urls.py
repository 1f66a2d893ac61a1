"""Which URLs are safe to show: checks and repairs a URL before a browser gets it."""

import re
from urllib.parse import quote, urlsplit

from newsintel.domain.bounds.sized_cache import memoize
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
LONG_HOST = re.compile(rf"[^/?#]*//[^/?#]{{{MAX_WRITTEN_CHARS + 1}}}")
# A URL without anything to repair, normalise or refuse; most are. The host is checked separately.
_PLAIN = re.compile(r"https?://([a-z0-9._-]+)(?:[/?#][!#$&-;=?-\[\]^-~]*)?")
_HOST = re.compile(r"https?://([^/?#:]+)")
_PERCENT = re.compile(r"%([0-9a-fA-F]{2})?")
_UNRESERVED = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~")


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
    if _FORBIDDEN.search(text) or LONG_HOST.match(text):
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


def _normalize_escapes(text: str) -> str:
    """Normalise escapes (RFC 3986, 6.2.2). A stray % and anything beyond ASCII are escaped, too."""

    def settle(match: re.Match[str]) -> str:
        if match[1] is None:
            return "%25"
        char = chr(int(match[1], 16))
        return char if char in _UNRESERVED else f"%{match[1].upper()}"

    return quote(_PERCENT.sub(settle, text), safe="%!#$&'()*+,/:;=?@[]~^`{|}")
