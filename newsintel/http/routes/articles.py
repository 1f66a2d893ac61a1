"""GET /articles, the search; GET /articles/{id}, one article."""

import math

from attrs import evolve, frozen
from quart import Response, request

from newsintel.config.settings import Settings
from newsintel.domain.operations.source_notice import notice_member
from newsintel.domain.search.codec import to_json
from newsintel.domain.search.harvest import Answer
from newsintel.domain.search.query import build_query
from newsintel.domain.search.query_model import Dedupe, Query, Sort
from newsintel.http.bodies.schemas import ref
from newsintel.http.bodies.search import MAX_PAGE, View, build_article_body, render_in_slices
from newsintel.http.paths import SEARCH
from newsintel.http.request.access import get_current_caller
from newsintel.http.request.filters import BOUNDS, LANGUAGE, FilterParameters, check_bounds
from newsintel.http.request.query_kinds import choice, free_text, known_names, whole_number
from newsintel.http.request.query_string import Parameter
from newsintel.http.response.cache_headers import (
    VARY,
    classify_reply,
    compute_tag,
    format_next_link,
)
from newsintel.http.response.conditional import respond_unless_held
from newsintel.http.response.page_cache import PageCache
from newsintel.http.response.problems import PROBLEMS, answer_problem, find_failure_code
from newsintel.http.response.rendered_search import Privacy, RenderedSearch, render_search
from newsintel.http.route import Route
from newsintel.http.routes.article_id import find_article
from newsintel.http.routes.ids import ARTICLE, IdParameters
from newsintel.http.routes.personal_search import PersonalSearch, decide_personal
from newsintel.http.services import Services
from newsintel.runtime.turns import run_in_turns


@frozen
class SearchParameters(FilterParameters):
    """The values of GET /articles."""

    q: str
    limit: int
    page: int
    sources: tuple[str, ...]
    sort: Sort
    dedupe: Dedupe
    explain: str
    personal: str


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
            takes=_declare_parameters(tuple(settings.source)),
            problems=("busy", "archive_timeout", "sources_failed", "sources_timed_out"),
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


def _declare_parameters(sources: tuple[str, ...]) -> tuple[Parameter, ...]:
    words = (
        'Words that must all occur; `OR` in capitals between alternatives, "a phrase" in the '
        "quotes of any language, -word or `NOT word` for one that must not occur, parentheses "
        "round groups."
    )
    return (
        Parameter("q", free_text(256), words, required=True),
        Parameter("limit", whole_number(1, 100), "Stories on a page.", 20),
        Parameter("page", whole_number(1, MAX_PAGE), "Which page; one past the end is empty.", 1),
        Parameter("sources", known_names(sources), "The sources to ask; all by default.", sources),
        *BOUNDS,
        LANGUAGE,
        Parameter("sort", choice(*Sort), "The order.", Sort.RELEVANCE),
        Parameter(
            "dedupe",
            choice(*Dedupe),
            "How alike two headlines must be to count as one story.",
            Dedupe.NORMAL,
        ),
        Parameter(
            "explain",
            choice("0", "1"),
            "1 shows what each score is made of, and up to five similar stories that were "
            "kept apart from each, with the reason (kept_apart).",
            "0",
        ),
        Parameter(
            "personal",
            choice("0", "1"),
            "0 leaves a person's preferences out; an anonymous caller has none.",
            "1",
        ),
    )


@frozen
class _SearchRoute:
    """The search's route: answers from the desk, and caches finished pages."""

    _pages: PageCache

    async def answer_search(self, services: Services, given: SearchParameters) -> Response:
        """Answer a search, and record it unless the person does not want this."""
        person = await decide_personal(services, personal_wanted=given.personal == "1")
        given = evolve(given, **person.filled) if person else given
        query = _build_query(given)
        reply = await services.search.desk.search(query, get_current_caller())
        services.count("searches", via=classify_reply(reply))
        view = View(given.limit, given.page, given.dedupe, given.explain == "1")
        if reply.answer.failed:
            return await _answer_failed(services, reply.answer, view)
        rendered = await self._get_rendered(services, query, reply.answer, view, person)
        now = services.now()
        response = respond_unless_held(
            rendered.body, rendered.build_headers(now.timestamp(), reply.via), rendered.tag
        )
        sent = request.method == "GET" and response.status_code != 304
        if sent and rendered.searched is not None and (person is None or person.recorded):
            services.personal.recording.offer(get_current_caller(), rendered.searched, now)
        return response

    async def _get_rendered(
        self,
        services: Services,
        query: Query,
        answer: Answer,
        view: View,
        person: PersonalSearch | None,
    ) -> RenderedSearch:
        """Finish an answer, or reuse the same page from the cache; cache a page for everybody."""
        query_string = request.query_string
        privacy = Privacy.PERSON if person else Privacy.of_answer(answer)
        tag = None if person else compute_tag(answer, view)
        kept = None if person else self._pages.get(query_string)
        if kept is not None and kept.tag == tag:
            return kept
        body = await run_in_turns(
            person.render_in_slices(answer, view) if person else render_in_slices(answer, view)
        ) | notice_member(services.settings)
        more = body["has_more"] and view.page < MAX_PAGE
        link = (
            format_next_link(services.settings.public_url, query_string, view.page)
            if more
            else None
        )
        made = render_search(
            query,
            answer,
            body,
            view,
            tag=tag,
            privacy=privacy,
            windows=services.search.windows,
            link=link,
        )
        if privacy is Privacy.EVERYBODY and answer.harvest.cacheable:
            self._pages.put(query_string, made)
        return made


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


def _build_query(given: SearchParameters) -> Query:
    check_bounds(given.from_, given.to)
    return build_query(
        given.q,
        sources=given.sources,
        start=given.from_,
        end=given.to,
        language=given.language,
        sort=given.sort,
    )


async def _answer_failed(services: Services, answer: Answer, view: View) -> Response:
    """Answer that no source answered: the status of each source, and when a retry can succeed."""
    sources = (await run_in_turns(render_in_slices(answer, view)))["sources"]
    code, now = find_failure_code(answer.reported), services.now()
    headers = {}
    if code == "busy":
        times = [
            (outcome.retry_at - now).total_seconds()
            for outcome in answer.reported
            if outcome.retry_at
        ]
        headers["Retry-After"] = str(
            max(1, math.ceil(min(times, default=services.search.windows.partial_s)))
        )
    return answer_problem(code, PROBLEMS[code].meaning, headers=headers, sources=sources)
