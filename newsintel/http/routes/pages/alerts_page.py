"""GET /alerts: a person's saved searches as a page, with a form, a preview and the delivery log.

`alerts_form` takes its forms. The form for a new search asks for the preview with GET, so it works
without scripts and keeps what was typed.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from attrs import asdict, frozen
from quart import Response
from werkzeug.exceptions import NotFound

from newsintel.config.settings import Settings
from newsintel.domain.accounts.model import Access
from newsintel.domain.alerts.channels import ChannelKind
from newsintel.domain.alerts.digests import MAX_ZONE_CHARS, Every
from newsintel.domain.alerts.model import SavedSearch, WatchedQuery
from newsintel.domain.archive.model import Bar
from newsintel.domain.text.request_urls import MAX_ADDRESS
from newsintel.errors import InvalidBodyError
from newsintel.http.bodies.alerts import build_match_body, build_saved_search
from newsintel.http.bodies.schemas.parts import SAVED_SEARCH_ID
from newsintel.http.pages.timeline import Timeline, draw_timeline
from newsintel.http.paths import ALERTS
from newsintel.http.request.access import get_current_account
from newsintel.http.request.query_kinds import (
    choice,
    language_code,
    limited_text,
    matching_text,
    source_names,
)
from newsintel.http.request.query_string import Parameter
from newsintel.http.response.html_page import answer_page, render_current_page
from newsintel.http.route import PAGE_MEDIA, Route
from newsintel.http.routes.alert_deliveries import build_delivery_row
from newsintel.http.routes.saved_searches import UNKNOWN, read_preview
from newsintel.http.services import Services
from newsintel.runtime.turns import run_in_turns

SHOWN_MATCHES = 20

_SEARCH = matching_text(SAVED_SEARCH_ID, "the id of a saved search")


@frozen
class DraftParameters:
    """The fields of the form for a search, a new one or the one in `edit`."""

    edit: str | None
    name: str | None
    q: str | None
    publisher: str | None
    sources: tuple[str, ...] | None
    language: str | None
    kind: ChannelKind
    to: str | None
    every: str
    time_zone: str | None
    later_members: str

    @property
    def query(self) -> WatchedQuery:
        """The query that they describe."""
        return WatchedQuery(self.q, self.sources or (), self.publisher, self.language)

    @property
    def asks(self) -> bool:
        """Whether there is a query to preview."""
        return bool(self.q or self.sources or self.publisher)


@frozen
class AlertsParameters(DraftParameters):
    """The values of GET /alerts."""

    search: str | None


def declare_draft(settings: Settings) -> tuple[Parameter, ...]:
    """Return the fields of a search."""
    return (
        Parameter("edit", _SEARCH, "The saved search that the form changes; a new one by default."),
        Parameter("name", limited_text(100), "Of the search; by default its query."),
        Parameter("q", limited_text(256), "As GET /archive takes it."),
        Parameter("publisher", limited_text(256), "A publisher's whole name."),
        Parameter("sources", source_names(tuple(settings.source)), "A comma list; all by default."),
        Parameter("language", language_code(), "As GET /archive takes it."),
        Parameter("kind", choice(*ChannelKind), "How alerts are sent.", ChannelKind.FEED),
        Parameter("to", limited_text(MAX_ADDRESS), "Where alerts are sent."),
        Parameter("every", choice(*(one.value for one in Every)), "When.", Every.AT_ONCE.value),
        Parameter("time_zone", limited_text(MAX_ZONE_CHARS), "Of digests; UTC by default."),
        Parameter("later_members", choice("0", "1"), "1: each later publisher alerts too.", "0"),
    )


def build_routes(settings: Settings) -> tuple[Route, ...]:
    """The route of the page."""
    chosen = Parameter(
        "search", _SEARCH, "The saved search whose matches and deliveries are shown."
    )
    return (
        Route(
            ALERTS,
            show_alerts,
            "Your saved searches as a page, with a preview of a new one",
            {200: None},
            takes=(*declare_draft(settings), chosen),
            problems=("not_found", "busy", "archive_timeout"),
            need=Access.SESSION,
            media=PAGE_MEDIA,
        ),
    )


async def show_alerts(services: Services, given: AlertsParameters) -> Response:
    """Answer with the page. A form that changes a search begins with what it has."""
    draft = asdict(given)
    if given.edit is not None:
        saved = await services.alerts.searches.find(get_current_account().id, given.edit)
        if saved is None:
            raise NotFound(UNKNOWN)
        if not given.asks:
            draft |= _read_draft(saved)
    return await answer_alerts(services, draft, await _read_preview(services, given))


def _read_draft(search: SavedSearch) -> dict[str, Any]:
    """Return a search as the fields of the form."""
    return asdict(search.query) | {
        "name": search.name,
        "every": search.every.value,
        "time_zone": search.time_zone,
        "later_members": "1" if search.later_members else "0",
    }


async def answer_alerts(
    services: Services, draft: dict[str, Any], shown: dict[str, Any]
) -> Response:
    """Answer with the page.

    Args:
        services: have everything.
        draft: the fields of the form, and `search`.
        shown: `preview` and `fault` of the form, or `made`, a search that was just made.
    """
    account = get_current_account()
    searches = await services.alerts.searches.list_of_user(account.id)
    values: dict[str, Any] = {
        "searches": [build_saved_search(one) for one in searches],
        "most": services.settings.alerts_per_person,
        "draft": draft,
        "kinds": [
            kind
            for kind in ChannelKind
            if kind is not ChannelKind.EMAIL or services.settings.smtp_url is not None
        ],
        "everies": {"at_once": "at once", "hour": "each hour", "day": "each day at 08:00"},
        "preview": None,
        "fault": None,
        "made": None,
        "detail": await _read_detail(services, draft.get("search")),
    }
    return answer_page(await run_in_turns(render_current_page("alerts.html", values | shown)))


async def _read_preview(services: Services, given: AlertsParameters) -> dict[str, Any]:
    """Return the preview with its drawing, or why there is none."""
    if not given.asks:
        return {}
    try:
        body = await read_preview(services, given.query)
    except InvalidBodyError as error:
        return {"fault": error.message}
    return {"preview": body | {"drawn": _draw_days(body["per_day"])}}


def _draw_days(days: Sequence[dict[str, Any]]) -> Timeline | None:
    bars = [Bar(datetime.fromisoformat(day["start"]), day["count"]) for day in days]
    if not any(bar.count for bar in bars):
        return None
    return draw_timeline(bars, timedelta(days=1))


async def _read_detail(services: Services, search: str | None) -> dict[str, Any] | None:
    """Return the newest matches and the delivery log of a search; None if none is chosen."""
    if search is None:
        return None
    account, alerts = get_current_account(), services.alerts
    page = await alerts.searches.list_matches(account.id, search, SHOWN_MATCHES, None)
    if page is None:
        raise NotFound(UNKNOWN)
    log = await alerts.deliveries.list_log(account.id, search) or ()
    return {
        "matches": [build_match_body(match) for match in page.matches],
        "deliveries": [build_delivery_row(delivery) for delivery in log],
    }
