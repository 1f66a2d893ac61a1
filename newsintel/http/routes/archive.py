"""GET /archive: search all archived articles. GET /archive/timeline, /archive/facets: counts."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from attrs import frozen
from quart import Response, request

from newsintel.config.settings import Settings
from newsintel.domain.archive.model import ArchiveQuery, ArchiveSort, Bucket
from newsintel.domain.archive.query import build_archive_query, hash_query
from newsintel.domain.paging import MAX_CHARS
from newsintel.errors import InvalidParameterError
from newsintel.http.bodies.archive import build_facets_body, build_page_body, build_timeline_body
from newsintel.http.bodies.formats import Format
from newsintel.http.bodies.schemas.parts import ref
from newsintel.http.paths import ARCHIVE_PAGE
from newsintel.http.request.filters import (
    BOUNDS,
    FORMAT,
    LANGUAGE,
    FilterParameters,
    check_bounds,
)
from newsintel.http.request.query_kinds import choice, free_text, source_names, whole_number
from newsintel.http.request.query_string import Parameter
from newsintel.http.response.shared_answers import answer_shared, read_shared
from newsintel.http.route import Route
from newsintel.http.routes.cursor_feed import choose_encoding
from newsintel.http.services import Services

CACHE_PREFIX = "archive"
"""The prefix of the keys in Redis."""

Plan = tuple[list[Any], Callable[[], Awaitable[dict[str, Any]]]]
"""What an answer depends on, and what makes its body."""


@frozen
class MatchParameters(FilterParameters):
    """The values of GET /archive/facets, and those that each route of the archive has."""

    q: str | None
    sources: tuple[str, ...] | None
    publisher: str | None


@frozen
class PageParameters(MatchParameters):
    """The values of a page of matches."""

    limit: int
    sort: ArchiveSort | None
    cursor: str | None


@frozen
class SearchParameters(PageParameters):
    """The values of GET /archive."""

    format: Format


@frozen
class TimelineParameters(MatchParameters):
    """The values of GET /archive/timeline."""

    bucket: Bucket


def build_routes(settings: Settings) -> tuple[Route, ...]:
    """The routes of the archive."""
    wanted = declare_filters(tuple(settings.source))
    bucket = Parameter(
        "bucket", choice(*Bucket), "The width of a bar, in UTC; weeks start on Monday.", Bucket.DAY
    )
    problems = ("busy", "archive_timeout")
    return (
        Route(
            "/archive",
            search_archive,
            "Search the archive",
            {200: ref("ArchivePage")},
            takes=(*wanted, *PAGING, FORMAT),
            formats=True,
            problems=problems,
        ),
        Route(
            "/archive/timeline",
            get_timeline,
            "Count matches in the archive over time",
            {200: ref("Timeline")},
            takes=(*wanted, bucket),
            problems=problems,
        ),
        Route(
            "/archive/facets",
            get_facets,
            "Matches by source and publisher, the top 20; "
            "with `counted_newest`, only the newest count",
            {200: ref("Facets")},
            takes=wanted,
            problems=problems,
        ),
    )


def declare_filters(sources: tuple[str, ...]) -> tuple[Parameter, ...]:
    """Return the parameters of every route of the archive, given the names of all sources."""
    grammar = (
        "Words that must all occur; `OR` in capitals between alternatives, "
        '"a phrase" in the quotes of any language, -word or `NOT word` for one that must not '
        'occur, parentheses round groups; title:word, title:"a phrase", title:(a OR b), '
        'source:name, publisher:"a name", author:word, '
        "before:2026-01-31, after:2025-12-01. Everything if absent."
    )
    return (
        Parameter("q", free_text(256), grammar),
        Parameter(
            "sources",
            source_names(sources),
            "The sources whose articles are wanted, imported ones included; all by default.",
        ),
        Parameter("publisher", free_text(256), "A publisher's whole name, in any case."),
        *BOUNDS,
        LANGUAGE,
    )


PAGING = (
    Parameter("limit", whole_number(1, 100), "Articles on a page.", 20),
    Parameter(
        "sort",
        choice(*ArchiveSort),
        "The order; relevance by default if q wants words of text or title, else newest.",
    ),
    Parameter(
        "cursor",
        free_text(MAX_CHARS),
        "next_cursor of an answer to the same query, filters and sort: the page after it.",
    ),
)


async def search_archive(services: Services, given: SearchParameters) -> Response:
    """Answer with a page of matches."""
    key, make = _plan_search(services, given)
    title = f"newsintel archive: {given.q}" if given.q else "newsintel archive"
    encoding = choose_encoding(services.settings, given.format, title, ARCHIVE_PAGE)
    if given.format is not Format.JSON:
        key.append(request.query_string.decode("ascii"))  # a feed shows its own address
    return await answer_shared(services, CACHE_PREFIX, key, make, encoding)


async def get_timeline(services: Services, given: TimelineParameters) -> Response:
    """Answer with the number of matches per bucket."""
    return await answer_shared(
        services, CACHE_PREFIX, *_plan_timeline(services, given, given.bucket)
    )


async def get_facets(services: Services, given: MatchParameters) -> Response:
    """Answer with the number of matches per source and publisher."""
    return await answer_shared(services, CACHE_PREFIX, *_plan_facets(services, given))


async def read_archive(services: Services, given: PageParameters) -> dict[str, Any]:
    """Return the body of GET /archive, for a page."""
    return await read_shared(services, CACHE_PREFIX, *_plan_search(services, given))


async def read_timeline(
    services: Services, given: MatchParameters, bucket: Bucket
) -> dict[str, Any]:
    """Return the body of GET /archive/timeline, for a page."""
    return await read_shared(services, CACHE_PREFIX, *_plan_timeline(services, given, bucket))


async def read_facets(services: Services, given: MatchParameters) -> dict[str, Any]:
    """Return the body of GET /archive/facets, for a page."""
    return await read_shared(services, CACHE_PREFIX, *_plan_facets(services, given))


async def read_matches(
    services: Services, query: ArchiveQuery, limit: int, cursor: str | None
) -> dict[str, Any]:
    """Return the body of GET /archive for a query that another route made."""
    return await read_shared(services, CACHE_PREFIX, *_plan_query(services, query, limit, cursor))


def _plan_search(services: Services, given: PageParameters) -> Plan:
    return _plan_query(services, _build_query(given, given.sort), given.limit, given.cursor)


def _plan_query(services: Services, query: ArchiveQuery, limit: int, cursor: str | None) -> Plan:
    asked = hash_query(query)
    after = None if cursor is None else services.cursors.read(cursor, asked)

    async def make() -> dict[str, Any]:
        await check_sources(services, query.sources)
        page = await services.archive.search(query, limit, after)
        return build_page_body(
            page, None if page.next is None else services.cursors.write(page.next, asked)
        )

    return ["search", asked, limit, None if after is None else after.keys], make


def _plan_timeline(services: Services, given: MatchParameters, bucket: Bucket) -> Plan:
    query = _build_query(given)

    async def make() -> dict[str, Any]:
        await check_sources(services, query.sources)
        return build_timeline_body(await services.archive.count_timeline(query, bucket))

    return ["timeline", hash_query(query), bucket], make


def _plan_facets(services: Services, given: MatchParameters) -> Plan:
    query = _build_query(given)

    async def make() -> dict[str, Any]:
        await check_sources(services, query.sources)
        return build_facets_body(await services.archive.count_facets(query))

    return ["facets", hash_query(query)], make


async def check_sources(services: Services, sources: Sequence[str]) -> None:
    """Refuse a source that we do not know and that the archive does not hold.

    Otherwise a misspelled source would silently find nothing.
    """
    others = [name for name in sources if name not in services.settings.source]
    if others and (missing := set(others) - await services.archive.find_archived_sources(others)):
        known = ", ".join(services.settings.source)
        raise InvalidParameterError(
            "sources",
            "invalid",
            f"sources must be a comma list out of {known}, "
            f"or of sources that were imported, not {min(missing)}",
        )


def _build_query(
    given: MatchParameters, sort: ArchiveSort | None = ArchiveSort.NEWEST
) -> ArchiveQuery:
    """Return the query. Counts have no order, so they always use the default sort."""
    check_bounds(given.from_, given.to)
    return build_archive_query(
        given.q,
        sources=given.sources or (),
        publisher=given.publisher,
        start=given.from_,
        end=given.to,
        language=given.language,
        sort=sort,
    )
