"""Reddit's consent page on www.reddit.com, and its results: codes, refresh tokens, revocation."""

import hashlib
import html
import re
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode, urlsplit

from attrs import define, field, frozen

from newsintel.demo.wire import Reply, Request

CODE_LIFETIME_S = 600
KNOWN_SCOPES = frozenset({"identity", "read", "mysubreddits", "history", "*"})
_NAME = re.compile(r"[A-Za-z0-9_-]{3,20}")
_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
_PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Simulated Reddit</title>
<style>body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 34rem; margin: 3rem auto }}</style>
</head>
<body>
<h1>Simulated Reddit</h1>
<p><strong>This is not Reddit.</strong> It is a page of newsintel's demo. It simulates the page on
which Reddit asks whether an application may learn who you are. Choose any user name. You need no
password; do not type one.</p>
<form method="post">
<p><label>User name
<input name="username" value="demo_reader" pattern="[A-Za-z0-9_-]{{3,20}}" required></label></p>
<p>newsintel asks for: {scopes}.</p>
<p><button name="decision" value="allow">Allow</button>
<button name="decision" value="deny" formnovalidate>Decline</button></p>
</form>
</body>
</html>
"""
_BAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>bad request (simulated Reddit)</title></head>
<body><h1>bad request (simulated Reddit)</h1>
<p>you sent an invalid request: {what}</p></body></html>
"""


@frozen
class _Code:
    """What a person allowed, stored under its code."""

    username: str
    redirect_uri: str
    scope: str
    permanent: bool
    until: float


@define
class RedditPeople:
    """What people allowed.

    Attributes:
        client_id: of the one registered application.
    """

    client_id: str
    _codes: dict[str, _Code] = field(factory=dict)
    _refresh: dict[str, str] = field(factory=dict)
    _issued: int = 0

    def reset(self) -> None:
        """Revoke everything."""
        self._codes.clear()
        self._refresh.clear()

    def answer_authorize(self, request: Request, at: float) -> Reply:
        """Show the page, or redirect the browser back with the person's decision."""
        query = request.query
        if (wrong := self._find_invalid_parameter(query)) is not None:
            return Reply.html(400, _BAD.format(what=html.escape(wrong)))
        if request.method != "POST":
            return Reply.html(
                200, _PAGE.format(scopes=html.escape(", ".join(_split_scopes(query))))
            )
        form = dict(parse_qsl(request.body.decode("latin-1")))
        if form.get("decision") != "allow":
            return _redirect_back(query, error="access_denied")
        if not _NAME.fullmatch(form.get("username", "")):
            return Reply.html(400, _BAD.format(what="username"))
        self._issued += 1
        code = f"demo-code-{self._issued}"
        permanent = query.get("duration") == "permanent"
        self._codes[code] = _Code(
            form["username"],
            query["redirect_uri"],
            " ".join(_split_scopes(query)),
            permanent,
            at + CODE_LIFETIME_S,
        )
        return _redirect_back(query, code=code)

    def redeem_code(self, form: Mapping[str, str], at: float) -> tuple[str, str, str | None] | None:
        """Return user name, scope and refresh token for a code, once; None for an invalid code."""
        code = self._codes.pop(form.get("code", ""), None)
        if code is None or code.until <= at or form.get("redirect_uri") != code.redirect_uri:
            return None
        if not code.permanent:
            return code.username, code.scope, None
        self._issued += 1
        token = f"demo-refresh-{self._issued}"
        self._refresh[token] = code.username
        return code.username, code.scope, token

    def revoke_token(self, token: str) -> str | None:
        """Revoke a refresh token. Returns its user name, or None if the token is unknown."""
        return self._refresh.pop(token, None)

    def _find_invalid_parameter(self, query: Mapping[str, str]) -> str | None:
        """Return the first invalid parameter, for which Reddit shows an error page, or None."""
        checks = {
            "client_id": query.get("client_id") == self.client_id,
            "response_type": query.get("response_type") == "code",
            "state": bool(query.get("state")),
            "redirect_uri": _is_callback(query.get("redirect_uri", "")),
            "duration": query.get("duration", "temporary") in ("temporary", "permanent"),
            "scope": bool(_split_scopes(query)) and set(_split_scopes(query)) <= KNOWN_SCOPES,
        }
        return next((name for name, right in checks.items() if not right), None)


def _is_callback(address: str) -> bool:
    """Return whether it is a callback on this machine, in characters that a header allows."""
    if not (address.isascii() and address.isprintable()):
        return False
    try:
        to = urlsplit(address)
    except ValueError:
        return False
    return (
        to.scheme in ("http", "https")
        and to.hostname in _LOCAL
        and to.path.endswith("/auth/reddit/callback")
    )


def describe_person(username: str) -> dict[str, object]:
    """Return the body of /api/v1/me. The id is derived from the name."""
    number = hashlib.sha256(username.lower().encode()).hexdigest()[:8]
    return {
        "name": username,
        "id": number,
        "created_utc": 1500000000.0,
        "is_suspended": False,
        "over_18": False,
        "icon_img": "",
    }


def _split_scopes(query: Mapping[str, str]) -> list[str]:
    return [scope for scope in re.split(r"[ ,]+", query.get("scope", "")) if scope]


def _redirect_back(query: Mapping[str, str], **answer: str) -> Reply:
    location = f"{query['redirect_uri']}?{urlencode({'state': query['state'], **answer})}#_"
    return Reply(302, b"", {"Location": location})
