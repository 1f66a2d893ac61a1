"""/me/preferences: the caller's preferences."""

from typing import Any

from attrs import frozen
from quart import Response
from werkzeug.exceptions import Conflict, NotFound

from newsintel.domain.accounts.model import Access
from newsintel.domain.personal.model import Put
from newsintel.domain.personal.preferences import MAX_KEYS, checked, too_large
from newsintel.errors import PoisonedBatchError
from newsintel.http.bodies.schemas import ref
from newsintel.http.request.access import account
from newsintel.http.request.json_body import Member
from newsintel.http.request.json_kinds import anything
from newsintel.http.response.answers import answer_empty, answer_json
from newsintel.http.route import Method, Route
from newsintel.http.routes.ids import PREFERENCE
from newsintel.http.services import Services

VALUE = Member("value", anything(), "Any JSON of at most 4 KiB. Searches use some keys, which have rules.", required=True)


@frozen
class KeyParameters:
    """The values of GET and DELETE /me/preferences/{key}."""

    key: str


@frozen
class ValueParameters(KeyParameters):
    """The values of PUT /me/preferences/{key}."""

    value: Any


def routes() -> tuple[Route, ...]:
    """The routes of preferences."""
    one, away = {"key": PREFERENCE}, ("busy", "archive_timeout")
    return (
        Route("/me/preferences", listed, "Your preferences", {200: ref("Preferences")}, problems=away, need=Access.READ),
        Route(
            "/me/preferences/{key}",
            shown,
            "One preference",
            {200: ref("Preference")},
            in_path=one,
            problems=("not_found", *away),
            need=Access.READ,
        ),
        Route(
            "/me/preferences/{key}",
            put,
            "Set a preference",
            {200: ref("Preference"), 201: ref("Preference")},
            in_path=one,
            problems=("conflict", *away),
            method=Method.PUT,
            need=Access.WRITE,
            body=(VALUE,),
        ),
        Route(
            "/me/preferences/{key}",
            deleted,
            "Forget a preference",
            {204: None},
            in_path=one,
            problems=("not_found", *away),
            method=Method.DELETE,
            need=Access.WRITE,
        ),
    )


async def listed(services: Services) -> Response:
    """Answer with all preferences of the account."""
    return answer_json({"preferences": await services.personal.preferences.all(account().id)})


async def shown(services: Services, given: KeyParameters) -> Response:
    """Answer with one value."""
    kept = await services.personal.preferences.all(account().id)
    if given.key not in kept:
        raise NotFound("You have no preference with this key.")
    return answer_json({"value": kept[given.key]})


async def put(services: Services, given: ValueParameters) -> Response:
    """Store a value in canonical form; answer 201 if the key is new."""
    key = given.key
    value = checked(key, given.value, tuple(services.settings.source))
    try:
        done = await services.personal.preferences.put(account().id, key, value, services.now())
    except PoisonedBatchError:
        # PostgreSQL refuses one thing that `checked` accepts: numbers such as 1e300, which it
        # writes with all digits.
        raise too_large(key) from None
    if done is Put.FULL:
        raise Conflict(f"You already have {MAX_KEYS} preferences. Forget one first.")
    return answer_json({"value": value}, status=201 if done is Put.NEW else 200)


async def deleted(services: Services, given: KeyParameters) -> Response:
    """Forget a value."""
    if not await services.personal.preferences.delete(account().id, given.key):
        raise NotFound("You have no preference with this key.")
    return answer_empty()
