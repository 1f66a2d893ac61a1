"""GET /search: the archive for people, with highlighted passages, a timeline and facets."""

from datetime import datetime, timedelta
from typing import Any

from quart import Response

from newsintel.config.settings import Settings
from newsintel.domain.archive.model import Bar, Bucket
from newsintel.errors import InvalidParameterError, UnavailableError
from newsintel.http.pages.timeline import Timeline, draw_timeline
from newsintel.http.paths import ARCHIVE_PAGE
from newsintel.http.response.html_page import render_current_page
from newsintel.http.response.shared_answers import CACHE_S
from newsintel.http.route import PAGE_MEDIA, Route
from newsintel.http.routes.archive import (
    PAGING,
    MatchParameters,
    PageParameters,
    declare_filters,
    read_archive,
    read_facets,
    read_timeline,
)
from newsintel.http.routes.pages.kept_page import answer_kept_page
from newsintel.http.routes.pages.read_state import find_read
from newsintel.http.services import Services
from newsintel.runtime.turns import run_in_turns

FEW_DAYS = 3
"""With no more days than these, a timeline shows hours."""


def build_routes(settings: Settings) -> tuple[Route, ...]:
    """The route of the page."""
    return (
        Route(
            ARCHIVE_PAGE,
            show_archive,
            "The archive for people: matches with highlighted passages, a timeline and facets",
            {200: None},
            takes=(*declare_filters(tuple(settings.source)), *PAGING),
            problems=("busy", "archive_timeout"),
            media=PAGE_MEDIA,
        ),
    )


async def show_archive(services: Services, given: PageParameters) -> Response:
    """Answer with the page. If the counts take too long, it has none."""

    async def make() -> bytes:
        page = await read_archive(services, given)
        values = {
            "q": given.q or "",
            "given": given,
            "body": page,
            "read": await find_read(services, page["articles"]),
            "facets": await _read_facets(services, given),
            "timeline": await _draw_timeline(services, given),
        }
        return await run_in_turns(render_current_page("archive.html", values))

    return await answer_kept_page(services, make, CACHE_S)


async def _read_facets(services: Services, given: MatchParameters) -> dict[str, Any] | None:
    try:
        return await read_facets(services, given)
    except UnavailableError:
        return None


async def _draw_timeline(services: Services, given: MatchParameters) -> Timeline | None:
    """Draw days; hours if there are only a few days, weeks if there are too many."""
    try:
        days = await _read_bars(services, given, Bucket.DAY)
        if days is None:
            weeks = await _read_bars(services, given, Bucket.WEEK)
            return None if weeks is None else draw_timeline(weeks, timedelta(weeks=1))
        if len(days) > FEW_DAYS:
            return draw_timeline(days)
        hours = await _read_bars(services, given, Bucket.HOUR)
        return None if hours is None else draw_timeline(hours)
    except UnavailableError:
        return None


async def _read_bars(
    services: Services, given: MatchParameters, bucket: Bucket
) -> list[Bar] | None:
    """Return the bars; None if there would be too many."""
    try:
        body = await read_timeline(services, given, bucket)
    except InvalidParameterError as error:
        if error.field == "bucket":
            return None
        raise
    return [Bar(datetime.fromisoformat(one["start"]), one["count"]) for one in body["buckets"]]
