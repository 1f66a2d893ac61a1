"""/me/preferences: the caller's preferences."""

from typing import Any

from attrs import frozen
from quart import Response
from werkzeug.exceptions import Conflict, NotFound

from newsintel.domain.accounts.model import Access
from newsintel.domain.personal.model import PutResult
from newsintel.domain.personal.preferences import MAX_KEYS, check_preference, too_large_error
from newsintel.errors import PoisonedBatchError
from newsintel.http.bodies.schemas.parts import ref
from newsintel.http.request.access import get_current_account
from newsintel.http.request.json_body import Member
from newsintel.http.request.json_kinds import any_json
from newsintel.http.response.answers import answer_empty, answer_json
from newsintel.http.route import Method, Route
from newsintel.http.routes.ids import PREFERENCE
from newsintel.http.services import Services

VALUE = Member(
    "value",
    any_json(),
    "Any JSON of at most 4 KiB. Searches use some keys, which have rules.",
    required=True,
)


@frozen
class KeyParameters:
    """The values of GET and DELETE /me/preferences/{key}."""

    key: str


@frozen
class ValueParameters(KeyParameters):
    """The values of PUT /me/preferences/{key}."""

    value: Any


def build_routes() -> tuple[Route, ...]:
    """The routes of preferences."""
    one, away = {"key": PREFERENCE}, ("busy", "archive_timeout")
    return (
        Route(
            "/me/preferences",
            list_preferences,
            "Your preferences",
            {200: ref("Preferences")},
            problems=away,
            need=Access.READ,
        ),
        Route(
            "/me/preferences/{key}",
            get_preference,
            "One preference",
            {200: ref("Preference")},
            in_path=one,
            problems=("not_found", *away),
            need=Access.READ,
        ),
        Route(
            "/me/preferences/{key}",
            put_preference,
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
            delete_preference,
            "Forget a preference",
            {204: None},
            in_path=one,
            problems=("not_found", *away),
            method=Method.DELETE,
            need=Access.WRITE,
        ),
    )


async def list_preferences(services: Services) -> Response:
    """Answer with all preferences of the account."""
    return answer_json(
        {"preferences": await services.personal.preferences.get_all(get_current_account().id)}
    )


async def get_preference(services: Services, given: KeyParameters) -> Response:
    """Answer with one value."""
    kept = await services.personal.preferences.get_all(get_current_account().id)
    if given.key not in kept:
        raise NotFound("You have no preference with this key.")
    return answer_json({"value": kept[given.key]})


async def put_preference(services: Services, given: ValueParameters) -> Response:
    """Store a value in canonical form; answer 201 if the key is new."""
    key = given.key
    value = check_preference(key, given.value, tuple(services.settings.source))
    try:
        done = await services.personal.preferences.put(
            get_current_account().id, key, value, services.now()
        )
    except PoisonedBatchError:
        # PostgreSQL refuses one thing that `check_preference` accepts: numbers such as 1e300, which
        # it writes with all digits.
        raise too_large_error(key) from None
    if done is PutResult.FULL:
        raise Conflict(f"You already have {MAX_KEYS} preferences. Forget one first.")
    return answer_json({"value": value}, status=201 if done is PutResult.NEW else 200)


async def delete_preference(services: Services, given: KeyParameters) -> Response:
    """Forget a value."""
    if not await services.personal.preferences.delete(get_current_account().id, given.key):
        raise NotFound("You have no preference with this key.")
    return answer_empty()
