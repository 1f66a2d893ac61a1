"""GET and DELETE /me/sessions: list and end the account's sessions."""

import base64

from quart import Response
from werkzeug.exceptions import NotFound

from newsintel.domain.accounts.model import Access, Session
from newsintel.domain.text.moments import format_time
from newsintel.http.bodies.schemas.parts import ref
from newsintel.http.request.access import get_current_account, get_current_caller
from newsintel.http.response.answers import answer_empty, answer_json
from newsintel.http.response.cookies import clear_session_cookie
from newsintel.http.route import Method, Route
from newsintel.http.routes.ids import SESSION, IdParameters
from newsintel.http.routes.store_failures import report_store_failure
from newsintel.http.services import Services

SESSIONS = "Your sessions are"
"""What a failure of Redis makes unavailable."""


def build_routes() -> tuple[Route, ...]:
    """The routes of sessions."""
    return (
        Route(
            "/me/sessions",
            list_sessions,
            "Where you are signed in",
            {200: ref("Sessions")},
            need=Access.SESSION,
        ),
        Route(
            "/me/sessions",
            end_all_sessions,
            "Sign out everywhere",
            {204: None},
            method=Method.DELETE,
            need=Access.SESSION,
        ),
        Route(
            "/me/sessions/{id}",
            end_session,
            "Sign out in one place",
            {204: None},
            in_path={"id": SESSION},
            method=Method.DELETE,
            need=Access.SESSION,
            problems=("not_found",),
        ),
    )


async def list_sessions(services: Services) -> Response:
    """Answer with the account's sessions, the one seen last first."""
    with report_store_failure(SESSIONS):
        sessions = await services.accounts.sessions.list_of_user(get_current_account().public_id)
    return answer_json({"sessions": [build_session_row(session) for session in sessions]})


async def end_session(services: Services, given: IdParameters) -> Response:
    """End one session of the account."""
    account, sessions = get_current_account(), services.accounts.sessions
    with report_store_failure(SESSIONS):
        mine = await sessions.list_of_user(account.public_id)
        found = next((session for session in mine if derive_public_id(session) == given.id), None)
        if found is None or not await sessions.end_session(account.public_id, found.digest):
            raise NotFound("You have no session with this id.")
    response = answer_empty()
    if found.digest == get_current_caller().session:
        clear_session_cookie(response, services.settings)
    return response


async def end_all_sessions(services: Services) -> Response:
    """End every session of the account, and revoke the tokens that its provider gave us."""
    with report_store_failure(SESSIONS):
        await services.accounts.sessions.end_user_sessions(get_current_account().public_id)
    await services.accounts.links.revoke_all_tokens(get_current_account().id)
    response = answer_empty()
    clear_session_cookie(response, services.settings)
    return response


def derive_public_id(session: Session) -> str:
    """Return a session's public id: the first 100 bits of its digest, in base32.

    The cookie cannot be computed from it.
    """
    return "s_" + base64.b32encode(bytes.fromhex(session.digest)).decode().lower()[:20]


def build_session_row(session: Session) -> dict[str, object]:
    """Return a session as its owner sees it."""
    return {
        "id": derive_public_id(session),
        "client": session.client,
        "created_at": format_time(session.created_at),
        "last_seen_at": format_time(session.last_seen_at),
        "current": session.digest == get_current_caller().session,
    }
