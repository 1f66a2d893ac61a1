"""GET /articles, the search; GET /articles/{id}, one article."""

import math

from attrs import frozen
from quart import Response, request

from newsintel.config.settings import Settings
from newsintel.domain.search.codec import to_json
from newsintel.http.bodies.formats import Format
from newsintel.http.bodies.schemas.parts import ref
from newsintel.http.bodies.search import build_article_body
from newsintel.http.paths import SEARCH
from newsintel.http.request.filters import FORMAT
from newsintel.http.response.cache_headers import VARY, classify_reply
from newsintel.http.response.conditional import respond_unless_held
from newsintel.http.response.packing import choose_form
from newsintel.http.response.page_cache import PageCache
from newsintel.http.response.problems import PROBLEMS, answer_problem
from newsintel.http.route import Route
from newsintel.http.routes.article_id import find_article
from newsintel.http.routes.finished_search import (
    FailedSearch,
    describe_failure,
    finish_search,
    record_search,
)
from newsintel.http.routes.ids import ARTICLE, IdParameters
from newsintel.http.routes.search_request import (
    SearchParameters,
    declare_parameters,
    read_search,
)
from newsintel.http.services import Services

SEARCH_PROBLEMS = ("busy", "archive_timeout", "sources_failed", "sources_timed_out")
"""The further problems of every route that searches."""


@frozen
class ListParameters(SearchParameters):
    """The values of GET /articles."""

    format: Format


def build_routes(settings: Settings, pages: PageCache) -> tuple[Route, ...]:
    """Return the routes of articles.

    Args:
        settings: names the sources.
        pages: the cache of finished pages, from which the hit path answers.
    """
    return (
        Route(
            SEARCH,
            _SearchRoute(pages).answer_search,
            "Search every source at once",
            {200: ref("Search")},
            takes=(*declare_parameters(tuple(settings.source)), FORMAT),
            formats=True,
            problems=SEARCH_PROBLEMS,
        ),
        Route(
            SEARCH + "/{id}",
            get_article,
            "One article",
            {200: ref("ArchivedArticle")},
            in_path={"id": ARTICLE},
            problems=("not_found", "busy", "archive_timeout"),
        ),
    )


@frozen
class _SearchRoute:
    """The search's route: answers from the desk, and caches finished pages."""

    _pages: PageCache

    async def answer_search(self, services: Services, given: ListParameters) -> Response:
        """Answer a search, and record it unless the person does not want this."""
        asked = await read_search(services, given, given.format)
        reply = await services.search.desk.search(asked.query, asked.caller)
        services.count("searches", via=classify_reply(reply))
        if reply.answer.failed:
            return answer_failed(await describe_failure(services, asked, reply.answer))
        headers = request.scope["headers"]
        rendered = await finish_search(services, self._pages, asked, reply.answer, headers)
        signed_in = asked.caller.signed_in
        form = rendered if signed_in else choose_form(rendered, headers)
        lines = form.build_headers(services.now().timestamp(), reply.via)
        response = respond_unless_held(form.body, lines, form.tag)
        if request.method == "GET" and response.status_code != 304:
            record_search(services, asked, rendered)
        return response


async def get_article(services: Services, given: IdParameters) -> Response:
    """Answer with one article by its public id."""
    found = await find_article(services, given.id)
    # Each new harvest can change its group, so caches keep it no longer than a partial answer.
    headers = {
        "Cache-Control": f"public, max-age={math.floor(services.search.windows.partial_s)}",
        "Vary": VARY,
    }
    return Response(
        to_json(build_article_body(found)), headers=headers, content_type="application/json"
    )


def answer_failed(failed: FailedSearch) -> Response:
    """Answer that no source answered: the status of each source, and when a retry can succeed."""
    wait_s = failed.retry_after_s
    return answer_problem(
        failed.code,
        PROBLEMS[failed.code].meaning,
        headers={} if wait_s is None else {"Retry-After": str(wait_s)},
        sources=failed.sources,
    )
