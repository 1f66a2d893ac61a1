"""GET /trending: searches that are popular now. GET /searches/related: searches related to one."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from attrs import frozen
from quart import Response

from newsintel.domain.accounts.model import Access
from newsintel.domain.intelligence.normal_form import normal_form
from newsintel.domain.intelligence.related import closest
from newsintel.domain.intelligence.search_counts import Span
from newsintel.domain.search.query import build
from newsintel.errors import InvalidParameterError
from newsintel.http.bodies.intelligence import related_body, trending_body
from newsintel.http.bodies.schemas import ref
from newsintel.http.request.access import admit, caller
from newsintel.http.request.query_kinds import choice, text
from newsintel.http.request.query_string import Parameter
from newsintel.http.response.answers import answer_json
from newsintel.http.response.shared_answers import kept
from newsintel.http.route import Route
from newsintel.http.services import Services

PREFIX = "searches"
"""The prefix of the keys in Redis."""
MOST_SHOWN = 20
MOST_SEEDS = 10
"""How many of a person's latest distinct searches are the seeds for related ones."""
LOOKED_THROUGH = 50
"""Entries of the person's history that are read for the seeds."""


@frozen
class TrendingParameters:
    """The values of GET /trending."""

    window: Span


@frozen
class RelatedParameters:
    """The values of GET /searches/related."""

    q: str | None


def routes() -> tuple[Route, ...]:
    """The routes of trending and related searches."""
    window = Parameter("window", choice(*Span), "Up to now: the last hour, 24 hours, or today and the six days before.", Span.DAY)
    query = Parameter("q", text(256), "The search. If absent: your latest searches; required if not signed in.")
    problems = ("busy", "archive_timeout")
    return (
        Route(
            "/trending",
            trending,
            "What more people search for than usual",
            {200: ref("Trending")},
            takes=(window,),
            problems=problems,
        ),
        Route(
            "/searches/related",
            related,
            "Other searches by the people who search for this, or that find the same articles",
            {200: ref("RelatedSearches")},
            takes=(query,),
            problems=("not_ready", *problems),
        ),
    )


def kept_trends() -> list[tuple[str, Any]]:
    """Return prefix and `asked` of every answer about trends that Redis may hold."""
    return [(PREFIX, ["trending", span.value]) for span in Span]


async def trending(services: Services, given: TrendingParameters) -> Response:
    """Answer with a window's list, which is the same for all callers."""
    span = given.window

    async def make() -> dict[str, Any]:
        return trending_body(span, await services.intelligence.trending.top(span, services.settings.trending_floor, MOST_SHOWN))

    return await kept(services, PREFIX, ["trending", span.value], make)


async def related(services: Services, given: RelatedParameters) -> Response:
    """Answer with searches related to a query, the same for all callers.

    Without a query, they are related to the caller's own searches.
    """
    today = services.now().date()
    if given.q is None:
        return answer_json(await _beside_own(services, today))
    form = _form(given.q)
    seeds = [] if form is None else [form]

    async def make() -> dict[str, Any]:
        kin = await services.intelligence.kinship.kin(seeds, today, services.settings.trending_floor, own=False)
        return related_body(closest(kin, MOST_SHOWN, without=seeds))

    return await kept(services, PREFIX, ["related", *seeds], make)


async def _beside_own(services: Services, today: date) -> dict[str, Any]:
    if caller().doubt:
        admit(caller(), Access.READ)
    account = caller().account
    if account is None:
        raise InvalidParameterError("q", "required", "q is required unless you are signed in")
    page = await services.personal.own_history.page(account.id, LOOKED_THROUGH, None)
    seeds = _seeds([search.query for search in page.searches])
    kin = await services.intelligence.kinship.kin(seeds, today, services.settings.trending_floor, own=True)
    return related_body(closest(kin, MOST_SHOWN, without=seeds))


def _seeds(queries: Sequence[str]) -> list[str]:
    forms = dict.fromkeys(_form(query) for query in queries)
    return [form for form in forms if form is not None][:MOST_SEEDS]


def _form(query: str) -> str | None:
    return normal_form(build(query, sources=()).clauses)
