"""/compat/newsapi/v2: the API of newsapi.org, for the programs that know it.

The parameters, limits and errors are those of newsapi.org/docs. Searches with words are those of
GET /articles; lists without words come from the archive. docs/clients.md has what maps to what.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from attrs import frozen
from quart import Response

from newsintel.domain.archive.model import ArchiveQuery, Condition, Field
from newsintel.domain.search.article import Article
from newsintel.domain.search.codec import to_json
from newsintel.domain.search.harvest import Answer, Ranked
from newsintel.domain.search.matching import PreparedQuery
from newsintel.domain.search.merging import merge_by_mode
from newsintel.domain.search.query import build_query
from newsintel.domain.search.query_model import Dedupe, Sort
from newsintel.errors import InvalidParameterError
from newsintel.http.bodies.formats import MEDIA_TYPES, Content, Format
from newsintel.http.bodies.newsapi import (
    build_articles_body,
    build_sources_body,
    guess_publisher,
)
from newsintel.http.bodies.newsapi_filter import ArticleFilter
from newsintel.http.bodies.schemas import ref
from newsintel.http.bodies.search import summarize_article
from newsintel.http.paths import EVERYTHING, HEADLINES, NEWSAPI_BASES
from newsintel.http.request.filters import check_bounds
from newsintel.http.response.answers import answer_json
from newsintel.http.response.cache_headers import VARY
from newsintel.http.response.shared_answers import CACHE_S, read_shared
from newsintel.http.route import Route
from newsintel.http.routes.archive import read_matches
from newsintel.http.routes.articles import SEARCH_PROBLEMS
from newsintel.http.routes.door_search import answer_search
from newsintel.http.routes.newsapi_parameters import (
    FIELDS,
    TAKEN_BY_EVERYTHING,
    TAKEN_BY_HEADLINES,
    TAKEN_BY_SOURCES,
    EverythingParameters,
    HeadlineParameters,
    SourceParameters,
)
from newsintel.http.routes.search_request import SearchParameters, read_search
from newsintel.http.services import Services
from newsintel.runtime.turns import run_in_turns

CACHE_PREFIX = "newsapi"
"""The prefix of the keys in Redis."""
MAX_SOURCES = 20
"""newsapi.org/docs/endpoints/everything."""
READ_ROWS, READ_PAGES = 100, 5
"""The newest articles of the archive that a list without words is chosen from."""

SORTS = {"relevancy": Sort.RELEVANCE, "publishedAt": Sort.NEWEST, "popularity": Sort.POPULAR}


@frozen
class _Wanted:
    """A request in our words. `q`: None = everything; `sort`: of searches with words."""

    q: str | None
    chosen: ArticleFilter
    page: int
    page_size: int
    sort: Sort = Sort.NEWEST
    start: datetime | None = None
    end: datetime | None = None
    language: str | None = None

    def select(self, articles: list[dict[str, Any]]) -> tuple[int, list[dict[str, Any]]]:
        """Return the number of articles, and those of the page."""
        start = (self.page - 1) * self.page_size
        return len(articles), articles[start : start + self.page_size]


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
        raise _miss_parameters("q, qInTitle, sources, domains")
    check_bounds(given.from_, given.to)
    in_title = given.q_in_title or None
    fields = ("title",) if in_title else _read_fields(given.search_in)
    words = in_title or (given.q if fields else None)
    wanted = _Wanted(
        given.q or in_title,
        ArticleFilter(
            sources=_read_sources(given.sources),
            domains=_split(given.domains),
            without_domains=_split(given.exclude_domains),
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
    return await _answer_articles(services, wanted)


async def list_headlines(services: Services, given: HeadlineParameters) -> Response:
    """Answer with the newest articles."""
    if not (given.q or given.sources or given.language or given.country or given.category):
        raise _miss_parameters("sources, q, language, country, category")
    if given.sources and (given.country or given.category):
        raise InvalidParameterError(
            "sources",
            "parametersIncompatible",
            "You cannot mix the sources parameter with the country or category parameters.",
        )
    chosen = ArticleFilter(
        sources=_read_sources(given.sources),
        category=given.category or "general",
        country=given.country,
    )
    wanted = _Wanted(given.q or None, chosen, given.page, given.page_size, language=given.language)
    return await _answer_articles(services, wanted)


async def list_publishers(services: Services, given: SourceParameters) -> Response:
    """Answer with the publishers of the feeds."""

    async def make() -> dict[str, Any]:
        feeds = [one.subscription for one in await services.feeds.list_feeds()]
        return build_sources_body(feeds, language=given.language, country=given.country)

    asked = ["sources", given.language, given.country]
    body = await read_shared(services, CACHE_PREFIX, asked, make)
    if given.category not in (None, "general"):
        body["sources"] = []
    return _answer_shared(body)


async def _answer_articles(services: Services, wanted: _Wanted) -> Response:
    if wanted.q is None:
        total, shown = wanted.select(await _read_newest(services, wanted))
        return _answer_shared(build_articles_body(shown, total))
    asked = await read_search(services, _translate(services, wanted, wanted.q))

    async def make(answer: Answer) -> tuple[int, Content]:
        merged = await run_in_turns(merge_by_mode(answer, asked.view.dedupe))
        found = (_choose_article(ranked, wanted.chosen) for ranked in merged.ranked)
        total, shown = wanted.select([article for article in found if article is not None])
        body = to_json(build_articles_body(shown, total))
        return total, Content(body, MEDIA_TYPES[Format.JSON])

    return _vary_by_key(await answer_search(services, asked, make))


def _translate(services: Services, wanted: _Wanted, q: str) -> SearchParameters:
    """Return the same search in the words of GET /articles."""
    return SearchParameters(
        q=q,
        limit=wanted.page_size,
        page=wanted.page,
        sources=tuple(services.settings.source),
        sort=wanted.sort,
        dedupe=Dedupe.NORMAL,
        explain="0",
        personal="0",
        from_=wanted.start,
        to=wanted.end,
        language=wanted.language,
    )


def _choose_article(ranked: Ranked, chosen: ArticleFilter) -> dict[str, Any] | None:
    """Return the article that stands for a story: its leader, else the first that is wanted."""
    group = ranked.group
    members = (group.leader, *(member.article for member in group.members))
    rows = map(_show_article, members)
    return next((row for row in rows if chosen.keeps(row)), None)


def _show_article(article: Article) -> dict[str, Any]:
    return summarize_article(article) | {"content": article.content}


async def _read_newest(services: Services, wanted: _Wanted) -> list[dict[str, Any]]:
    """Return those of the archive's newest articles that are wanted."""
    query = ArchiveQuery(
        alternatives=tuple(
            (Condition(Field.PUBLISHER, guess_publisher(one)),) for one in wanted.chosen.sources
        ),
        start=wanted.start,
        end=wanted.end,
        language=wanted.language,
    )
    found: list[dict[str, Any]] = []
    cursor: str | None = None
    for _ in range(READ_PAGES):
        page = await read_matches(services, query, READ_ROWS, cursor)
        found += filter(wanted.chosen.keeps, page["articles"])
        cursor = page["next_cursor"]
        if cursor is None:
            break
    return found


def _answer_shared(body: Mapping[str, Any]) -> Response:
    headers = {"Cache-Control": f"public, max-age={CACHE_S}", "Vary": VARY}
    return _vary_by_key(answer_json(body, headers=headers))


def _vary_by_key(response: Response) -> Response:
    """Tell caches that a key in X-Api-Key changes the answer."""
    if "Vary" in response.headers:
        response.headers["Vary"] += ", X-Api-Key"
    return response


def _miss_parameters(names: str) -> InvalidParameterError:
    return InvalidParameterError(
        names.partition(",")[0],
        "parametersMissing",
        "Required parameters are missing, the scope of your search is too broad. Please set any "
        f"of the following required parameters and try again: {names}.",
    )


def _read_fields(search_in: str) -> tuple[str, ...]:
    """Return the fields of searchIn; () = all, which needs no filter."""
    fields = _split(search_in)
    if not set(fields) <= set(FIELDS):
        raise InvalidParameterError(
            "searchIn",
            "parameterInvalid",
            f"searchIn must be a comma list out of {', '.join(FIELDS)}",
        )
    return () if set(fields) == set(FIELDS) else fields


def _read_sources(sources: str) -> tuple[str, ...]:
    found = _split(sources)
    if len(found) > MAX_SOURCES:
        raise InvalidParameterError(
            "sources",
            "sourcesTooMany",
            "You have requested too many sources in a single request. "
            "Try splitting the request into 2 smaller requests.",
        )
    for one in found:
        if not re.fullmatch(r"\w+(-\w+)*", one):
            raise InvalidParameterError(
                "sources",
                "sourceDoesNotExist",
                f"The news source you've entered doesn't exist: {one[:64]}. "
                "Check your spelling, or see /top-headlines/sources.",
            )
    return found


def _split(names: str) -> tuple[str, ...]:
    return tuple(name.strip().lower() for name in names.split(",") if name.strip())
