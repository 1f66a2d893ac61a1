"""GET and DELETE /me: the account that the caller is signed in to."""

from datetime import timedelta

from quart import Response

from newsintel.domain.accounts.model import Access
from newsintel.errors import UnavailableError
from newsintel.http.bodies.personal import account_body
from newsintel.http.bodies.schemas import ref
from newsintel.http.request.access import account
from newsintel.http.request.query_string import Given
from newsintel.http.response.answers import answer_empty, answer_json
from newsintel.http.response.cookies import clear_session
from newsintel.http.route import Method, Route
from newsintel.http.routes.forget_searches import forget_searches
from newsintel.http.services import Services
from newsintel.runtime.telemetry.logs import get_logger

log = get_logger(__name__)

DELETION = timedelta(minutes=1)
"""Longer than a deletion takes: what the account searches for meanwhile is not recorded, and so need not be looked for afterwards."""


def routes() -> tuple[Route, ...]:
    """The address of the account."""
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


async def shown(_services: Services, _given: Given) -> Response:
    """Answer the account."""
    return answer_json(account_body(account()))


async def deleted(services: Services, _given: Given) -> Response:
    """Delete the account's row, with which all that refers to it goes; then its sessions, which nobody can use any more.

    Before that its provider's tokens are revoked, and its searches deleted a few thousand at a time: there may be more of them than one
    transaction should take. Whatever fails until the row is gone leaves an account that can be deleted again.
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
