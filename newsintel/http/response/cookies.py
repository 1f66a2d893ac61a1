"""The two cookies: one for the session, one for a browser that is at a sign-in provider.

Scripts cannot read them (HttpOnly). They are SameSite=Lax: with Strict, the browser would not send
them when a provider redirects it back. Over https both have the __Host- prefix, so that no other
host and no path can set them (rfc6265bis, 4.1.3.2).
"""

from quart import Response, request

from newsintel.config.settings import Settings
from newsintel.http.request.credentials import SESSION_ID_PATTERN, find_cookie, name_session_cookie


def name_leaving_cookie(settings: Settings) -> str:
    """Return the name of the cookie of a browser that is at a provider."""
    return (
        "__Host-newsintel-leaving"
        if settings.public_url.startswith("https://")
        else "newsintel_leaving_dev"
    )


def read_cookie(name: str) -> str | None:
    """Return a cookie of the current request; None if it does not have the form of our cookies."""
    value = find_cookie(request.scope["headers"], name)
    return value if value and SESSION_ID_PATTERN.fullmatch(value) else None


def set_session_cookie(response: Response, settings: Settings, session_id: str) -> None:
    """Sign the browser in."""
    _add_cookie(response, name_session_cookie(settings), session_id, round(settings.session_max_s))


def clear_session_cookie(response: Response, settings: Settings) -> None:
    """Sign the browser out."""
    _add_cookie(response, name_session_cookie(settings), "", 0)


def set_leaving_cookie(response: Response, settings: Settings, value: str, keep_s: int) -> None:
    """Mark that the browser is at a provider."""
    _add_cookie(response, name_leaving_cookie(settings), value, keep_s)


def clear_leaving_cookie(response: Response, settings: Settings) -> None:
    """Remove the mark."""
    _add_cookie(response, name_leaving_cookie(settings), "", 0)


def _add_cookie(response: Response, name: str, value: str, max_age_s: int) -> None:
    secure = "; Secure" if name.startswith("__Host-") else ""
    response.headers.add(
        "Set-Cookie", f"{name}={value}; Max-Age={max_age_s}; Path=/; HttpOnly; SameSite=Lax{secure}"
    )
