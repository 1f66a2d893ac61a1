"""GET /trending: searches that are popular now. GET /searches/related: searches related to one."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import date
from typing import Any

from attrs import frozen
from quart import Response

from newsintel.domain.accounts.model import Access
from newsintel.domain.intelligence.normal_form import write_normal_form
from newsintel.domain.intelligence.related import rank_related
from newsintel.domain.intelligence.search_counts import TrendWindow
from newsintel.domain.search.query import build_query
from newsintel.errors import InvalidParameterError
from newsintel.http.bodies.intelligence import build_related_body, build_trending_body
from newsintel.http.bodies.schemas.parts import ref
from newsintel.http.request.access import check_access, get_current_caller
from newsintel.http.request.query_kinds import choice, free_text
from newsintel.http.request.query_string import Parameter
from newsintel.http.response.answers import answer_json
from newsintel.http.response.shared_answers import answer_shared, read_shared
from newsintel.http.route import Route
from newsintel.http.services import Services

CACHE_PREFIX = "searches"
"""The prefix of the keys in Redis."""
Plan = tuple[list[str], Callable[[], Awaitable[dict[str, Any]]]]
"""What an answer depends on, and what makes its body."""
MAX_SHOWN = 20
MAX_SEEDS = 10
"""How many of a person's latest distinct searches are the seeds for related ones."""
HISTORY_ROWS = 50
"""Entries of the person's history that are read for the seeds."""


@frozen
class TrendingParameters:
    """The values of GET /trending."""

    window: TrendWindow


@frozen
class RelatedParameters:
    """The values of GET /searches/related."""

    q: str | None


def build_routes() -> tuple[Route, ...]:
    """The routes of trending and related searches."""
    window = Parameter(
        "window",
        choice(*TrendWindow),
        "Up to now: the last hour, 24 hours, or today and the six days before.",
        TrendWindow.DAY,
    )
    query = Parameter(
        "q",
        free_text(256),
        "The search. If absent: your latest searches; required if not signed in.",
    )
    problems = ("busy", "archive_timeout")
    return (
        Route(
            "/trending",
            list_trending,
            "What more people search for than usual",
            {200: ref("Trending")},
            takes=(window,),
            problems=problems,
        ),
        Route(
            "/searches/related",
            list_related,
            "Other searches by the people who search for this, or that find the same articles",
            {200: ref("RelatedSearches")},
            takes=(query,),
            problems=("not_ready", *problems),
        ),
    )


def list_cached_trends() -> list[tuple[str, Any]]:
    """Return prefix and `asked` of every answer about trends that Redis may hold."""
    return [(CACHE_PREFIX, ["trending", span.value]) for span in TrendWindow]


async def list_trending(services: Services, given: TrendingParameters) -> Response:
    """Answer with a window's list, which is the same for all callers."""
    asked, make = _plan_trending(services, given.window)
    return await answer_shared(services, CACHE_PREFIX, asked, make)


async def read_trending(services: Services, span: TrendWindow) -> list[dict[str, Any]]:
    """Return the searches of the same answer, for a page."""
    return await _read_plan(services, _plan_trending(services, span))


async def read_related(services: Services, query: str) -> list[dict[str, Any]]:
    """Return the searches related to a query, for a page."""
    return await _read_plan(services, _plan_related(services, query))


async def _read_plan(services: Services, plan: Plan) -> list[dict[str, Any]]:
    body = await read_shared(services, CACHE_PREFIX, *plan)
    found: list[dict[str, Any]] = body["searches"]
    return found


def _plan_trending(services: Services, span: TrendWindow) -> Plan:
    async def make() -> dict[str, Any]:
        floor = services.settings.trending_floor
        trends = await services.intelligence.trending.list_top(span, floor, MAX_SHOWN)
        return build_trending_body(span, trends)

    return ["trending", span.value], make


async def list_related(services: Services, given: RelatedParameters) -> Response:
    """Answer with searches related to a query, the same for all callers.

    Without a query, they are related to the caller's own searches.
    """
    if given.q is None:
        return answer_json(await _relate_own_searches(services, services.now().date()))
    asked, make = _plan_related(services, given.q)
    return await answer_shared(services, CACHE_PREFIX, asked, make)


def _plan_related(services: Services, query: str) -> Plan:
    today, form = services.now().date(), _normalize_query(query)
    seeds = [] if form is None else [form]

    async def make() -> dict[str, Any]:
        kin = await services.intelligence.kinship.find_related(
            seeds, today, services.settings.trending_floor, own=False
        )
        return build_related_body(rank_related(kin, MAX_SHOWN, without=seeds))

    return ["related", *seeds], make


async def _relate_own_searches(services: Services, today: date) -> dict[str, Any]:
    if get_current_caller().doubt:
        check_access(get_current_caller(), Access.READ)
    account = get_current_caller().account
    if account is None:
        raise InvalidParameterError("q", "required", "q is required unless you are signed in")
    page = await services.personal.own_history.list_page(account.id, HISTORY_ROWS, None)
    seeds = _choose_seeds([search.query for search in page.searches])
    kin = await services.intelligence.kinship.find_related(
        seeds, today, services.settings.trending_floor, own=True
    )
    return build_related_body(rank_related(kin, MAX_SHOWN, without=seeds))


def _choose_seeds(queries: Sequence[str]) -> list[str]:
    forms = dict.fromkeys(_normalize_query(query) for query in queries)
    return [form for form in forms if form is not None][:MAX_SEEDS]


def _normalize_query(query: str) -> str | None:
    return write_normal_form(build_query(query, sources=()).clauses)
