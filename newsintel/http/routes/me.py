"""GET and DELETE /me: the account that the caller is signed in to."""

from datetime import timedelta

from quart import Response

from newsintel.domain.accounts.model import Access
from newsintel.errors import UnavailableError
from newsintel.http.bodies.personal import account_body
from newsintel.http.bodies.schemas import ref
from newsintel.http.request.access import account
from newsintel.http.response.answers import answer_empty, answer_json
from newsintel.http.response.cookies import clear_session
from newsintel.http.route import Method, Route
from newsintel.http.routes.forget_searches import forget_searches
from newsintel.http.services import Services
from newsintel.runtime.telemetry.logs import get_logger

log = get_logger(__name__)

DELETION = timedelta(minutes=1)
"""Longer than a deletion takes. Searches that the account makes within this time are not recorded,
so nothing is left to delete afterwards."""


def routes() -> tuple[Route, ...]:
    """The routes of the account."""
    return (
        Route("/me", shown, "The account you are signed in to", {200: ref("Account")}, need=Access.READ),
        Route(
            "/me",
            deleted,
            "Delete the account and everything that belongs to it, for good",
            {204: None},
            problems=("busy", "archive_timeout"),
            method=Method.DELETE,
            need=Access.SESSION,
        ),
    )


async def shown(_services: Services) -> Response:
    """Answer with the account."""
    return answer_json(account_body(account()))


async def deleted(services: Services) -> Response:
    """Delete the account.

    First, its provider's tokens are revoked. Then its searches are deleted in batches of a few
    thousand, because there may be too many for one transaction. Then its row is deleted, and with
    it every row that refers to it. Last, its sessions end; they are already useless without the
    row. If a step before the deletion of the row fails, the account stays and can be deleted again.
    """
    user_id = account().id
    await services.accounts.links.unlink(user_id)
    await forget_searches(services, account(), services.now() + DELETION)
    await services.personal.account_data.delete(user_id)
    log.info("account_deleted", account=account().public_id)
    try:
        await services.accounts.sessions.end_all(user_id)
    except UnavailableError as error:
        log.warning("sessions_left_to_lapse", account=account().public_id, reason=str(error))
    response = answer_empty()
    clear_session(response, services.settings)
    return response
