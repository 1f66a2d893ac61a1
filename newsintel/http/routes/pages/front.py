"""GET /: the page for people. With `q` it shows the results of the search of GET /articles.

An answer that is in memory is sent as a finished page. Else the page is sent at once, without
results: its script follows the search at GET /articles/stream, and a browser without scripts is
sent on to the same page with `stream=0`, which waits for the sources.
"""

from typing import Any

from attrs import evolve, frozen
from quart import Response, request

from newsintel.config.settings import Settings
from newsintel.domain.operations.source_notice import notice_member
from newsintel.domain.search.article import MAX_NAME
from newsintel.domain.search.harvest import Answer, Reply
from newsintel.domain.search.outcome import Status
from newsintel.errors import UnavailableError
from newsintel.http.bodies.intelligence import build_recommendations_body
from newsintel.http.pages.wording import RULES, STATUSES, WAITING
from newsintel.http.paths import FRONT
from newsintel.http.request.access import get_current_caller
from newsintel.http.request.query_kinds import choice, limited_text
from newsintel.http.request.query_string import Parameter
from newsintel.http.response.cache_headers import classify_reply
from newsintel.http.response.conditional import respond_unless_held
from newsintel.http.response.html_page import (
    allow_page_parts,
    answer_page,
    answer_problem_page,
    render_current_page,
)
from newsintel.http.response.packing import choose_form
from newsintel.http.response.page_cache import PageCache
from newsintel.http.response.problems import PROBLEMS
from newsintel.http.route import PAGE_MEDIA, Route
from newsintel.http.routes.articles import SEARCH_PROBLEMS
from newsintel.http.routes.finished_search import describe_failure, record_search
from newsintel.http.routes.pages.kept_page import answer_kept_page
from newsintel.http.routes.pages.results import PublisherChoice, finish_results
from newsintel.http.routes.search_request import (
    SearchParameters,
    SearchRequest,
    declare_parameters,
    read_search,
)
from newsintel.http.services import Services
from newsintel.runtime.turns import run_in_turns

RECOMMENDED = 10
"""How many articles the first page recommends to a person."""
HOME_S = 300
"""Seconds for which caches keep the page without a search; it changes only with releases."""


_BLANK_TIME = "2000-01-01T00:00:00Z"
BLANK_STORY: dict[str, Any] = {
    "id": "blank",
    "group_id": "blank",
    "title": "-",
    "description": "-",
    "url": "#",
    "publisher": "-",
    "section": "-",
    "language": None,
    "published_at": _BLANK_TIME,
    "discussion": {"url": "#", "comments": 0},
    "duplicates": [
        {
            "title": "-",
            "url": "#",
            "publisher": "-",
            "published_at": _BLANK_TIME,
            "rule": None,
            "similarity": None,
        }
    ],
}
"""A story that has every part. The script fills copies of it while the sources answer."""


@frozen
class FrontParameters(SearchParameters):
    """The values of GET /."""

    q: str | None  # type: ignore[assignment]
    publisher: str | None
    without: str | None
    stream: str


def build_routes(settings: Settings, pages: PageCache) -> tuple[Route, ...]:
    """Return the route of the page.

    Args:
        settings: names the sources.
        pages: the cache of finished pages, from which the hit path answers.
    """
    takes = declare_parameters(tuple(settings.source))
    return (
        Route(
            FRONT,
            _FrontRoute(pages).show_front,
            "The page for people: a search box, and with `q` the results",
            {200: None},
            takes=(*(evolve(one, required=False) for one in takes), *_VIEW),
            problems=SEARCH_PROBLEMS,
            media=PAGE_MEDIA,
        ),
    )


_VIEW = (
    Parameter(
        "publisher", limited_text(MAX_NAME), "Shows only stories that this publisher reports."
    ),
    Parameter("without", limited_text(MAX_NAME), "Leaves out what only this publisher reports."),
    Parameter(
        "stream",
        choice("0", "1"),
        "0 waits for all sources; 1 may send the page before its results, which a script fetches.",
        "1",
    ),
)


@frozen
class _FrontRoute:
    _pages: PageCache

    async def show_front(self, services: Services, given: FrontParameters) -> Response:
        """Answer with the page."""
        if given.q is None:
            return await _show_home(services)
        asked = await read_search(services, given)
        chosen = PublisherChoice(given.publisher, given.without)
        if given.stream == "1" and chosen.is_empty:
            begun = await services.search.desk.begin_search(asked.query, asked.caller)
            if not isinstance(begun, Reply):
                return await _show_waiting(services, asked)
            return await self._show_results(services, asked, chosen, begun)
        reply = await services.search.desk.search(asked.query, asked.caller)
        return await self._show_results(services, asked, chosen, reply)

    async def _show_results(
        self, services: Services, asked: SearchRequest, chosen: PublisherChoice, reply: Reply
    ) -> Response:
        services.count("searches", via=classify_reply(reply))
        if reply.answer.failed:
            return await _show_failure(services, asked, reply.answer)
        rendered = await finish_results(services, self._pages, asked, chosen, reply.answer)
        chosen_form = choose_form(rendered, request.scope["headers"])
        lines = chosen_form.build_headers(services.now().timestamp(), reply.via)
        response = respond_unless_held(chosen_form.body, lines, rendered.tag)
        allow_page_parts()
        if request.method == "GET" and response.status_code != 304:
            record_search(services, asked, rendered)
        return response


async def _show_home(services: Services) -> Response:
    async def make() -> bytes:
        values = {
            "q": "",
            "notice": notice_member(services.settings).get("notice"),
            "picks": await _recommend(services),
        }
        return await run_in_turns(render_current_page("home.html", values))

    return await answer_kept_page(services, make, HOME_S)


async def _recommend(services: Services) -> list[dict[str, Any]]:
    """Return articles for a person who is signed in; none if they cannot be found now."""
    account = get_current_caller().account
    if account is None:
        return []
    try:
        page = await services.intelligence.recommender.build_page(account, RECOMMENDED)
    except UnavailableError:
        return []
    picks: list[dict[str, Any]] = build_recommendations_body(page)["articles"]
    return picks


async def _show_waiting(services: Services, asked: SearchRequest) -> Response:
    """Answer with a page without results; the search runs on, and its stream joins it."""
    enabled = services.settings.enabled_sources
    sources = {
        name: {"status": WAITING if name in enabled else Status.DISABLED.value, "latency_ms": None}
        for name in asked.query.sources
    }
    values: dict[str, Any] = {
        "q": asked.query.text,
        "query": asked.query,
        "view": asked.view,
        "sources": sources,
        "words": {"statuses": STATUSES, "rules": RULES},
        "blank": BLANK_STORY,
        "notice": notice_member(services.settings).get("notice"),
    }
    return answer_page(await run_in_turns(render_current_page("waiting.html", values)))


async def _show_failure(services: Services, asked: SearchRequest, answer: Answer) -> Response:
    failed = await describe_failure(services, asked, answer)
    problem = PROBLEMS[failed.code]
    values = {
        "code": failed.code,
        "title": problem.title,
        "detail": problem.meaning,
        "errors": [],
        "q": asked.query.text,
        "sources": failed.sources,
    }
    wait_s = failed.retry_after_s
    headers = {} if wait_s is None else {"Retry-After": str(wait_s)}
    return answer_problem_page(failed.code, values, headers)
