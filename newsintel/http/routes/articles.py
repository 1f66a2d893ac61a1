"""GET /articles, the search; GET /articles/{id}, one article."""

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from attrs import frozen
from quart import Response, request

from newsintel.config.settings import Settings
from newsintel.domain.operations.source_notice import noticed
from newsintel.domain.search.codec import to_json
from newsintel.domain.search.freshness import Windows
from newsintel.domain.search.harvest import Answer, Origin
from newsintel.domain.search.query import build
from newsintel.domain.search.query_model import Dedupe, Query, Sort
from newsintel.http.bodies.schemas import ref
from newsintel.http.bodies.search import LAST_PAGE, View, article_body, rendering
from newsintel.http.request.access import caller
from newsintel.http.request.filters import BOUNDS, LANGUAGE, bounds
from newsintel.http.request.query_kinds import choice, names, text, whole
from newsintel.http.request.query_string import Given, Parameter
from newsintel.http.response.cache_headers import VARY, answered_by, caching, etag, next_link, reported
from newsintel.http.response.conditional import unchanged
from newsintel.http.response.page_cache import Page, Pages, page
from newsintel.http.response.problems import PROBLEMS, code_of_failures, respond
from newsintel.http.route import Route
from newsintel.http.routes.article_id import known_article
from newsintel.http.routes.ids import ARTICLE
from newsintel.http.routes.personal_search import personal
from newsintel.http.routes.personal_search import respond as respond_to
from newsintel.http.services import Services
from newsintel.runtime.turns import in_turns


def routes(settings: Settings, pages: Pages) -> tuple[Route, ...]:
    """The addresses of articles.

    Args:
        settings: names the sources.
        pages: where finished pages are kept, for the hit path to answer from.
    """
    return (
        Route(
            "/articles",
            _Search(pages).answer,
            "Search every source at once",
            {200: ref("Search")},
            takes=_parameters(tuple(settings.source)),
            problems=("busy", "archive_timeout", "sources_failed", "sources_timed_out"),
        ),
        Route(
            "/articles/{id}",
            one,
            "One article",
            {200: ref("ArchivedArticle")},
            in_path={"id": ARTICLE},
            problems=("not_found", "busy", "archive_timeout"),
        ),
    )


def _parameters(sources: tuple[str, ...]) -> tuple[Parameter, ...]:
    words = (
        'Words that must all occur; `OR` in capitals between alternatives, "a phrase" in the quotes of any language, -word or '
        "`NOT word` for one that must not occur, parentheses round groups."
    )
    return (
        Parameter("q", text(256), words, required=True),
        Parameter("limit", whole(1, 100), "Stories on a page.", 20),
        Parameter("page", whole(1, LAST_PAGE), "Which page; one past the end is empty.", 1),
        Parameter("sources", names(sources), "The sources to ask; all by default.", sources),
        *BOUNDS,
        LANGUAGE,
        Parameter("sort", choice(*Sort), "The order.", "relevance"),
        Parameter("dedupe", choice(*Dedupe), "How alike two headlines must be to count as one story.", "normal"),
        Parameter("explain", choice("0", "1"), "1 shows what each score is made of.", "0"),
        Parameter("personal", choice("0", "1"), "0 leaves a person's preferences out; an anonymous caller has none.", "1"),
    )


@frozen
class _Search:
    """The search's route: answers from the desk, and leaves finished pages behind."""

    _pages: Pages

    async def answer(self, services: Services, given: Given) -> Response:
        """Answer a search from memory, from a flight in the air or from the sources."""
        person = await personal(services, given)
        given = person.given if person else given
        query = _query(given)
        reply = await services.search.desk.search(query, caller())
        services.count("searches", via=answered_by(reply))
        answer, now = reply.answer, services.now()
        view = View(limit=given["limit"], page=given["page"], dedupe=Dedupe(given["dedupe"]), explain=given["explain"] == "1")
        if answer.harvest.origin is Origin.LIVE and not answer.harvest.answered:
            return _unanswered(answer, (await in_turns(rendering(answer, view)))["sources"], services.settings, now)
        if person:
            return await respond_to(services, person, query, reply, view)
        headers = caching(reply, view, services.settings, now)
        tag = etag(answer, view)
        if (same := unchanged(tag, headers)) is not None:
            return same
        finished = await self._finished(tag, query, answer, view, headers=headers, services=services)
        if finished.link:
            headers["Link"] = finished.link
        if finished.searched is not None and request.method == "GET":
            services.personal.recording.offer(caller(), finished.searched, now)
        return Response(finished.body, headers=headers, content_type="application/json")

    async def _finished(
        self, tag: str, query: Query, answer: Answer, view: View, *, headers: Mapping[str, str], services: Services
    ) -> Page:
        """The finished page of an answer: the one kept if it is of this very answer, else one made now, and kept if it may be."""
        kept = self._pages.get(request.query_string)
        if kept is not None and kept.tag == tag:
            return kept
        body = await in_turns(rendering(answer, view)) | noticed(services.settings)
        link = _next(services.settings.public_url, view) if body["has_more"] and view.page < LAST_PAGE else None
        made = page(
            tag,
            to_json(body),
            headers,
            query=query,
            view=view,
            answer=answer,
            windows=Windows.of(services.settings),
            link=link,
            total=body["total"],
        )
        if answer.harvest.cacheable and not answer.refused and not answer.personal:
            self._pages.put(request.query_string, made)
        return made


def _next(public_url: str, view: View) -> str:
    """The Link header of the page after a view's."""
    pairs = dict(parse_qsl(request.query_string.decode("ascii"), keep_blank_values=True))
    return next_link(public_url, pairs, view.page)


async def one(services: Services, given: Given) -> Response:
    """Answer one article by its public id."""
    found = await known_article(services, given["id"])
    # Its group can change with any harvest that lands, so it is kept no longer than an incomplete one.
    headers = {"Cache-Control": f"public, max-age={math.floor(services.settings.cache_partial_s)}", "Vary": VARY}
    return Response(to_json(article_body(found)), headers=headers, content_type="application/json")


def _query(given: Given) -> Query:
    start, end = bounds(given)
    return build(given["q"], sources=given["sources"], start=start, end=end, language=given["language"], sort=Sort(given["sort"]))


def _unanswered(answer: Answer, sources: Mapping[str, Any], settings: Settings, now: datetime) -> Response:
    """Nothing answered: say how each source did, and after how many seconds it may be worth asking again."""
    code = code_of_failures(answer.harvest.outcomes)
    headers = {}
    if code == "busy":
        times = [(outcome.retry_at - now).total_seconds() for outcome in reported(answer) if outcome.retry_at]
        headers["Retry-After"] = str(max(1, math.ceil(min(times, default=settings.cache_partial_s))))
    return respond(code, PROBLEMS[code].meaning, headers=headers, sources=sources)
