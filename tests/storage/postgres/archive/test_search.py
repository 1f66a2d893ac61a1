"""Archive search on a real PostgreSQL: conditions, orders, pages and passages."""

from datetime import UTC, datetime, timedelta

import pytest
from attrs import evolve

from newsintel.domain.archive.model import ArchiveQuery, ArchiveSort, Condition, Field
from newsintel.domain.paging import Position
from newsintel.domain.search import scoring
from newsintel.errors import ArchiveTimeoutError, InvalidParameterError
from newsintel.storage.postgres.archive import conditions, facet_counts, walk
from newsintel.storage.postgres.archive.search import PostgresSearch
from newsintel.storage.postgres.pool import SERVER_SETTINGS
from tests.storage.support import NOON, article

ANY, TITLE, SOURCE, PUBLISHER, AUTHOR = Field


def has(field, text, **how):
    """A condition; a text with a space is a phrase."""
    return Condition(field, text, phrase=" " in text, **how)


def ask(*alternatives, **rest):
    """A query for any of the alternatives.

    Each is a list of conditions, or of words for any field.
    """
    return ArchiveQuery(
        tuple(
            tuple(has(ANY, one) if isinstance(one, str) else one for one in each)
            for each in alternatives
        ),
        **rest,
    )


@pytest.fixture
def search(postgres):
    """Search in its own database."""
    return PostgresSearch(postgres)


@pytest.fixture
async def found(archive, search):
    """Saves articles and returns the names of those that a query finds, in the query's order."""

    async def run(query, *articles):
        await archive.save_articles([(one, NOON) for one in articles], [])
        return [hit.article.external_id for hit in (await search.search(query, 50, None)).hits]

    return run


ZOO = (
    article(
        "cats",
        title="Cats learn",
        description="Of machines and learning machines",
        author="Ann Lee",
        language="en",
    ),
    article(
        "ml",
        title="News",
        content="New machine learning results",
        publisher="BBC News",
        source="newsapi",
        author="Lee Ann Mayer",
    ),
    article(
        "nn",
        title="Neural networks again",
        description="they learn",
        publisher="bbc news",
        source="newsapi",
        language="de",
    ),
    article(
        "dogs",
        title="Dogs",
        publisher="r/dogs",
        source="reddit",
        published_at=NOON - timedelta(days=900),
    ),
    article("back", title="O'Neil's \\ C:\\dir 'quoted' cats"),
)

CONDITIONS = {
    "a word, stemmed": (ask(["learns"]), {"cats", "ml", "nn"}),
    "two words": (ask(["machine", "cat"]), {"cats"}),
    "a phrase": (ask(["machine learning"]), {"ml"}),
    "a phrase or another": (ask(["machine learning"], ["neural networks"]), {"ml", "nn"}),
    "a word but not another": (ask(["learn", has(ANY, "neural", negated=True)]), {"cats", "ml"}),
    "not a phrase": (ask(["learn", has(ANY, "machine learning", negated=True)]), {"cats", "nn"}),
    "only exclusions": (ask([has(ANY, "learn", negated=True)]), {"dogs", "back"}),
    "in the title": (ask([has(TITLE, "learn")]), {"cats"}),
    "not in the title": (ask(["learn", has(TITLE, "learn", negated=True)]), {"ml", "nn"}),
    "a phrase in the title": (ask([has(TITLE, "neural networks")]), {"nn"}),
    "a phrase across the fields": (ask([has(TITLE, "news new")]), set()),
    "quotes and backslashes": (
        ask([has(TITLE, "o'neil's"), has(TITLE, "'quoted'"), has(TITLE, "c:\\dir")]),
        {"back"},
    ),
    "operators are words": (ask([has(ANY, "cats & !learn | (")]), {"cats"}),
    "a source": (ask([has(SOURCE, "newsapi")]), {"ml", "nn"}),
    "a word and a source": (ask(["learn", has(SOURCE, "newsapi")]), {"ml", "nn"}),
    "a word and not a source": (ask(["learn", has(SOURCE, "newsapi", negated=True)]), {"cats"}),
    "a publisher": (ask([has(PUBLISHER, "BBC NEWS")]), {"ml", "nn"}),
    "a word and a publisher": (ask(["neural", has(PUBLISHER, "bbc News")]), {"nn"}),
    "no part of a publisher": (ask([has(PUBLISHER, "bbc")]), set()),
    "a word or a publisher": (ask(["cat"], [has(PUBLISHER, "r/dogs")]), {"cats", "back", "dogs"}),
    "an author's words": (ask([has(AUTHOR, "lee")]), {"cats", "ml"}),
    "an author's name": (ask([has(AUTHOR, "ann lee")]), {"cats"}),
    "not an author": (ask(["learn", has(AUTHOR, "mayer", negated=True)]), {"cats", "nn"}),
    "an author or a word": (ask([has(AUTHOR, "mayer")], ["dog"]), {"ml", "dogs"}),
    "stop words beside others": (ask(["the", "cat"]), {"cats", "back"}),
    "stop words or others": (ask(["the"], ["dog"]), {"dogs"}),
    "a stop word excluded": (ask(["dog", has(ANY, "the", negated=True)]), {"dogs"}),
    "a stop word excluded, or others": (
        ask(["dog"], [has(ANY, "the", negated=True)]),
        {"cats", "ml", "nn", "dogs", "back"},
    ),
    "nothing but a stop word excluded": (
        ask([has(ANY, "the", negated=True)]),
        {"cats", "ml", "nn", "dogs", "back"},
    ),
    "an author without a word": (ask([has(AUTHOR, "?!")]), set()),
    "everything": (ask(), {"cats", "ml", "nn", "dogs", "back"}),
    "sources": (ask(sources=("newsapi", "reddit")), {"ml", "nn", "dogs"}),
    "a word, sources": (ask(["learn"], sources=("newsapi", "reddit")), {"ml", "nn"}),
    "a word, a publisher": (ask(["learn"], publisher="The guardian"), {"cats"}),
    "a publisher alone": (ask(publisher="the Guardian"), {"cats", "back"}),
    "a language or none": (ask(["learn"], language="en"), {"cats", "ml"}),
    "dates": (ask(start=NOON - timedelta(days=900), end=NOON - timedelta(days=899)), {"dogs"}),
    "a word, dates": (ask(["learn"], end=NOON - timedelta(seconds=1)), set()),
}


@pytest.mark.parametrize("sort", list(ArchiveSort))
async def test_query_finds_exactly_its_matches(archive, search, sort):
    """Covers every kind of condition, alone and with others, in every order."""
    await archive.save_articles([(one, NOON) for one in ZOO], [])
    pages = {
        name: await search.search(evolve(query, sort=sort), 50, None)
        for name, (query, _) in CONDITIONS.items()
    }
    found = {
        name: sorted(hit.article.external_id for hit in page.hits) for name, page in pages.items()
    }
    assert [
        (name, found[name], sorted(expected))
        for name, (_, expected) in CONDITIONS.items()
        if found[name] != sorted(expected)
    ] == []


@pytest.mark.parametrize(
    "only",
    [
        ["the"],
        ["the", "of"],
        [has(TITLE, "and")],
        ["the", has(ANY, "cat", negated=True)],
        ["the", has(SOURCE, "reddit")],
    ],
)
async def test_query_of_stop_words_only_is_refused(search, only):
    """Search, facets and timeline refuse it with a code.

    Otherwise nothing would explain the empty result.
    """
    for call in (
        search.search(ask(only), 5, None),
        search.count_facets(ask(only)),
        search.count_timeline(ask(only), "day"),
    ):
        with pytest.raises(InvalidParameterError) as refusal:
            await call
        assert (refusal.value.field, refusal.value.code) == ("q", "only_stop_words")


async def test_articles_of_a_source_come_newest_first(found):
    """They go further back than any upstream API; equal times are ordered by id."""
    old = [
        article(f"a{number}", published_at=NOON - timedelta(days=200 * number))
        for number in range(25)
    ]
    names = await found(ask(sources=("guardian",)), *old, article("other", source="reddit"))
    assert names == [f"a{number}" for number in range(25)]
    assert await found(ask(sources=("guardian",), end=NOON - timedelta(days=4_700))) == ["a24"]
    assert (
        await found(ask(["title"], sort=ArchiveSort.OLDEST, sources=("guardian",))) == names[::-1]
    )


async def test_url_fetched_again_is_one_hit_with_both_times(archive, search):
    """No row is added. The hit says when it was first seen and last fetched."""
    for hours in (0, 1):
        await archive.save_articles([(article(), NOON + timedelta(hours=hours))], [])
    (hit,) = (await search.search(ask(["title"]), 5, None)).hits
    assert (hit.first_seen_at, hit.fetched_at) == (NOON, NOON + timedelta(hours=1))


async def test_relevance_ranks_titles_first_then_newer_articles(found):
    """A word in the title counts more than one in the description or the content.

    The date orders equal scores.
    """
    names = await found(
        ask(["cat"], sort=ArchiveSort.RELEVANCE),
        article("content", title="x", content="a cat"),
        article("older", title="a cat", published_at=NOON - timedelta(days=1)),
        article("newer", title="a cat"),
        article("description", title="x", description="a cat"),
    )
    assert names == ["newer", "older", "description", "content"]


async def test_titles_weigh_against_descriptions_as_in_live_scores(postgres):
    """PostgreSQL's ranks of a word in either have the ratio of the two parts of a live score."""

    async def unit(connection) -> tuple[float, float]:
        return await connection.fetchrow(
            "SELECT ts_rank('cat:1A'::tsvector, 'cat'), ts_rank('cat:1B'::tsvector, 'cat')"
        )

    in_title, in_description = await postgres.run(unit)
    assert in_description / in_title == pytest.approx(scoring.DESCRIPTION / scoring.TITLE)


@pytest.mark.parametrize("sort", list(ArchiveSort))
@pytest.mark.parametrize("words", [(), ("cat",)], ids=["all", "word"])
async def test_paging_while_articles_arrive_skips_and_repeats_nothing(
    archive, search, monkeypatch, sort, words
):
    """Every article that was there at the first page comes exactly once.

    Before each page, newer, older and better ones arrive.
    """
    monkeypatch.setattr(conditions, "CANDIDATES", 30)
    query = ask(list(words), sort=sort) if words else ask(sort=sort)
    there = [
        article(
            f"n{number}",
            title=("cat " * (number % 5 + 1)).strip(),
            published_at=NOON - timedelta(hours=number // 3),
        )
        for number in range(60)
    ]
    await archive.save_articles([(one, NOON) for one in there], [])
    seen, after, turn = [], None, 0
    while turn == 0 or after:
        page = await search.search(query, 7, Position(after.keys) if after else None)
        seen += [hit.article.id for hit in page.hits]
        after, turn = page.next, turn + 1
        times = (
            NOON + timedelta(hours=turn),
            NOON - timedelta(hours=3, minutes=turn),
            NOON - timedelta(days=turn),
        )
        late = [
            article(f"late{turn}-{number}", title="cat cat cat", published_at=when)
            for number, when in enumerate(times)
        ]
        await archive.save_articles([(one, NOON) for one in late], [])
    assert len(set(seen)) == len(seen)
    assert {one.id for one in there} <= set(seen)
    expected = {one.id: one for one in there}
    if sort is not ArchiveSort.RELEVANCE or not words:
        order = [expected[one].published_at for one in seen if one in expected]
        assert order == sorted(order, reverse=sort is not ArchiveSort.OLDEST)


async def test_windows_find_every_match_in_order(archive, search, monkeypatch):
    """With windows of a few articles, both orders find the same articles.

    The articles are from 1850 on, and the last page has no successor.
    """
    monkeypatch.setattr(walk, "FIRST_ROWS", 2)
    times = [
        datetime(1850, 1, 1, tzinfo=UTC) + timedelta(days=17, hours=5) * number
        for number in range(0, 3_600, 45)
    ]
    names = [f"w{number}" for number in range(len(times))]
    await archive.save_articles(
        [
            (article(name, title="cat", published_at=when), NOON)
            for name, when in zip(names, times, strict=True)
        ],
        [],
    )
    for sort, expected in ((ArchiveSort.OLDEST, names), (ArchiveSort.NEWEST, names[::-1])):
        page = await search.search(ask(["cat"], sort=sort), 70, None)
        rest = await search.search(ask(["cat"], sort=sort), 70, page.next)
        assert [hit.article.external_id for hit in page.hits + rest.hits] == expected
        assert rest.next is None


async def test_passage_has_offsets_of_the_match_in_code_points(archive, search):
    """The text is neither escaped nor marked up.

    The offsets are right after characters of any width.
    """
    text = '👩‍👩‍👧 زلزال <b>x</b> & Learning, machines "learn"'
    await archive.save_articles(
        [
            (article("one", title="No match", description=text), NOON),
            (article("two", title="They learn", description="Of course"), NOON),
        ],
        [],
    )
    hits = (await search.search(ask(["learning"]), 5, None)).hits
    marked = {
        hit.article.external_id: [hit.snippet.text[one:two] for one, two in hit.snippet.highlights]
        for hit in hits
    }
    assert marked == {"one": ["Learning", "learn"], "two": ["learn"]}
    (everything,) = {hit.snippet for hit in (await search.search(ask(), 5, None)).hits}
    assert everything is None


async def test_slow_query_is_an_archive_timeout(postgres, monkeypatch):
    """The server's timeout ends it; it is not reported as an outage."""
    monkeypatch.setitem(SERVER_SETTINGS, "statement_timeout", "50")
    with pytest.raises(ArchiveTimeoutError):
        await postgres.run(_sleep)


async def _sleep(connection):
    await connection.execute("SELECT pg_sleep(5)")


async def test_slow_call_is_an_archive_timeout(search, monkeypatch):
    """The timeout covers the whole call, even if each of its commands is fast enough."""
    monkeypatch.setattr("newsintel.storage.postgres.archive.unit_time.UNIT_S", 0.0)
    with pytest.raises(ArchiveTimeoutError):
        await search.search(ask(["cat"]), 5, None)


async def test_facets_list_the_most_common_first(archive, search):
    """The matches are counted by source and by publisher, 20 values each at most."""
    many = [
        article(f"p{number}", title="cat", publisher=f"P{number % 30:02}", source="newsapi")
        for number in range(45)
    ]
    await archive.save_articles(
        [(one, NOON) for one in (*many, article("dog"), article("cat", title="cat"))], []
    )
    for query in (
        ask(["cat"]),
        ask([has(SOURCE, "newsapi")], [has(SOURCE, "guardian"), has(TITLE, "cat")]),
    ):
        facets = await search.count_facets(query)
        assert facets.source == (("newsapi", 45), ("guardian", 1))
        assert facets.publisher[:2] == (("P00", 2), ("P01", 2))
        assert len(facets.publisher) == 20
    assert dict((await search.count_facets(ask())).source) == {"newsapi": 45, "guardian": 2}
    assert (await search.count_facets(ask(["nothing"]))).source == ()
    assert (await search.count_facets(ask())).counted_newest is None


async def test_facets_of_many_matches_count_only_the_newest(archive, search, monkeypatch):
    """The limit is exact to the row where an index has the order.

    The facets say how many matches they count.
    """
    monkeypatch.setattr(
        facet_counts,
        "NEWEST_FACETS",
        facet_counts.NEWEST_FACETS.replace("LIMIT 10001", "LIMIT 4").replace("10000", "3"),
    )
    some = [
        article(f"s{number}", source=f"s{number}", published_at=NOON - timedelta(days=number))
        for number in range(5)
    ]
    for number, expected in ((3, None), (4, 3), (5, 3)):
        await archive.save_articles([(one, NOON) for one in some[:number]], [])
        facets = await search.count_facets(ask())
        assert facets.counted_newest == expected
        assert facets.source == (("s0", 1), ("s1", 1), ("s2", 1))


def test_facets_of_very_many_publishers_are_counted_in_slices():
    """Each match may have its own publisher.

    Other tasks run after every few hundred, during counting and during sorting.
    """
    names = [f"p{number * 7919 % 10_007:05}" for number in range(10_007)]
    work = facet_counts._count_in_slices(
        [
            {"source": name[:3], "publisher": name, "number": 1 + (name == "p09999")}
            for name in names
        ],
        ended=True,
    )
    slices = 1
    while True:
        try:
            next(work)
        except StopIteration as done:
            facets = done.value
            break
        slices += 1
    assert slices > 2 * len(names) / facet_counts.FACET_ROWS_A_SLICE
    assert facets.publisher == (("p09999", 2), *((f"p{number:05}", 1) for number in range(19)))
    assert (facets.source[0], facets.source[-1]) == (("p09", 1001), ("p10", 7))
    assert facets.counted_newest is None


async def test_held_names_the_sources_in_the_archive(archive, search):
    """An import may give its source any name."""
    assert await search.find_archived_sources(["guardian", "blog_1"]) == frozenset()
    await archive.save_articles(
        [(article("one", source="blog_1"), NOON), (article("two"), NOON)], []
    )
    assert await search.find_archived_sources(["guardian", "blog_1", "blog_2"]) == {
        "guardian",
        "blog_1",
    }
    assert await search.find_archived_sources([]) == frozenset()
