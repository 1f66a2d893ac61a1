"""GET and POST /unsubscribe/{channel}/{token}: ends the alerts of one channel, without sign-in.

Mail programs POST to the address in a mail's List-Unsubscribe (RFC 8058); its body says nothing
new. GET only shows a page with a button, because programs that check links follow them.
"""

from attrs import frozen
from quart import Response
from werkzeug.exceptions import NotFound

from newsintel.domain.alerts.unsubscribing import is_signed
from newsintel.http.bodies.schemas import FEED_SECRET
from newsintel.http.paths import UNSUBSCRIBE
from newsintel.http.response.html_page import answer_page, render_current_page
from newsintel.http.route import PAGE_MEDIA, Method, Route
from newsintel.http.routes.ids import opaque_id
from newsintel.http.services import Services
from newsintel.runtime.telemetry.logs import get_logger
from newsintel.runtime.turns import run_in_turns

log = get_logger(__name__)

REASON = "Unsubscribed by a link in a mail."

MISSING = "This link does not belong to an alert. It may have been deleted."

IN_PATH = {
    "channel": opaque_id({"type": "string", "pattern": "^[1-9][0-9]{0,17}$"}, MISSING),
    "token": opaque_id(FEED_SECRET, MISSING),
}


@frozen
class UnsubscribeParameters:
    """The values of /unsubscribe/{channel}/{token}."""

    channel: str
    token: str


def build_routes() -> tuple[Route, ...]:
    """The routes of the page."""
    path = UNSUBSCRIBE + "{channel}/{token}"
    return (
        Route(
            path,
            ask_to_unsubscribe,
            "A page that asks whether alerts shall end",
            {200: None},
            in_path=IN_PATH,
            problems=("not_found",),
            media=PAGE_MEDIA,
        ),
        Route(
            path,
            unsubscribe,
            "End the alerts of a channel with one click (RFC 8058)",
            {200: None},
            method=Method.POST,
            in_path=IN_PATH,
            problems=("not_found", "busy", "archive_timeout"),
            media=PAGE_MEDIA,
            secret_address=True,
        ),
    )


async def ask_to_unsubscribe(services: Services, given: UnsubscribeParameters) -> Response:
    """Answer with a page that has a button. No store is asked."""
    _check(services, given)
    return await _answer(name=None)


async def unsubscribe(services: Services, given: UnsubscribeParameters) -> Response:
    """End the channel; a repeat changes nothing."""
    channel = _check(services, given)
    name = await services.alerts.deliveries.end_channel(channel, REASON, services.now())
    if name is None:
        raise NotFound(MISSING)
    log.info("alert_unsubscribed", channel=channel)
    return await _answer(name)


def _check(services: Services, given: UnsubscribeParameters) -> int:
    """Return the number of the channel; 404 if its token is not ours."""
    channel = int(given.channel)
    if not is_signed(services.alerts.unsubscribing, channel, given.token):
        raise NotFound(MISSING)
    return channel


async def _answer(name: str | None) -> Response:
    body = await run_in_turns(render_current_page("unsubscribe.html", {"ended": name}))
    return answer_page(body, headers={"X-Robots-Tag": "noindex"})
