"""Lists of articles for NewsAPI's routes: from the sources, or without words from the archive."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from attrs import frozen
from quart import Response

from newsintel.domain.archive.model import ArchiveQuery, Condition, Field
from newsintel.domain.bounds.slices import Sliced
from newsintel.domain.search.article import Article
from newsintel.domain.search.codec import to_json
from newsintel.domain.search.harvest import Answer, Ranked
from newsintel.domain.search.merging import merge_by_mode
from newsintel.domain.search.query_model import Dedupe, Sort
from newsintel.http.bodies.formats import MEDIA_TYPES, Content, Format
from newsintel.http.bodies.newsapi import build_articles_body, guess_publisher
from newsintel.http.bodies.newsapi_filter import ArticleFilter
from newsintel.http.bodies.search import summarize_article
from newsintel.http.response.answers import answer_json
from newsintel.http.response.cache_headers import VARY
from newsintel.http.response.shared_answers import CACHE_S
from newsintel.http.routes.archive import read_matches
from newsintel.http.routes.door_search import answer_search
from newsintel.http.routes.search_request import SearchParameters, read_search
from newsintel.http.services import Services
from newsintel.runtime.turns import run_in_turns

READ_ROWS, READ_PAGES = 100, 5
"""The newest articles of the archive that a list without words is chosen from."""


@frozen
class WantedArticles:
    """Which articles a request wants.

    Attributes:
        q: the words of a search; None = the archive's newest articles.
        chosen: what a search or the archive cannot filter.
        page, page_size: the part to show.
        sort: the order of a search.
        start, end: the first and the last moment, aware UTC.
        language: two lower-case letters.
    """

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


async def answer_articles(services: Services, wanted: WantedArticles) -> Response:
    """Answer with a page of the wanted articles."""
    if wanted.q is None:
        total, shown = wanted.select(await _read_newest(services, wanted))
        return answer_for_all(build_articles_body(shown, total))
    asked = await read_search(services, _translate(services, wanted, wanted.q))

    async def make(answer: Answer) -> tuple[int, Content]:
        merged = await run_in_turns(merge_by_mode(answer, asked.view.dedupe))
        found = await run_in_turns(choose_articles(merged.ranked, wanted.chosen))
        total, shown = wanted.select(found)
        body = to_json(build_articles_body(shown, total))
        return total, Content(body, MEDIA_TYPES[Format.JSON])

    return _vary_by_key(await answer_search(services, asked, make))


def _translate(services: Services, wanted: WantedArticles, q: str) -> SearchParameters:
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


def choose_articles(
    stories: Iterable[Ranked], chosen: ArticleFilter
) -> Sliced[list[dict[str, Any]]]:
    """Return the article that stands for each story: its leader, else the first that is wanted.

    To look for words in one text takes up to 10 ms, so each article is a slice.
    """
    found = []
    for group in (ranked.group for ranked in stories):
        for article in (group.leader, *(member.article for member in group.members)):
            row = _show_article(article)
            wanted = chosen.keeps(row)
            yield
            if wanted:
                found.append(row)
                break
    return found


def _show_article(article: Article) -> dict[str, Any]:
    return summarize_article(article) | {"content": article.content}


async def _read_newest(services: Services, wanted: WantedArticles) -> list[dict[str, Any]]:
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


def answer_for_all(body: Mapping[str, Any]) -> Response:
    """Answer with a body that is the same for every caller."""
    headers = {"Cache-Control": f"public, max-age={CACHE_S}", "Vary": VARY}
    return _vary_by_key(answer_json(body, headers=headers))


def _vary_by_key(response: Response) -> Response:
    """Tell caches that a key in X-Api-Key changes the answer."""
    if "Vary" in response.headers:
        response.headers["Vary"] += ", X-Api-Key"
    return response
