"""GET /me/page: the account page, where a sign-in leads.

It shows the account, makes API keys and shows each once, revokes them, and signs out.
"""

from datetime import datetime
from importlib.resources import files

from quart import Response, render_template, request

from newsintel.domain.accounts.model import Access
from newsintel.domain.accounts.sign_in import HOME_PATH
from newsintel.errors import SignInUnavailableError
from newsintel.http.request.access import get_current_caller
from newsintel.http.response.browser_page import with_error_pages
from newsintel.http.response.fixed_answer import FixedAnswer
from newsintel.http.route import Route
from newsintel.http.routes.auth import describe_providers
from newsintel.http.services import Services

CONTENT_POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    b"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""The page may load its own script and style, and send requests to this service. Nothing inline and
nothing from other origins is allowed (OWASP ASVS 5.0, 3.4.3)."""

ASSETS = {"account.css": "text/css; charset=utf-8", "account.js": "text/javascript; charset=utf-8"}


def build_routes() -> tuple[Route, ...]:
    """The routes of the page and of its script and style."""
    about = "Your account as a page: sign in, API keys, sign out"
    shown = Route(
        HOME_PATH,
        with_error_pages(HOME_PATH, show_account_page),
        about,
        {200: None},
        problems=("not_ready",),
        media="text/html",
    )
    return (shown, *(_build_asset_route(name, kind) for name, kind in ASSETS.items()))


async def show_account_page(services: Services) -> Response:
    """Answer with the account page; without a session, with the ways to sign in."""
    who = get_current_caller()
    if who.doubt:
        raise SignInUnavailableError("We cannot identify you right now. Try again in a moment.")
    account = who.account if who.access is Access.SESSION else None
    keys = await services.accounts.api_keys.list_of_user(account.id) if account else ()
    shown = {
        "account": account,
        "keys": keys,
        "ways": describe_providers(services),
        "public_url": services.settings.public_url,
    }
    text = await render_template("account.html", **shown, day=_format_day)
    request.scope["state"]["policy"] = CONTENT_POLICY
    # ASVS 3.4.8: a page that opened this one cannot control it.
    headers = {"Cache-Control": "no-store", "Cross-Origin-Opener-Policy": "same-origin"}
    return Response(text, headers=headers, content_type="text/html; charset=utf-8")


def _format_day(moment: datetime | None) -> str:
    """Return the day in UTC; empty text for None."""
    return f"{moment:%Y-%m-%d}" if moment else ""


def _build_asset_route(name: str, kind: str) -> Route:
    body = files("newsintel.http").joinpath("static", name).read_bytes()
    # It changes only with releases, and is the same for signed-in browsers.
    view = FixedAnswer.of_text(body, kind, cache_control="public, max-age=300")
    media = kind.partition(";")[0]
    return Route(f"/static/{name}", view, "A part of the pages", {200: None}, media=media)
