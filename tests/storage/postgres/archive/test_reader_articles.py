"""The articles of feed readers, on a real PostgreSQL."""

from datetime import timedelta

import pytest
from attrs import evolve

from newsintel.domain.archive.query import build_archive_query
from newsintel.domain.reader.item_ids import compute_number, restore_prefix
from newsintel.storage.postgres.archive.reader_articles import PostgresReaderArticles
from tests.storage.support import NOON, article

TITLES = ("Züge fahren wieder 🚆", "قطار جديد", "Trains", "trains again", "Поезда")
FIVE = [
    evolve(
        article(f"n{place}"),
        id=f"a_{'abcde'[place] * 12}{'z2z2z2z2'}",
        title=title,
        published_at=NOON - timedelta(hours=place),
    )
    for place, title in enumerate(TITLES)
]


@pytest.fixture
async def reader(postgres, archive):
    """The articles of a database with five."""
    await archive.save_articles([(one, NOON) for one in FIVE], [])
    return PostgresReaderArticles(postgres)


async def test_items_are_the_newest_matches(reader):
    """Without words all articles, the latest published first, with both times."""
    items = await reader.list_items(build_archive_query(None), 3)
    assert [item.id for item in items] == [one.id for one in FIVE[:3]]
    hour_us = 3_600_000_000
    assert items[0].published_us == int(NOON.timestamp()) * 1_000_000
    assert [item.seen_us - item.published_us for item in items] == [0, hour_us, 2 * hour_us]


async def test_articles_are_found_by_the_beginning_of_their_ids(reader):
    """Each once, with its text; a number that no article has finds nothing."""
    prefixes = [restore_prefix(compute_number(one.id)) for one in FIVE]
    hits = await reader.find_articles([*prefixes, prefixes[0], restore_prefix(12345)], 99)
    assert {hit.article.id for hit in hits} == {one.id for one in FIVE}
    assert {hit.article.title for hit in hits} == set(TITLES)


async def test_texts_are_read_as_long_as_they_are_shown(postgres, archive):
    """In characters, also of those that take four bytes; a missing text stays missing."""
    one = evolve(FIVE[0], content="🚆ü火車", description="Zug")
    await archive.save_articles([(one, NOON), (evolve(FIVE[1], content=None), NOON)], [])
    reader = PostgresReaderArticles(postgres)
    prefixes = [restore_prefix(compute_number(each.id)) for each in FIVE[:2]]
    for chars, content, description in ((0, "", ""), (2, "🚆ü", "Zu"), (99, "🚆ü火車", "Zug")):
        hits = await reader.find_articles(prefixes, chars)
        by_id = {hit.article.id: hit.article for hit in hits}
        assert by_id[one.id].content == content
        assert by_id[one.id].description == description
        assert by_id[FIVE[1].id].content is None
