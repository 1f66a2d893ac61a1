"""GET /trends: what people search for more than usual, and searches related to one."""

from attrs import frozen
from quart import Response

from newsintel.domain.intelligence.search_counts import TrendWindow
from newsintel.http.request.query_kinds import choice, free_text
from newsintel.http.request.query_string import Parameter
from newsintel.http.response.html_page import render_current_page
from newsintel.http.response.shared_answers import CACHE_EMPTY_S, CACHE_S
from newsintel.http.route import PAGE_MEDIA, Route
from newsintel.http.routes.pages.kept_page import answer_kept_page
from newsintel.http.routes.searches import read_related, read_trending
from newsintel.http.services import Services
from newsintel.runtime.turns import run_in_turns

WINDOWS = {
    TrendWindow.HOUR: "the last hour",
    TrendWindow.DAY: "24 hours",
    TrendWindow.WEEK: "7 days",
}


@frozen
class TrendParameters:
    """The values of GET /trends."""

    window: TrendWindow
    q: str | None


def build_routes() -> tuple[Route, ...]:
    """The route of the page."""
    return (
        Route(
            "/trends",
            show_trends,
            "Trends for people, and searches related to one",
            {200: None},
            takes=(
                Parameter("window", choice(*TrendWindow), "As of /trending.", TrendWindow.DAY),
                Parameter("q", free_text(256), "A search, to show related ones."),
            ),
            problems=("busy", "archive_timeout"),
            media=PAGE_MEDIA,
        ),
    )


async def show_trends(services: Services, given: TrendParameters) -> Response:
    """Answer with the page."""
    trends = await read_trending(services, given.window)
    related = None if given.q is None else await read_related(services, given.q)

    async def make() -> bytes:
        values = {
            "q": given.q or "",
            "window": given.window.value,
            "windows": WINDOWS,
            "trends": trends,
            "related": related,
        }
        return await run_in_turns(render_current_page("trends.html", values))

    return await answer_kept_page(services, make, CACHE_S if trends else CACHE_EMPTY_S)
