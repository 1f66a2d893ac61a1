"""Which articles people have read, on a real PostgreSQL."""

from datetime import timedelta

import pytest

from newsintel.domain.reader.model import Item, ItemState
from newsintel.storage.postgres.accounts.account_data import PostgresAccountData
from newsintel.storage.postgres.personal import read_marks as module
from newsintel.storage.postgres.personal.read_marks import PostgresReadMarks
from newsintel.storage.postgres.personal.saved import PostgresSaved
from tests.fakes.reader import count_us
from tests.storage.support import NOON, article

MINUTE = timedelta(minutes=1)
THREE = [article(name) for name in ("one", "two", "three")]
ONE, TWO, LAST = (one.id for one in THREE)


@pytest.fixture
async def marks(postgres, archive):
    """The marks of a database with three articles."""
    await archive.save_articles([(one, NOON) for one in THREE], [])
    return PostgresReadMarks(postgres)


async def list_ids(marks, user_id):
    """The ids of all marks, read in pages of two."""
    found, after = [], None
    while True:
        page = await marks.list_page(user_id, 2, after)
        found += [mark.article_id for mark in page.marks]
        after = page.next
        if after is None:
            return found


async def test_states_are_what_a_person_read_and_saved(marks, people, postgres):
    """Articles without either are left out, and so are articles that nobody has."""
    await marks.mark_read(people[0], [ONE, "a_unknown"], NOON)
    saves = PostgresSaved(postgres)
    for one in THREE[:2]:
        await saves.put(people[0], one, NOON, notes=None, keep_notes=True, at=NOON)
    assert await marks.find_states(people[0], [ONE, TWO, LAST, "a_unknown"]) == {
        ONE: ItemState(read=True, starred=True),
        TWO: ItemState(starred=True),
    }


async def test_starred_items_are_the_saves_of_a_person(marks, people, postgres, execute):
    """Each arrived when it was saved. A time before 1970 is that of the first moment."""
    saves = PostgresSaved(postgres)
    for place, one in enumerate(THREE[:2]):
        at = NOON + place * MINUTE
        await saves.put(people[0], one, NOON, notes="n" * 10_000, keep_notes=False, at=at)
    await execute(
        "UPDATE articles SET published_at = '1969-01-01' WHERE id = "
        "(SELECT article_id FROM saved_articles ORDER BY saved_at DESC LIMIT 1)"
    )
    assert sorted(await marks.list_starred(people[0]), key=lambda item: item.seen_us) == [
        Item(ONE, count_us(NOON), count_us(THREE[0].published_at)),
        Item(TWO, count_us(NOON + MINUTE), 0),
    ]
    assert await marks.list_starred(people[1]) == []


async def test_marks_come_newest_first_and_can_be_removed(marks, people):
    """Reading again moves a mark to the front."""
    for place, one in enumerate((ONE, TWO, LAST, ONE)):
        await marks.mark_read(people[0], [one], NOON + place * MINUTE)
    assert await list_ids(marks, people[0]) == [ONE, LAST, TWO]
    await marks.mark_unread(people[0], [ONE, TWO])
    await marks.mark_unread(people[0], [ONE])
    assert await list_ids(marks, people[0]) == [LAST]


async def test_pages_hold_marks_of_one_moment(marks, people):
    """A stream is marked at once, so its marks have one time."""
    await marks.mark_read(people[0], [ONE, TWO, LAST], NOON)
    assert sorted(await list_ids(marks, people[0])) == sorted([ONE, TWO, LAST])


async def test_only_the_newest_marks_are_kept(marks, people, monkeypatch):
    """The oldest one leaves."""
    monkeypatch.setattr(module, "MOST_KEPT", 2)
    for place, one in enumerate((ONE, TWO, LAST)):
        await marks.mark_read(people[0], [one], NOON + place * MINUTE)
    assert await list_ids(marks, people[0]) == [LAST, TWO]


async def test_item_30_marks_are_their_owners_alone(marks, people):
    """Nobody sees or removes the marks of another person."""
    await marks.mark_read(people[0], [ONE], NOON)
    await marks.mark_unread(people[1], [ONE])
    assert await marks.find_states(people[1], [ONE]) == {}
    assert await list_ids(marks, people[1]) == []
    assert await list_ids(marks, people[0]) == [ONE]


async def test_marks_go_with_the_account_and_with_the_article(marks, people, postgres, fetch):
    """Foreign keys remove them."""
    for one in people[:2]:
        await marks.mark_read(one, [ONE, TWO], NOON)
    await PostgresAccountData(postgres).delete(people[0])
    assert await fetch("SELECT count(*) FROM read_marks") == [(2,)]
    await fetch("DELETE FROM articles RETURNING 1")
    assert await list_ids(marks, people[1]) == []
