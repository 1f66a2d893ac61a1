"""GET and DELETE /me: the account that the caller is signed in to."""

import logging

from quart import Response

from newsintel.account_model import Access
from newsintel.codec import to_json
from newsintel.errors import UnavailableError
from newsintel.http.access import account
from newsintel.http.cookies import clear_session
from newsintel.http.schemas import ref
from newsintel.http.services import Services
from newsintel.http.table import Given, Method, Route
from newsintel.personal_views import account_body

log = logging.getLogger(__name__)


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
    return Response(to_json(account_body(account())), content_type="application/json")


async def deleted(services: Services, _given: Given) -> Response:
    """Delete the account's row, with which all that refers to it goes; then its sessions, which nobody can use any more.

    The searches go first, a few thousand at a time: there may be more of them than one transaction should take.
    """
    user_id = account().id
    await services.own_history.clear(user_id, services.now())
    await services.links.unlink(user_id)  # while its tokens are still there to be revoked
    await services.account_data.delete(user_id)
    try:
        await services.sessions.end_all(user_id)
    except UnavailableError as error:
        log.warning("sessions of a deleted account lapse by themselves", extra={"reason": str(error)})
    response = Response(b"", status=204)
    clear_session(response, services.settings)
    return response
