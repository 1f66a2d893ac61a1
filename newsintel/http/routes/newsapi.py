"""/compat/newsapi/v2: the API of newsapi.org, for the programs that know it.

The parameters, limits and errors are those of newsapi.org/docs. Searches with words are those of
GET /articles; lists without words come from the archive. docs/clients.md has what maps to what.
"""

from typing import Any

from quart import Response

from newsintel.domain.search.matching import PreparedQuery
from newsintel.domain.search.query import build_query
from newsintel.domain.search.query_model import Sort
from newsintel.errors import InvalidParameterError
from newsintel.http.bodies.newsapi import build_sources_body
from newsintel.http.bodies.newsapi_filter import GENERAL, ArticleFilter
from newsintel.http.bodies.schemas.parts import ref
from newsintel.http.paths import EVERYTHING, HEADLINES, NEWSAPI_BASES
from newsintel.http.request.filters import check_bounds
from newsintel.http.response.shared_answers import read_shared
from newsintel.http.route import Route
from newsintel.http.routes.articles import SEARCH_PROBLEMS
from newsintel.http.routes.newsapi_articles import WantedArticles, answer_articles, answer_for_all
from newsintel.http.routes.newsapi_parameters import (
    TAKEN_BY_EVERYTHING,
    TAKEN_BY_HEADLINES,
    TAKEN_BY_SOURCES,
    EverythingParameters,
    HeadlineParameters,
    SourceParameters,
    miss_parameters,
    read_fields,
    read_sites,
    read_sources,
)
from newsintel.http.services import Services
from newsintel.runtime.turns import run_in_turns

CACHE_PREFIX = "newsapi"
"""The prefix of the keys in Redis."""
SORTS = {"relevancy": Sort.RELEVANCE, "publishedAt": Sort.NEWEST, "popularity": Sort.POPULAR}


def build_routes() -> tuple[Route, ...]:
    """The routes, at each of NEWSAPI_BASES; only those at the first are described."""
    plain, prefixed = NEWSAPI_BASES
    return (
        *_build_routes_at(plain, described=True),
        *_build_routes_at(prefixed, described=False),
    )


def _build_routes_at(base: str, *, described: bool) -> tuple[Route, ...]:
    return (
        Route(
            base + EVERYTHING,
            search_everything,
            "Search every source, by the API of NewsAPI",
            {200: ref("NewsApiArticles")},
            takes=TAKEN_BY_EVERYTHING,
            foreign=True,
            problems=SEARCH_PROBLEMS,
            described=described,
        ),
        Route(
            base + HEADLINES,
            list_headlines,
            "The newest articles, by the API of NewsAPI",
            {200: ref("NewsApiArticles")},
            takes=TAKEN_BY_HEADLINES,
            foreign=True,
            problems=SEARCH_PROBLEMS,
            described=described,
        ),
        *(
            Route(
                base + path,
                list_publishers,
                "The publishers of the feeds, by the API of NewsAPI",
                {200: ref("NewsApiSources")},
                takes=TAKEN_BY_SOURCES,
                foreign=True,
                problems=("busy", "archive_timeout"),
                described=described,
            )
            for path in (HEADLINES + "/sources", "/sources")
        ),
    )


async def search_everything(services: Services, given: EverythingParameters) -> Response:
    """Answer with the articles that match."""
    if not (given.q or given.q_in_title or given.sources or given.domains):
        raise miss_parameters("q, qInTitle, sources, domains")
    check_bounds(given.from_, given.to)
    in_title = given.q_in_title or None
    fields = ("title",) if in_title else read_fields(given.search_in)
    words = in_title or (given.q if fields else None)
    wanted = WantedArticles(
        given.q or in_title,
        ArticleFilter(
            sources=read_sources(given.sources),
            domains=read_sites("domains", given.domains),
            without_domains=read_sites("excludeDomains", given.exclude_domains),
            words=PreparedQuery(build_query(words, sources=()).clauses) if words else None,
            fields=fields,
        ),
        given.page,
        given.page_size,
        SORTS[given.sort_by],
        given.from_,
        given.to,
        given.language,
    )
    return await answer_articles(services, wanted)


async def list_headlines(services: Services, given: HeadlineParameters) -> Response:
    """Answer with the newest articles."""
    if not (given.q or given.sources or given.language or given.country or given.category):
        raise miss_parameters("sources, q, language, country, category")
    if given.sources and (given.country or given.category):
        raise InvalidParameterError(
            "sources",
            "parametersIncompatible",
            "You cannot mix the sources parameter with the country or category parameters.",
        )
    chosen = ArticleFilter(
        sources=read_sources(given.sources),
        category=given.category or GENERAL,
        country=given.country,
    )
    wanted = WantedArticles(
        given.q or None, chosen, given.page, given.page_size, language=given.language
    )
    return await answer_articles(services, wanted)


async def list_publishers(services: Services, given: SourceParameters) -> Response:
    """Answer with the publishers of the feeds."""

    async def make() -> dict[str, Any]:
        feeds = [one.subscription for one in await services.feeds.list_feeds()]
        return await run_in_turns(
            build_sources_body(feeds, language=given.language, country=given.country)
        )

    asked = ["sources", given.language, given.country]
    body = await read_shared(services, CACHE_PREFIX, asked, make)
    if given.category not in (None, GENERAL):
        body["sources"] = []
    return answer_for_all(body)
