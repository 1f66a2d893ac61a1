"""What the archive answers in the place of sources that all failed: the live search's words and filters, on a real PostgreSQL."""

from datetime import timedelta

import pytest
from attrs import evolve

from newsintel.domain.archive.query import instead_of
from newsintel.errors import InvalidParameterError
from newsintel.storage.postgres.archive.search import PostgresSearch
from tests.storage.support import NOON, article, query

SOURCES = ("newsapi", "guardian", "reddit")


@pytest.fixture
def found(archive, postgres):
    """Saves articles and answers which of them stand in for a live search, by name, newest first."""

    async def run(asked, *articles, limit=10):
        await archive.save([(one, NOON) for one in articles], [])
        page = await PostgresSearch(postgres).search(instead_of(asked, SOURCES), limit, None)
        return [hit.article.external_id for hit in page.hits]

    return run


async def test_newest_first_and_bounded(found):
    """Words match by stem, newest first, at most as many as wanted."""
    made = [article(f"election-{day}", title="Elections", published_at=NOON - timedelta(days=day)) for day in range(5)]
    assert await found(query("election"), *made, limit=3) == ["election-0", "election-1", "election-2"]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (query("storm"), {"a", "b", "c", "imported"}),
        (query("storm", "coast"), {"a"}),
        (query("storm hits"), {"a"}),
        (query("storm", unwanted=("coast",)), {"b", "c", "imported"}),
        (query("storm", unwanted=("hits coast", "forecast")), {"c", "imported"}),
        (query("storm", unwanted=("the",)), {"a", "b", "c", "imported"}),
        (query("storm", sources=("newsapi",)), {"b"}),
        (query("storm", language="en"), {"a", "b", "imported"}),
        (query("storm", start=NOON, end=NOON), {"a", "b", "imported"}),
        (query("storm", end=NOON - timedelta(seconds=1)), {"c"}),
        (query("storm'|!&):*"), {"a", "b", "c", "imported"}),
        (query("'); DROP TABLE articles; --"), set()),
    ],
)
async def test_a_query_matches_what_it_says(found, asked, expected):
    """AND, phrases, exclusion and filters hold; a search of every source finds what was imported from elsewhere too."""
    rows = [
        article("a", title="Storm hits coast"),
        article("b", source="newsapi", title="A forecast", description="of storms", language="en"),
        article("c", title="Sturm", content="a storm", language="de", published_at=NOON - timedelta(days=1)),
        article("imported", source="rss", title="Storm in a teacup"),
    ]
    assert set(await found(asked, *rows)) == expected


async def test_alternatives_widen_a_query(found):
    """Clauses are joined by OR."""
    either = evolve(query("storm"), clauses=query("storm").clauses + query("flood", unwanted=("coast",)).clauses)
    assert set(await found(either, article("a", title="Storm"), article("b", title="Flood"))) == {"a", "b"}


async def test_stop_words_alone_are_named(found):
    """The archive knows nothing of words too common to be indexed; the merger takes that for no match."""
    with pytest.raises(InvalidParameterError):
        await found(query("the"))
