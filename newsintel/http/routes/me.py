"""GET and DELETE /me: the account that the caller is signed in to."""

from datetime import timedelta

from quart import Response

from newsintel.domain.accounts.model import Access
from newsintel.errors import UnavailableError
from newsintel.http.bodies.personal import build_account_body
from newsintel.http.bodies.schemas.parts import ref
from newsintel.http.request.access import get_current_account
from newsintel.http.response.answers import answer_empty, answer_json
from newsintel.http.response.cookies import clear_session_cookie
from newsintel.http.route import Method, Route
from newsintel.http.routes.forget_searches import forget_searches
from newsintel.http.services import Services
from newsintel.runtime.telemetry.logs import get_logger

log = get_logger(__name__)

DELETION_MARGIN = timedelta(minutes=1)
"""Longer than a deletion takes. Searches that the account makes within this time are not recorded,
so nothing is left to delete afterwards."""


def build_routes() -> tuple[Route, ...]:
    """The routes of the account."""
    return (
        Route(
            "/me",
            get_account,
            "The account you are signed in to, and its saved searches whose alerts do not arrive",
            {200: ref("OwnAccount")},
            need=Access.READ,
            problems=("busy", "archive_timeout"),
        ),
        Route(
            "/me",
            delete_account,
            "Delete the account and everything that belongs to it, for good",
            {204: None},
            problems=("busy", "archive_timeout"),
            method=Method.DELETE,
            need=Access.SESSION,
        ),
    )


async def get_account(services: Services) -> Response:
    """Answer with the account. A search that stopped delivering would not be noticed otherwise."""
    account = get_current_account()
    searches = await services.alerts.searches.list_of_user(account.id)
    stopped = [{"id": one.public_id, "name": one.name} for one in searches if not one.works]
    return answer_json(build_account_body(account) | {"stopped_searches": stopped})


async def delete_account(services: Services) -> Response:
    """Delete the account.

    First, its provider's tokens are revoked. Then its searches are deleted in batches of a few
    thousand, because there may be too many for one transaction. Then its row is deleted, and with
    it every row that refers to it. Last, its sessions end; they are already useless without the
    row. If a step before the deletion of the row fails, the account stays and can be deleted again.
    """
    account = get_current_account()
    await services.accounts.links.revoke_all_tokens(account.id)
    await forget_searches(services, account, services.now() + DELETION_MARGIN)
    await services.personal.account_data.delete(account.id)
    log.info("account_deleted", account=account.public_id)
    try:
        await services.accounts.sessions.end_user_sessions(account.public_id)
    except UnavailableError as error:
        log.warning("sessions_left_to_lapse", account=account.public_id, reason=str(error))
    response = answer_empty()
    clear_session_cookie(response, services.settings)
    return response
