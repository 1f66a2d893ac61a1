"""GET /ops: the state of the service for its operators, drawn as the graph that it is.

The page exists if OPS_PAGE is on, and only for the people of OPERATORS who signed in with a
browser; everybody else gets the same 404 as for a path that does not exist.
"""

from typing import Any

import trio
from quart import Response
from werkzeug.exceptions import NotFound

from newsintel.config.settings import Settings
from newsintel.domain.accounts.model import Access, AnonymousReason, Caller
from newsintel.domain.operations.overview import PREFIXES, Overview, build_overview
from newsintel.errors import SignInUnavailableError
from newsintel.http.pages.dataflow import BOX_HEIGHT, BOX_WIDTH, draw_dataflow
from newsintel.http.paths import OPS
from newsintel.http.request.access import get_current_caller
from newsintel.http.response.html_page import answer_page, render_current_page
from newsintel.http.route import PAGE_MEDIA, Route
from newsintel.http.services import Services
from newsintel.runtime.telemetry.scraping import parse_samples
from newsintel.runtime.turns import run_in_turns


def build_routes(settings: Settings) -> tuple[Route, ...]:
    """The route of the page; none if it is off."""
    if not settings.ops_page:
        return ()
    return (
        Route(
            OPS,
            show_ops,
            "The state of the service as a page, for its operators",
            {200: None},
            problems=("not_found", "not_ready"),
            media=PAGE_MEDIA,
        ),
    )


async def show_ops(services: Services) -> Response:
    """Answer with the page."""
    caller = get_current_caller()
    if caller.doubt is AnonymousReason.UNKNOWN:
        raise SignInUnavailableError("We cannot identify you right now. Try again in a moment.")
    if not _is_operator(caller, services.settings):
        raise NotFound("Not found.")
    exposition = await services.operations.exposition()
    # It takes some 50 ms, so it must not hold up the loop.
    seen = await trio.to_thread.run_sync(_read_overview, exposition, services.settings)
    values: dict[str, Any] = {
        "seen": seen,
        "drawing": draw_dataflow(seen),
        "box": (BOX_WIDTH, BOX_HEIGHT),
        "at": services.now(),
    }
    return answer_page(await run_in_turns(render_current_page("ops.html", values)))


def _is_operator(caller: Caller, settings: Settings) -> bool:
    """Whether the caller signed in as somebody who is in OPERATORS now. API keys do not count."""
    listed = set(caller.operator_as) & set(settings.operators)
    return caller.access is Access.SESSION and bool(listed)


def _read_overview(exposition: bytes, settings: Settings) -> Overview:
    deadlines_s = {name: settings.source[name].deadline_s for name in settings.enabled_sources}
    return build_overview(parse_samples(exposition, PREFIXES), deadlines_s)
