"""POST /alerts: the forms of the page of saved searches, for browsers with and without scripts.

Each does what the API does with JSON, by the same functions.
"""

from collections.abc import Awaitable, Callable

from attrs import asdict, frozen
from quart import Response

from newsintel.config.settings import Settings
from newsintel.domain.accounts.model import Access
from newsintel.domain.alerts.digests import Every, is_time_zone
from newsintel.errors import InvalidBodyError
from newsintel.http.paths import ALERTS
from newsintel.http.request.alert_members import WantedChannel
from newsintel.http.request.json_body import LEFT_OUT
from newsintel.http.request.query_kinds import choice, free_text
from newsintel.http.request.query_string import Parameter
from newsintel.http.response.redirects import answer_see_other
from newsintel.http.route import PAGE_MEDIA, Method, Route
from newsintel.http.routes.alert_deliveries import send_tests
from newsintel.http.routes.ids import IdParameters
from newsintel.http.routes.pages.alerts_page import (
    DraftParameters,
    answer_alerts,
    declare_draft,
)
from newsintel.http.routes.saved_searches import (
    ChangeParameters,
    NewSearchParameters,
    change_search,
    create_search,
    delete_search,
)
from newsintel.http.services import Services


@frozen
class AlertsFormParameters(DraftParameters):
    """The values of POST /alerts."""

    do: str
    id: str | None


async def _create(services: Services, given: AlertsFormParameters) -> Response:
    channel = WantedChannel(given.kind, given.to or "")
    asked = NewSearchParameters(
        _choose_name(given),
        given.query,
        (channel,),
        Every(given.every),
        _read_time_zone(given),
        later_members=given.later_members == "1",
    )
    made = await (await create_search(services, asked)).get_json()
    return await answer_alerts(services, asdict(given) | {"search": None}, {"made": made})


async def _change(services: Services, given: AlertsFormParameters) -> Response:
    """Its channels stay."""
    if given.edit is None:
        raise InvalidBodyError("edit", "required", "edit is required")
    asked = ChangeParameters(
        given.edit,
        _choose_name(given),
        given.query,
        LEFT_OUT,
        Every(given.every),
        _read_time_zone(given),
        later_members=given.later_members == "1",
        paused=LEFT_OUT,
    )
    await change_search(services, asked)
    return answer_see_other(f"alerts?search={given.edit}")


def _choose_name(given: AlertsFormParameters) -> str:
    name = given.name or given.q or given.publisher or ", ".join(given.sources or ())
    if not name:
        raise InvalidBodyError("q", "required", "q must say what to look for")
    return name[:100]


def _read_time_zone(given: AlertsFormParameters) -> str:
    time_zone = given.time_zone or "UTC"
    if not is_time_zone(time_zone):
        raise InvalidBodyError(
            "time_zone", "invalid", "time_zone must be an IANA name, such as Europe/Berlin"
        )
    return time_zone


async def _pause(services: Services, given: AlertsFormParameters) -> Response:
    return await _set_paused(services, given, paused=True)


async def _resume(services: Services, given: AlertsFormParameters) -> Response:
    return await _set_paused(services, given, paused=False)


async def _set_paused(services: Services, given: AlertsFormParameters, *, paused: bool) -> Response:
    left = LEFT_OUT
    await change_search(
        services, ChangeParameters(_read_id(given), left, left, left, left, left, left, paused)
    )
    return answer_see_other("alerts")


async def _delete(services: Services, given: AlertsFormParameters) -> Response:
    await delete_search(services, IdParameters(_read_id(given)))
    return answer_see_other("alerts")


async def _test(services: Services, given: AlertsFormParameters) -> Response:
    search = _read_id(given)
    await send_tests(services, IdParameters(search))
    return answer_see_other(f"alerts?search={search}")


ACTIONS: dict[str, Callable[[Services, AlertsFormParameters], Awaitable[Response]]] = {
    "create": _create,
    "change": _change,
    "pause": _pause,
    "resume": _resume,
    "delete": _delete,
    "test": _test,
}


def build_routes(settings: Settings) -> tuple[Route, ...]:
    """The route of the forms."""
    return (
        Route(
            ALERTS,
            change_alerts,
            "The forms of the page of saved searches",
            {200: None, 303: None},
            problems=("not_found", "conflict", "busy", "archive_timeout"),
            method=Method.POST,
            need=Access.SESSION,
            form=(
                Parameter("do", choice(*ACTIONS), "What to do.", required=True),
                Parameter("id", free_text(), "Of the saved search; for all but create and change."),
                *declare_draft(settings),
            ),
            media=PAGE_MEDIA,
        ),
    )


async def change_alerts(services: Services, given: AlertsFormParameters) -> Response:
    """Do it, and show the page again."""
    return await ACTIONS[given.do](services, given)


def _read_id(given: AlertsFormParameters) -> str:
    if given.id is None:
        raise InvalidBodyError("id", "required", "id is required")
    return given.id
