"""GET /me/page: the account as a page, where a sign-in leads.

Without a session it shows the ways to sign in. `me_form` takes its forms.
"""

from typing import Any

from attrs import frozen
from quart import Response

from newsintel.domain.accounts.model import Access, Account
from newsintel.domain.accounts.sign_in import HOME_PATH, choose_return_path
from newsintel.domain.personal.model import FeedList
from newsintel.domain.search.query_model import Dedupe, Sort
from newsintel.errors import SignInUnavailableError
from newsintel.http.bodies.alerts import build_saved_search
from newsintel.http.bodies.personal import build_search_row
from newsintel.http.request.access import get_current_caller
from newsintel.http.request.query_kinds import free_text
from newsintel.http.request.query_string import Parameter
from newsintel.http.response.html_page import answer_page, render_current_page
from newsintel.http.route import PAGE_MEDIA, Route
from newsintel.http.routes.api_keys import build_key_row
from newsintel.http.routes.auth import describe_providers
from newsintel.http.routes.private_feeds import build_feed_row
from newsintel.http.routes.sessions import SESSIONS, build_session_row
from newsintel.http.routes.store_failures import report_store_failure
from newsintel.http.services import Services
from newsintel.runtime.turns import run_in_turns

SEARCHES = 20
"""The latest searches that the page lists."""


@frozen
class MeParameters:
    """The values of GET /me/page."""

    next: str | None


def build_routes() -> tuple[Route, ...]:
    """The route of the page."""
    following = Parameter(
        "next", free_text(), "Where to go after a sign-in, a path of this service."
    )
    return (
        Route(
            HOME_PATH,
            show_me,
            "Your account as a page: sign in, history, preferences, keys, feeds, sessions",
            {200: None},
            takes=(following,),
            problems=("not_ready", "busy", "archive_timeout"),
            media=PAGE_MEDIA,
        ),
    )


async def show_me(services: Services, given: MeParameters) -> Response:
    """Answer with the account's page; without a session, with the ways to sign in."""
    caller = get_current_caller()
    if caller.doubt:
        raise SignInUnavailableError("We cannot identify you right now. Try again in a moment.")
    if caller.account is None or caller.access is not Access.SESSION:
        values = {"ways": describe_providers(services), "next": choose_return_path(given.next)}
        return await answer_me("sign_in.html", values)
    return await answer_account(services, caller.account)


async def answer_account(services: Services, account: Account, **made: str) -> Response:
    """Answer with the account's page.

    Args:
        services: have everything.
        account: of the session.
        made: a secret that was just made, and is shown this once: `key`, or `feed_url`.
    """
    with report_store_failure(SESSIONS):
        sessions = await services.accounts.sessions.list_of_user(account.public_id)
    searches = await services.personal.own_history.list_page(account.id, SEARCHES, None)
    watched = await services.alerts.searches.list_of_user(account.id)
    values: dict[str, Any] = {
        "account": account,
        "stopped": [build_saved_search(one) for one in watched if not one.works],
        "searches": [build_search_row(one) for one in searches.searches],
        "preferences": await services.personal.preferences.get_all(account.id),
        "sources": tuple(services.settings.source),
        "sorts": tuple(Sort),
        "dedupes": tuple(Dedupe),
        "lists": tuple(FeedList),
        "keys": [
            build_key_row(one) for one in await services.accounts.api_keys.list_of_user(account.id)
        ],
        "feeds": [
            build_feed_row(one) for one in await services.personal.feeds.list_of_user(account.id)
        ],
        "sessions": [build_session_row(one) for one in sessions],
        "public_url": services.settings.public_url,
        "made": made,
    }
    return await answer_me("me.html", values)


async def answer_me(template: str, values: dict[str, Any]) -> Response:
    """Answer with a page that no page that opened it can control (ASVS 5.0, 3.4.8)."""
    body = await run_in_turns(render_current_page(template, values))
    return answer_page(body, headers={"Cross-Origin-Opener-Policy": "same-origin"})
