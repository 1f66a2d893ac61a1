"""What a saved search has sent: the delivery log, tests, and new signing secrets.

Everything of somebody else is a 404.
"""

from typing import Any

from attrs import frozen
from quart import Response
from werkzeug.exceptions import NotFound

from newsintel.domain.accounts.model import Access
from newsintel.domain.alerts.delivery_model import LoggedAttempt, LoggedDelivery
from newsintel.domain.text.moments import format_time
from newsintel.domain.text.request_urls import MAX_ADDRESS
from newsintel.http.bodies.schemas.parts import ref
from newsintel.http.request.access import get_current_account
from newsintel.http.request.json_body import Member
from newsintel.http.request.json_kinds import string
from newsintel.http.response.answers import answer_json
from newsintel.http.route import Method, Route
from newsintel.http.routes.ids import SAVED_SEARCH, IdParameters
from newsintel.http.services import Services
from newsintel.runtime.telemetry.logs import get_logger

log = get_logger(__name__)

TO = Member("to", string(1, MAX_ADDRESS), "The address of one of its webhooks.", required=True)


@frozen
class SecretParameters(IdParameters):
    """The values of POST /me/searches/{id}/secret."""

    to: str


def build_routes() -> tuple[Route, ...]:
    """The routes of deliveries."""
    problems = ("not_found", "busy", "archive_timeout")
    return (
        Route(
            "/me/searches/{id}/deliveries",
            list_deliveries,
            "The newest 50 deliveries of a saved search, each with its attempts",
            {200: ref("Deliveries")},
            in_path={"id": SAVED_SEARCH},
            need=Access.READ,
            problems=problems,
        ),
        Route(
            "/me/searches/{id}/test",
            send_tests,
            "Send a test to each channel of a saved search, at most one a minute. The result "
            "appears among its deliveries.",
            {202: ref("Tests")},
            method=Method.POST,
            in_path={"id": SAVED_SEARCH},
            need=Access.WRITE,
            problems=problems,
        ),
        Route(
            "/me/searches/{id}/secret",
            rotate_secret,
            "Make a new signing secret for a webhook. For a day the one before signs too.",
            {201: ref("NewSecret")},
            method=Method.POST,
            in_path={"id": SAVED_SEARCH},
            need=Access.SESSION,
            body=(TO,),
            problems=problems,
        ),
    )


async def list_deliveries(services: Services, given: IdParameters) -> Response:
    """Answer with the delivery log."""
    found = await services.alerts.deliveries.list_log(get_current_account().id, given.id)
    if found is None:
        raise NotFound("You have no saved search with this id.")
    return answer_json({"deliveries": [build_delivery_row(one) for one in found]})


async def send_tests(services: Services, given: IdParameters) -> Response:
    """Put tests into the outbox; the deliverer sends them within seconds."""
    user_id = get_current_account().id
    tests = await services.alerts.deliveries.create_tests(user_id, given.id, services.now())
    if tests is None:
        raise NotFound("You have no saved search with this id.")
    return answer_json({"tests": tests}, status=202)


async def rotate_secret(services: Services, given: SecretParameters) -> Response:
    """Make a secret. Only this response shows it."""
    account = get_current_account()
    secret = await services.alerts.deliveries.rotate_secret(
        account.id, given.id, given.to, services.now()
    )
    if secret is None:
        raise NotFound("You have no saved search with this id and webhook.")
    log.info("webhook_secret_rotated", account=account.public_id, search=given.id)
    return answer_json({"secret": secret}, status=201)


def build_delivery_row(delivery: LoggedDelivery) -> dict[str, Any]:
    """Return a delivery as its person sees it."""
    return {
        "id": delivery.id,
        "kind": delivery.kind,
        "to": delivery.address,
        "state": delivery.state,
        "test": delivery.is_test,
        "stories": delivery.stories,
        "created_at": format_time(delivery.created_at),
        "due_at": format_time(delivery.due_at),
        "attempts": [_build_attempt(one) for one in delivery.attempts],
    }


def _build_attempt(attempt: LoggedAttempt) -> dict[str, Any]:
    return {
        "attempted_at": format_time(attempt.attempted_at),
        "outcome": attempt.outcome,
        "status_code": attempt.status_code,
        "detail": attempt.detail,
        "latency_ms": attempt.latency_ms,
    }
