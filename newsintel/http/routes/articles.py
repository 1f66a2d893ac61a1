"""GET /articles, the search; GET /articles/{id}, one article."""

import math

from attrs import evolve, frozen
from quart import Response, request

from newsintel.config.settings import Settings
from newsintel.domain.operations.source_notice import noticed
from newsintel.domain.search.codec import to_json
from newsintel.domain.search.harvest import Answer
from newsintel.domain.search.query import build
from newsintel.domain.search.query_model import Dedupe, Query, Sort
from newsintel.http.bodies.schemas import ref
from newsintel.http.bodies.search import LAST_PAGE, View, article_body, rendering
from newsintel.http.paths import SEARCH
from newsintel.http.request.access import caller
from newsintel.http.request.filters import BOUNDS, LANGUAGE, FilterParameters, check_bounds
from newsintel.http.request.query_kinds import choice, names, text, whole
from newsintel.http.request.query_string import Parameter
from newsintel.http.response.cache_headers import VARY, answered_by, entity_tag, next_link
from newsintel.http.response.conditional import respond_unless_held
from newsintel.http.response.page_cache import Pages
from newsintel.http.response.problems import PROBLEMS, code_of_failures, respond
from newsintel.http.response.rendered_search import Privacy, RenderedSearch, render_search
from newsintel.http.route import Route
from newsintel.http.routes.article_id import known_article
from newsintel.http.routes.ids import ARTICLE, IdParameters
from newsintel.http.routes.personal_search import Personal, personal
from newsintel.http.services import Services
from newsintel.runtime.turns import in_turns


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


def routes(settings: Settings, pages: Pages) -> tuple[Route, ...]:
    """Return the routes of articles.

    Args:
        settings: names the sources.
        pages: the cache of finished pages, from which the hit path answers.
    """
    return (
        Route(
            SEARCH,
            _Search(pages).answer,
            "Search every source at once",
            {200: ref("Search")},
            takes=_parameters(tuple(settings.source)),
            problems=("busy", "archive_timeout", "sources_failed", "sources_timed_out"),
        ),
        Route(
            SEARCH + "/{id}",
            one,
            "One article",
            {200: ref("ArchivedArticle")},
            in_path={"id": ARTICLE},
            problems=("not_found", "busy", "archive_timeout"),
        ),
    )


def _parameters(sources: tuple[str, ...]) -> tuple[Parameter, ...]:
    words = (
        'Words that must all occur; `OR` in capitals between alternatives, "a phrase" in the '
        "quotes of any language, -word or `NOT word` for one that must not occur, parentheses "
        "round groups."
    )
    return (
        Parameter("q", text(256), words, required=True),
        Parameter("limit", whole(1, 100), "Stories on a page.", 20),
        Parameter("page", whole(1, LAST_PAGE), "Which page; one past the end is empty.", 1),
        Parameter("sources", names(sources), "The sources to ask; all by default.", sources),
        *BOUNDS,
        LANGUAGE,
        Parameter("sort", choice(*Sort), "The order.", Sort.RELEVANCE),
        Parameter("dedupe", choice(*Dedupe), "How alike two headlines must be to count as one story.", Dedupe.NORMAL),
        Parameter("explain", choice("0", "1"), "1 shows what each score is made of.", "0"),
        Parameter("personal", choice("0", "1"), "0 leaves a person's preferences out; an anonymous caller has none.", "1"),
    )


@frozen
class _Search:
    """The search's route: answers from the desk, and caches finished pages."""

    _pages: Pages

    async def answer(self, services: Services, given: SearchParameters) -> Response:
        """Answer a search, and record it unless the person does not want this."""
        person = await personal(services, personal_wanted=given.personal == "1")
        given = evolve(given, **person.filled) if person else given
        query = _query(given)
        reply = await services.search.desk.search(query, caller())
        services.count("searches", via=answered_by(reply))
        view = View(given.limit, given.page, given.dedupe, given.explain == "1")
        if reply.answer.failed:
            return await _unanswered(services, reply.answer, view)
        rendered = await self._render(services, query, reply.answer, view, person)
        now = services.now()
        response = respond_unless_held(rendered.body, rendered.lines(now.timestamp(), reply.via), rendered.tag)
        sent = request.method == "GET" and response.status_code != 304
        if sent and rendered.searched is not None and (person is None or person.recorded):
            services.personal.recording.offer(caller(), rendered.searched, now)
        return response

    async def _render(self, services: Services, query: Query, answer: Answer, view: View, person: Personal | None) -> RenderedSearch:
        """Finish an answer, or reuse the same page from the cache; cache a page for everybody."""
        query_string = request.query_string
        privacy = Privacy.PERSON if person else Privacy.of(answer)
        tag = None if person else entity_tag(answer, view)
        kept = None if person else self._pages.get(query_string)
        if kept is not None and kept.tag == tag:
            return kept
        body = await in_turns(person.rendering(answer, view) if person else rendering(answer, view)) | noticed(services.settings)
        more = body["has_more"] and view.page < LAST_PAGE
        link = next_link(services.settings.public_url, query_string, view.page) if more else None
        made = render_search(query, answer, body, view, tag=tag, privacy=privacy, windows=services.search.windows, link=link)
        if privacy is Privacy.EVERYBODY and answer.harvest.cacheable:
            self._pages.put(query_string, made)
        return made


async def one(services: Services, given: IdParameters) -> Response:
    """Answer with one article by its public id."""
    found = await known_article(services, given.id)
    # Each new harvest can change its group, so caches keep it no longer than a partial answer.
    headers = {"Cache-Control": f"public, max-age={math.floor(services.search.windows.partial_s)}", "Vary": VARY}
    return Response(to_json(article_body(found)), headers=headers, content_type="application/json")


def _query(given: SearchParameters) -> Query:
    check_bounds(given.from_, given.to)
    return build(
        given.q,
        sources=given.sources,
        start=given.from_,
        end=given.to,
        language=given.language,
        sort=given.sort,
    )


async def _unanswered(services: Services, answer: Answer, view: View) -> Response:
    """Answer that no source answered: the status of each source, and when a retry can succeed."""
    sources = (await in_turns(rendering(answer, view)))["sources"]
    code, now = code_of_failures(answer.reported), services.now()
    headers = {}
    if code == "busy":
        times = [(outcome.retry_at - now).total_seconds() for outcome in answer.reported if outcome.retry_at]
        headers["Retry-After"] = str(max(1, math.ceil(min(times, default=services.search.windows.partial_s))))
    return respond(code, PROBLEMS[code].meaning, headers=headers, sources=sources)
