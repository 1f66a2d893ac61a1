"""GET /archive, /archive/timeline and /archive/facets: queries to the archive, and answers."""

from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest
from attrs import evolve

from newsintel.domain.archive.model import (
    ArchiveQuery,
    ArchiveSort,
    Bar,
    Bucket,
    Condition,
    Field,
    Hit,
    Snippet,
)
from newsintel.errors import ArchiveTimeoutError, BusyError, InvalidParameterError, UnavailableError
from newsintel.http.application import create_app
from newsintel.http.response.errors import TOO_WIDE
from tests.fakes.basics import MemorySearch
from tests.http.world import NOW, World, article

PATHS = ("/archive", "/archive/timeline", "/archive/facets")
HITS = [
    Hit(article(number), NOW, NOW, Snippet("a b", ((0, 1),)) if number % 2 else None)
    for number in range(1, 6)
]


def filled():
    """Return a world whose archive holds five articles."""
    return World(archive=MemorySearch(HITS, [Bar(NOW, 2), Bar(NOW + timedelta(days=1), 0)]))


async def get(world, path, **more):
    """Send one GET through the whole application."""
    return await create_app(world.services).test_client().get(path, **more)


async def test_without_parameters_the_archive_returns_the_newest_twenty():
    """Every parameter is optional, `q` too."""
    world = World()
    assert await (await get(world, "/archive")).get_json() == {"articles": [], "next_cursor": None}
    assert world.archive.asked == [(ArchiveQuery(), 20, None)]


async def test_every_parameter_reaches_the_archive():
    """These are the filters, the query grammar, the order and the page size."""
    world = World()
    path = (
        "/archive?q=title:flood+-source:reddit+after:2026-01-01&sources=guardian,newsapi&publisher=BBC+News"
        "&from=2025-01-01&to=2026-02-02&language=EN&limit=7&sort=oldest"
    )
    assert (await get(world, path)).status_code == 200
    query = ArchiveQuery(
        alternatives=(
            (Condition(Field.TITLE, "flood"), Condition(Field.SOURCE, "reddit", negated=True)),
        ),
        sources=("newsapi", "guardian"),
        publisher="BBC News",
        start=datetime(2026, 1, 1, tzinfo=UTC),
        end=datetime(2026, 2, 2, 23, 59, 59, 999999, tzinfo=UTC),
        language="en",
        sort=ArchiveSort.OLDEST,
    )
    assert world.archive.asked == [(query, 7, None)]


@pytest.mark.parametrize(
    ("path", "sort"),
    [
        ("/archive?q=flood", ArchiveSort.RELEVANCE),
        ("/archive?q=flood&sort=newest", ArchiveSort.NEWEST),
        ("/archive?q=source:reddit", ArchiveSort.NEWEST),
        ("/archive?sort=relevance", ArchiveSort.NEWEST),
        ("/archive/facets?q=flood", ArchiveSort.NEWEST),
        ("/archive/timeline?q=flood", ArchiveSort.NEWEST),
    ],
)
async def test_default_order_depends_on_the_query(path, sort):
    """A query with words is ordered by relevance; counts need no order."""
    world = World()
    await get(world, path)
    assert world.archive.asked[0][0].sort is sort


async def test_cursors_lead_through_all_pages():
    """Each cursor leads to the next page, which may have another size.

    The last page has no cursor, and no page has a total.
    """
    world = filled()
    seen, cursor, limit = [], "", 2
    while cursor is not None:
        body = await (
            await get(world, f"/archive?q=a&limit={limit}" + (cursor and f"&cursor={cursor}"))
        ).get_json()
        seen += [one["id"] for one in body["articles"]]
        assert set(body) == {"articles", "next_cursor"}
        cursor, limit = body["next_cursor"], 1
    assert seen == [hit.article.id for hit in HITS]


@pytest.mark.parametrize(
    "other",
    [
        "q=b",
        "q=a&sort=newest",
        "q=a&sources=guardian",
        "q=a&publisher=x",
        "q=a&from=2026-01-01",
        "q=a&language=en",
        "q=a+-b",
        "",
    ],
)
async def test_a_cursor_of_another_query_is_refused(other):
    """The query has other words, filters or another order.

    The 400 names the cursor, and the archive is not asked.
    """
    world = filled()
    cursor = (await (await get(world, "/archive?q=a&limit=2")).get_json())["next_cursor"]
    response = await get(world, f"/archive?{other}&cursor={cursor}")
    assert (response.status_code, (await response.get_json())["errors"][0]["field"]) == (
        400,
        "cursor",
    )
    assert len(world.archive.asked) == 1
    assert (await get(world, f"/archive?q=++a&limit=3&cursor={cursor}")).status_code == 200


@pytest.mark.slow
@pytest.mark.parametrize(
    ("query", "field", "code"),
    [
        ("q=", "q", "blank"),
        ("q=%20%09", "q", "blank"),
        ("q=%22%22", "q", "no_words"),
        ("q=" + "x" * 257, "q", "too_long"),
        ("q=before:soon", "q", "date"),
        ("q=-after:2026-01-01", "q", "not_excludable"),
        ("q=(a+OR+b)(c+OR+d)(e+OR+f)(g+OR+h)(i+OR+j)(k+OR+l)", "q", "too_complex"),
        ("q=before:2026-01-01&from=2026-01-02", "q", "empty_span"),
        ("from=2026-01-02&to=2026-01-01", "from", "after_to"),
        ("publisher=", "publisher", "blank"),
        ("publisher=a%07", "publisher", "control_character"),
        ("sources=", "sources", "invalid"),
        ("sources=bbc", "sources", "invalid"),
        ("language=eng", "language", "invalid"),
        ("q=a&q=b", "q", "repeated"),
        ("q=%ff", "q", "encoding"),
        ("q=a%00", "q", "encoding"),
        ("page=2", "page", "unknown"),
    ],
)
@pytest.mark.parametrize("path", PATHS)
async def test_bad_input_is_a_400_that_names_the_parameter(path, query, field, code):
    """This holds for all three routes; the archive is not asked."""
    world = World()
    response = await get(world, f"{path}?{query}")
    body = await response.get_json()
    assert (response.status_code, body["code"], response.content_type) == (
        400,
        "invalid_parameter",
        "application/problem+json",
    )
    assert [(error["field"], error["code"]) for error in body["errors"]] == [(field, code)]
    assert world.archive.asked == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("/archive?limit=0", "limit"),
        ("/archive?limit=101", "limit"),
        ("/archive?limit=1_0", "limit"),
        ("/archive?sort=popular", "sort"),
        ("/archive?cursor=", "cursor"),
        ("/archive?cursor=AAAA", "cursor"),
        ("/archive?cursor=" + quote("'; DROP TABLE articles"), "cursor"),
        ("/archive?bucket=day", "bucket"),
        ("/archive/timeline?bucket=month", "bucket"),
        ("/archive/timeline?limit=5", "limit"),
        ("/archive/facets?cursor=AAAA", "cursor"),
    ],
)
async def test_each_route_refuses_the_parameters_of_the_others(query, field):
    """Only the search has paging; only the timeline has `bucket`."""
    response = await get(World(), query)
    assert (response.status_code, (await response.get_json())["errors"][0]["field"]) == (400, field)


async def test_timeline_has_buckets_of_a_day_by_default():
    """Empty buckets are included."""
    world = filled()
    body = await (await get(world, "/archive/timeline?q=a")).get_json()
    assert body == {
        "buckets": [
            {"start": "2026-03-01T12:00:00Z", "count": 2},
            {"start": "2026-03-02T12:00:00Z", "count": 0},
        ]
    }
    await get(world, "/archive/timeline?q=a&bucket=week")
    assert [asked[1] for asked in world.archive.asked] == [Bucket.DAY, Bucket.WEEK]


async def test_facets_have_values_with_counts():
    """Values with their counts."""
    body = await (await get(filled(), "/archive/facets")).get_json()
    assert body == {
        "source": [{"value": "guardian", "count": 5}],
        "publisher": [{"value": "The Guardian", "count": 5}],
    }


async def test_facets_say_when_only_the_newest_matches_were_counted():
    """The body gives the number of counted matches; otherwise the member is absent."""
    world = filled()
    world.archive.counted_newest = 10_342
    assert (await (await get(world, "/archive/facets")).get_json())["counted_newest"] == 10_342


@pytest.mark.parametrize("path", PATHS)
async def test_every_source_in_the_archive_is_a_valid_filter(path):
    """Imported sources count too, in any order, each once; our own sources may be empty.

    A source that is neither ours nor in the archive is a 400 that names it.
    """
    world = filled()
    world.archive.hits = tuple(
        Hit(evolve(article(number), source=f"blog_{number}"), NOW, NOW) for number in (1, 2)
    )
    for asked, wanted in (
        ("blog_1", ("blog_1",)),
        ("blog_2,guardian,blog_1,newsapi,blog_2", ("newsapi", "guardian", "blog_1", "blog_2")),
        ("guardian", ("guardian",)),
    ):
        assert (await get(world, f"{path}?sources={asked}")).status_code == 200
        assert world.archive.asked[-1][0].sources == wanted
    number = len(world.archive.asked)
    for asked in ("blog_3", "guardian,gaurdian"):
        response = await get(world, f"{path}?sources={asked}")
        (error,) = (await response.get_json())["errors"]
        assert (response.status_code, error["field"], asked.split(",")[-1] in error["message"]) == (
            400,
            "sources",
            True,
        )
    assert len(world.archive.asked) == number


@pytest.mark.parametrize(
    "sources",
    ["", ",", "a,", "Guardian", "a-b", "a b", "9a", "a" * 33, "ä", "'; DROP TABLE articles"],
)
async def test_an_invalid_source_name_is_refused_without_asking_the_archive(sources):
    """The rule for names is that of imports."""
    world = filled()
    response = await get(world, f"/archive?sources={quote(sources)}")
    assert (response.status_code, (await response.get_json())["errors"][0]["field"]) == (
        400,
        "sources",
    )
    assert world.archive.asked == []


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("error", "status", "code", "retry_after"),
    [
        (
            InvalidParameterError(
                "q", "only_stop_words", "q must hold a word that says something."
            ),
            400,
            "invalid_parameter",
            None,
        ),
        (
            InvalidParameterError("bucket", "too_many", "bucket must be wider."),
            400,
            "invalid_parameter",
            None,
        ),
        (ArchiveTimeoutError("canceling statement"), 503, "archive_timeout", "1"),
        (UnavailableError("connection to db.internal lost"), 503, "archive_timeout", "1"),
        (BusyError("all 10 places are taken"), 503, "busy", "1"),
    ],
)
async def test_archive_errors_become_problems(path, error, status, code, retry_after):
    """A caller's mistake is named; a failure of ours has Retry-After; neither is cached."""
    world = filled()
    world.archive.raises = error
    response = await get(world, path)
    body = await response.get_json()
    assert (response.status_code, body["code"], response.headers.get("Retry-After")) == (
        status,
        code,
        retry_after,
    )
    assert response.headers["Cache-Control"] == "no-store"
    assert world.bytes_cache.kept == {}
    assert "internal" not in str(body)
    world.archive.raises = None
    assert (await get(world, path)).status_code == 200


async def test_a_query_timeout_gets_a_hint_to_narrow_the_query():
    """An archive that is unavailable says nothing about the query."""
    slow = await get(World(archive=failing(ArchiveTimeoutError("slow"))), "/archive?q=a")
    away = await get(World(archive=failing(UnavailableError("away"))), "/archive?q=a")
    assert (await slow.get_json())["detail"] == TOO_WIDE
    assert (await away.get_json())["detail"] != TOO_WIDE


def failing(error):
    """Return an archive that raises this error."""
    archive = MemorySearch()
    archive.raises = error
    return archive
