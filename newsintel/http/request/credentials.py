"""The credentials of a request: a key after its scheme, or a session's id in a cookie. Pure."""

import re
from collections.abc import Iterable
from urllib.parse import parse_qs

from newsintel.config.settings import Settings
from newsintel.http.asgi import Scope
from newsintel.http.paths import NEWSAPI

KEY_PATTERN = re.compile(r"ni_[A-Za-z0-9_-]{43}")
"""An API key: 256 bits in base64url after a prefix. People and secret scanners recognize the
prefix."""

SESSION_ID_PATTERN = re.compile(r"[A-Za-z0-9_-]{43}")

GOOGLE_LOGIN = "auth="
"""What stands before a key after the scheme `GoogleLogin`."""

Headers = Iterable[tuple[bytes, bytes]]


def read_key(scope: Scope) -> str | None:
    """Return the API key that a request holds; None if it holds none."""
    key = read_bearer(scope["headers"])
    return _read_newsapi_key(scope) if key is None and has_newsapi_path(scope) else key


def has_newsapi_path(scope: Scope) -> bool:
    """Whether a request is one to NewsAPI, so that its key may stand where NewsAPI takes it."""
    path: str = scope["path"]
    return path.startswith(NEWSAPI)


def _read_newsapi_key(scope: Scope) -> str | None:
    """Return the key of a request to NewsAPI (newsapi.org/docs/authentication).

    It stands in the header X-Api-Key, alone in the header Authorization, or in the parameter
    `apiKey`. Another scheme in Authorization may be for a reverse proxy, and is ignored.
    """
    headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
    alone = headers.get(b"authorization", "").strip()
    query = scope["query_string"].decode("latin-1")
    named = parse_qs(query)
    given = (
        headers.get(b"x-api-key"),
        None if " " in alone else alone,
        *(named.get(name, [""])[0] for name in ("apiKey", "apikey")),
    )
    return next(filter(None, given), None)


def read_bearer(headers: Headers) -> str | None:
    """Return the key in the Authorization header.

    It is the text after `Bearer`, or after `GoogleLogin auth=`, which clients of Google Reader
    send. Returns None if the header is absent or has another scheme. Such a header is ignored: it
    may be the Basic password of a reverse proxy. If there are several headers and one has a key,
    the result is "", which is an invalid key.
    """
    given = [value.decode("latin-1") for name, value in headers if name.lower() == b"authorization"]
    keys = [_find_key(value) for value in given]
    if all(key is None for key in keys):
        return None
    return keys[0] if len(keys) == 1 else ""


def _find_key(value: str) -> str | None:
    scheme, rest = value.lower().split(None, 1)[:1], value.partition(" ")[2]
    if scheme == ["bearer"]:
        return rest
    if scheme == ["googlelogin"] and rest.lstrip().startswith(GOOGLE_LOGIN):
        return rest.lstrip().removeprefix(GOOGLE_LOGIN)
    return None


def find_cookie(headers: Headers, name: str) -> str | None:
    """Return a cookie's value (RFC 6265, 5.4) if exactly one cookie has that name.

    As in browsers, only spaces and tabs around a name are removed. If Unicode line ends (U+0085) or
    non-breaking spaces were removed too, a sibling host could set our cookie under a name that
    browsers do not protect as they protect `__Host-`.
    """
    lines = [value.decode("latin-1") for header, value in headers if header.lower() == b"cookie"]
    pairs = [pair.strip(" \t").partition("=") for line in lines for pair in line.split(";")]
    values = [value for found, _, value in pairs if found == name]
    return values[0] if len(values) == 1 else None


def name_session_cookie(settings: Settings) -> str:
    """Return the name of the session cookie.

    Browsers accept the __Host- prefix only over https (rfc6265bis, 4.1.3.2).
    """
    return "__Host-newsintel" if settings.public_url.startswith("https://") else "newsintel_dev"
