"""/compat/searxng: the search API of SearXNG, for the programs that know it.

The parameters and members are those of docs.searxng.org (dev/search_api). It is a search of
GET /articles under another name: docs/clients.md has what maps to what.
"""

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from attrs import asdict, frozen
from quart import Response

from newsintel.config.settings import Settings
from newsintel.domain.search.codec import to_json
from newsintel.domain.search.harvest import Answer
from newsintel.domain.search.query_model import Dedupe, Sort
from newsintel.domain.text.moments import format_time
from newsintel.errors import InvalidParameterError, UnavailableError
from newsintel.http.bodies.channel import Channel
from newsintel.http.bodies.formats import MEDIA_TYPES, Content, Encoding, Format
from newsintel.http.bodies.schemas.parts import ref
from newsintel.http.bodies.search import MAX_PAGE
from newsintel.http.bodies.searxng import build_results_body, choose_sources
from newsintel.http.paths import FRONT, SEARXNG, SEARXNG_PATHS, SEARXNG_SEARCH
from newsintel.http.request.query_kinds import Kind, choice, free_text, matching_text, whole_number
from newsintel.http.request.query_string import Parameter
from newsintel.http.response.redirects import answer_see_other
from newsintel.http.route import Method, Route
from newsintel.http.routes.articles import SEARCH_PROBLEMS
from newsintel.http.routes.door_search import answer_search
from newsintel.http.routes.search_request import SearchParameters, SearchRequest, read_search
from newsintel.http.routes.searches import read_related
from newsintel.http.services import Services
from newsintel.runtime.turns import run_in_turns

HTML = "html"
DAYS = {"day": 1, "week": 7, "month": 30, "year": 365}
"""The days of each time range. SearXNG's engines mean the same by them."""
NO_RANGE = "None"
"""What clients in Python send without a time range. SearXNG accepts it, too."""
PAGE_SIZE = 20


@frozen
class SearxngParameters:
    """The values of a search."""

    q: str
    format: str
    categories: str
    engines: str
    language: str
    pageno: int
    time_range: str
    safesearch: int


def build_routes(settings: Settings) -> tuple[Route, ...]:
    """The routes, at each path by both methods; the root is described with its slash."""
    takes = _declare_parameters(tuple(settings.source))
    return tuple(
        Route(
            path,
            search_as_searxng,
            "Search every source, by the API of SearXNG; `html` leads to the page for people",
            {200: ref("SearxngSearch"), 303: None},
            takes=takes if method is Method.GET else (),
            form=takes if method is Method.POST else (),
            method=method,
            foreign=True,
            problems=SEARCH_PROBLEMS,
            feed=True,
            described=path != SEARXNG,
        )
        for path in SEARXNG_PATHS
        for method in (Method.GET, Method.POST)
    )


def _declare_parameters(sources: tuple[str, ...]) -> tuple[Parameter, ...]:
    return (
        Parameter("q", free_text(), "The words, as in GET /articles; html needs none.", ""),
        Parameter("format", choice(HTML, "json", "rss"), "The format of the answer.", HTML),
        Parameter(
            "categories",
            free_text(),
            "A comma list of `general`, `news` and `social media`; others are skipped.",
            "",
        ),
        Parameter(
            "engines",
            free_text(),
            f"A comma list out of {', '.join(sources)}; others are skipped.",
            "",
        ),
        Parameter(
            "language",
            _language_tag(),
            "A language such as `de` or `de-AT`; `all`, `auto` and an empty value ask for all.",
            "all",
        ),
        Parameter("pageno", whole_number(1, MAX_PAGE), f"The page of {PAGE_SIZE} stories.", 1),
        Parameter("time_range", choice("", NO_RANGE, *DAYS), "How old results may be.", ""),
        Parameter("safesearch", whole_number(0, 2), "Has no effect.", 0),
    )


def _language_tag() -> Kind:
    return matching_text(
        {"type": "string", "pattern": "^(auto|[a-z]{2,3}([-_][A-Za-z]{2,4}){0,2})?$"},
        "a language such as de or de-AT, all or auto",
    )


async def search_as_searxng(services: Services, given: SearxngParameters) -> Response:
    """Answer a search as SearXNG does; a browser is led to our own page with the same search."""
    if given.format == HTML:
        return answer_see_other(_build_page_url(services, given))
    if not given.q:
        raise InvalidParameterError("q", "required", "q is required")
    form = Format(given.format)
    asked = await read_search(services, _translate(services, given), form)

    async def make(answer: Answer) -> tuple[int, Content]:
        body = await run_in_turns(asked.render_in_slices(answer))
        if form is Format.RSS:
            return body["total"], await _build_feed(services, given, body)
        shown = build_results_body(given.q, body, await _find_suggestions(services, asked))
        return body["total"], Content(to_json(shown), MEDIA_TYPES[form])

    return await answer_search(services, asked, make)


def _translate(services: Services, given: SearxngParameters) -> SearchParameters:
    """Return the same search in the words of GET /articles."""
    language = given.language[:2] if given.language[2:3] in ("", "-", "_") else None
    return SearchParameters(
        q=given.q,
        limit=PAGE_SIZE,
        page=given.pageno,
        sources=choose_sources(given.engines, given.categories, tuple(services.settings.source)),
        sort=Sort.RELEVANCE,
        dedupe=Dedupe.NORMAL,
        explain="0",
        personal="0",
        from_=_find_start(given.time_range, services.now()),
        to=None,
        language=language or None,
    )


def _find_start(time_range: str, now: datetime) -> datetime | None:
    """Return the first moment of a time range.

    It is a whole hour, so that the searches of an hour share one harvest.
    """
    if time_range not in DAYS:
        return None
    start = now - timedelta(days=DAYS[time_range])
    return start.replace(minute=0, second=0, microsecond=0)


async def _find_suggestions(services: Services, asked: SearchRequest) -> list[str]:
    """Return related searches for the first page; none while the stores are unavailable."""
    if asked.view.page > 1:
        return []
    try:
        return [one["query"] for one in await read_related(services, asked.query.text)]
    except UnavailableError:
        return []


async def _build_feed(
    services: Services, given: SearxngParameters, body: dict[str, Any]
) -> Content:
    base = services.settings.public_url
    same = {name: value for name, value in asdict(given).items() if value}
    channel = Channel(
        f"newsintel: {given.q}",
        _build_page_url(services, given),
        f"{base}{SEARXNG_SEARCH}?{urlencode(same)}",
        updated=body["fetched_at"],
    )
    encoding = Encoding(Format.RSS, lambda _: channel)
    return Content(await run_in_turns(encoding.encode(body)), encoding.media_type)


def _build_page_url(services: Services, given: SearxngParameters) -> str:
    """Return the address of our own page with a search."""
    base = services.settings.public_url + FRONT
    if not given.q:
        return base
    asked, every = _translate(services, given), tuple(services.settings.source)
    values = {
        "q": given.q,
        "page": None if asked.page == 1 else str(asked.page),
        "sources": None if asked.sources == every else ",".join(asked.sources),
        "language": asked.language,
        "from": asked.from_ and format_time(asked.from_, "seconds"),
    }
    return f"{base}?{urlencode({name: value for name, value in values.items() if value})}"
