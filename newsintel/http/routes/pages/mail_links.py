"""The links in mails: /unsubscribe/{channel}/{token} and /confirm/{channel}/{token}.

Both work without sign-in. Mail programs POST to the address in a mail's List-Unsubscribe (RFC
8058); the body of such a request says nothing new. A GET only shows a page with a button, because
programs that check links follow them.
"""

from functools import partial

from attrs import frozen
from quart import Response
from werkzeug.exceptions import NotFound

from newsintel.domain.alerts.mail_tokens import MailAction, is_signed
from newsintel.http.bodies.schemas.parts import FEED_SECRET
from newsintel.http.paths import MAIL_LINKS
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

ABOUT = {
    MailAction.UNSUBSCRIBE: "End the alerts of a channel with one click (RFC 8058)",
    MailAction.CONFIRM: "Confirm that an address wants the alerts of a channel",
}


@frozen
class LinkParameters:
    """The values of a link."""

    channel: str
    token: str


def build_routes() -> tuple[Route, ...]:
    """The routes of both kinds of links."""
    return tuple(route for action in MailAction for route in _build_pair(action))


def _build_pair(action: MailAction) -> tuple[Route, Route]:
    path = MAIL_LINKS[action] + "{channel}/{token}"
    return (
        Route(
            path,
            partial(show_link, action),
            f"A page that asks first: {ABOUT[action].lower()}",
            {200: None},
            in_path=IN_PATH,
            problems=("not_found",),
            media=PAGE_MEDIA,
        ),
        Route(
            path,
            partial(follow_link, action),
            ABOUT[action],
            {200: None},
            method=Method.POST,
            in_path=IN_PATH,
            problems=("not_found", "busy", "archive_timeout"),
            media=PAGE_MEDIA,
            secret_address=True,
        ),
    )


async def show_link(action: MailAction, services: Services, given: LinkParameters) -> Response:
    """Answer with a page that has a button. No store is asked."""
    _check(action, services, given)
    return await _answer(action, name=None)


async def follow_link(action: MailAction, services: Services, given: LinkParameters) -> Response:
    """End or confirm the channel; a repeat changes nothing."""
    channel, deliveries = _check(action, services, given), services.alerts.deliveries
    if action is MailAction.CONFIRM:
        name = await deliveries.confirm_channel(channel, services.now())
    else:
        name = await deliveries.end_channel(channel, REASON, services.now())
    if name is None:
        raise NotFound(MISSING)
    log.info("mail_link_followed", action=action, channel=channel)
    return await _answer(action, name)


def _check(action: MailAction, services: Services, given: LinkParameters) -> int:
    """Return the number of the channel; 404 if its token is not ours."""
    channel = int(given.channel)
    if not is_signed(services.alerts.mail_signer, action, channel, given.token):
        raise NotFound(MISSING)
    return channel


async def _answer(action: MailAction, name: str | None) -> Response:
    values = {"action": action.value, "done": name}
    body = await run_in_turns(render_current_page("mail_link.html", values))
    return answer_page(body, headers={"X-Robots-Tag": "noindex"})
