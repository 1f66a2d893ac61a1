"""The archive's answer when all sources failed.

It uses the live search's words and filters, on a real PostgreSQL.
"""

from datetime import timedelta

import pytest
from attrs import evolve

from newsintel.domain.archive.query import build_fallback_query
from newsintel.errors import InvalidParameterError
from newsintel.storage.postgres.archive.search import PostgresSearch
from tests.storage.support import NOON, article, query

SOURCES = ("newsapi", "guardian", "reddit")


@pytest.fixture
def found(archive, postgres):
    """Saves articles and returns those that match a live search, by name, newest first."""

    async def run(asked, *articles, limit=10):
        await archive.save_articles([(one, NOON) for one in articles], [])
        page = await PostgresSearch(postgres).search(
            build_fallback_query(asked, SOURCES), limit, None
        )
        return [hit.article.external_id for hit in page.hits]

    return run


async def test_matches_come_newest_first_up_to_the_limit(found):
    """Words match by stem."""
    made = [
        article(f"election-{day}", title="Elections", published_at=NOON - timedelta(days=day))
        for day in range(5)
    ]
    assert await found(query("election"), *made, limit=3) == [
        "election-0",
        "election-1",
        "election-2",
    ]


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
async def test_query_matches_its_words_and_filters(found, asked, expected):
    """AND, phrases, exclusions and filters apply.

    A search of every source also finds imported articles.
    """
    rows = [
        article("a", title="Storm hits coast"),
        article("b", source="newsapi", title="A forecast", description="of storms", language="en"),
        article(
            "c",
            title="Sturm",
            content="a storm",
            language="de",
            published_at=NOON - timedelta(days=1),
        ),
        article("imported", source="rss", title="Storm in a teacup"),
    ]
    assert set(await found(asked, *rows)) == expected


async def test_alternatives_are_joined_by_or(found):
    """An article that matches one clause is enough."""
    either = evolve(
        query("storm"), clauses=query("storm").clauses + query("flood", unwanted=("coast",)).clauses
    )
    assert set(await found(either, article("a", title="Storm"), article("b", title="Flood"))) == {
        "a",
        "b",
    }


async def test_query_of_stop_words_only_is_refused(found):
    """The archive does not index stop words; the merger treats the error as no match."""
    with pytest.raises(InvalidParameterError):
        await found(query("the"))
