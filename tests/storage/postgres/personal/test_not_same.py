"""Articles that people called different stories, on a real PostgreSQL."""

from datetime import timedelta

import pytest

from newsintel.errors import AccountGoneError
from newsintel.storage.postgres.accounts.account_data import PostgresAccountData
from newsintel.storage.postgres.personal import not_same as not_same_module
from newsintel.storage.postgres.personal.not_same import PostgresNotSame
from tests.storage.support import NOON, article

MINUTE = timedelta(minutes=1)
ONE, TWO, THREE = article("one"), article("two"), article("three")


@pytest.fixture
def marks(postgres):
    """The marks of an empty database."""
    return PostgresNotSame(postgres)


def pair(one, other):
    """Two articles with the times of their fetch."""
    return [(one, NOON), (other, NOON)]


async def list_pairs(marks, user_id):
    """All marks as sets of ids, read in pages of two."""
    found, after = [], None
    while True:
        page = await marks.list_page(user_id, 2, after)
        found += [{mark.article_id, mark.other_id} for mark in page.marks]
        after = page.next
        if after is None:
            return found


async def test_mark_adds_missing_articles_to_the_archive(marks, archive, people):
    """One article was archived before, and stays as it is."""
    fuller = article("two", description="fuller")
    await archive.save_articles([(fuller, NOON)], [])
    await marks.record(people[0], pair(ONE, TWO), NOON)
    assert (await archive.get_article(ONE.id)).article == ONE
    assert (await archive.get_article(TWO.id)).article == fuller
    assert await marks.find_others(people[0], ONE.id) == {TWO.id}
    assert await marks.find_others(people[0], TWO.id) == {ONE.id}


async def test_order_of_the_articles_does_not_matter(marks, people, fetch):
    """The same pair is one mark, which moves to the front."""
    await marks.record(people[0], pair(ONE, TWO), NOON)
    await marks.record(people[0], pair(TWO, THREE), NOON + MINUTE)
    await marks.record(people[0], pair(TWO, ONE), NOON + 2 * MINUTE)
    assert await list_pairs(marks, people[0]) == [{ONE.id, TWO.id}, {TWO.id, THREE.id}]
    assert await marks.find_others(people[0], TWO.id) == {ONE.id, THREE.id}
    assert await marks.delete(people[0], TWO.id, ONE.id)
    assert not await marks.delete(people[0], ONE.id, TWO.id)
    assert await fetch("SELECT count(*) FROM not_same_marks") == [(1,)]


async def test_pages_have_each_mark_once(marks, people):
    """Also if all marks have one time."""
    others = [article(str(number)) for number in range(5)]
    for other in others:
        await marks.record(people[0], pair(ONE, other), NOON)
    found = await list_pairs(marks, people[0])
    assert sorted(map(sorted, found)) == sorted(sorted((ONE.id, other.id)) for other in others)


async def test_item_30_marks_are_their_owners_alone(marks, people):
    """Another person neither sees nor deletes them."""
    alice, bob = people
    await marks.record(alice, pair(ONE, TWO), NOON)
    assert await marks.find_others(bob, ONE.id) == frozenset()
    assert not await marks.delete(bob, ONE.id, TWO.id)
    assert await list_pairs(marks, bob) == []
    assert await list_pairs(marks, alice) == [{ONE.id, TWO.id}]


async def test_only_the_newest_are_kept(marks, people, monkeypatch):
    """Older ones are deleted; those of the other person stay."""
    monkeypatch.setattr(not_same_module, "MOST_KEPT", 2)
    await marks.record(people[1], pair(ONE, TWO), NOON)
    for number, other in enumerate((TWO, THREE, article("four"))):
        await marks.record(people[0], pair(ONE, other), NOON + MINUTE * number)
    assert await list_pairs(marks, people[0]) == [
        {ONE.id, article("four").id},
        {ONE.id, THREE.id},
    ]
    assert await list_pairs(marks, people[1]) == [{ONE.id, TWO.id}]


async def test_marks_are_deleted_with_article_and_account(marks, postgres, people, fetch, execute):
    """The foreign keys cascade. A mark of a deleted account is refused."""
    alice, bob = people
    for user_id in people:
        await marks.record(user_id, pair(ONE, TWO), NOON)
        await marks.record(user_id, pair(TWO, THREE), NOON)
    await execute("DELETE FROM articles WHERE external_id = 'one'")
    assert await fetch("SELECT count(*) FROM not_same_marks") == [(2,)]
    await PostgresAccountData(postgres).delete(alice)
    assert await list_pairs(marks, bob) == [{TWO.id, THREE.id}]
    with pytest.raises(AccountGoneError):
        await marks.record(alice, pair(TWO, THREE), NOON)
