# ruff: noqa: S608 - our own constants
"""Personal data on a real PostgreSQL.

It is stored, paged, searched by words, bounded, and separate for each person.
"""

from datetime import timedelta

import pytest
import trio

from newsintel.domain.personal.model import PutResult
from newsintel.domain.personal.preferences import MAX_KEYS, check_preference
from newsintel.domain.personal.saved_query import parse_saved_query
from newsintel.errors import InvalidParameterError, PoisonedBatchError
from newsintel.storage.postgres.accounts.account_data import PostgresAccountData
from newsintel.storage.postgres.accounts.accounts import LOCK_ACCOUNT
from newsintel.storage.postgres.personal import own_history as own_history_module
from newsintel.storage.postgres.personal.history import PostgresHistory
from newsintel.storage.postgres.personal.own_history import PostgresOwnHistory
from newsintel.storage.postgres.personal.preferences import PUT, PostgresPreferences
from tests.make import search_record
from tests.storage.support import NOON, article

MINUTE = timedelta(minutes=1)
HISTORY = "SELECT query, user_id FROM search_history ORDER BY id"


@pytest.fixture
def preferences(postgres):
    """Preferences in their own database."""
    return PostgresPreferences(postgres)


@pytest.fixture
def history(postgres):
    """The recorder's side of the history."""
    return PostgresHistory(postgres)


@pytest.fixture
def own(postgres):
    """The account's side of the history."""
    return PostgresOwnHistory(postgres)


async def save(saved, user_id, name, at=NOON, **more):
    """Save the article with this name; returns the save and what it changed."""
    values = {"notes": None, "keep_notes": True} | more
    return await saved.put(user_id, article(name), NOON, at=at, **values)


async def names(saved, user_id, words=None):
    """The external ids of every save, read in pages of two."""
    found, after = [], None
    while True:
        page = await saved.list_page(
            user_id, None if words is None else parse_saved_query(words), 2, after
        )
        found += [save.article.external_id for save in page.saves]
        after = page.next
        if after is None:
            return found


async def test_preferences_are_stored_by_person_and_key(preferences, people):
    """They are created, changed and deleted; those of another person stay."""
    alice, bob = people
    value = {
        "z": [1, 2.5, None, True],
        "é": "\N{GRINNING FACE}",
        "n": 2**64 - 1,
        "m": -(2**63),
        "x": 1e300,
    }
    assert await preferences.put(alice, "theme", value, NOON) is PutResult.NEW
    assert await preferences.put(alice, "theme", "dark", NOON) is PutResult.CHANGED
    assert await preferences.put(bob, "theme", value, NOON) is PutResult.NEW
    assert await preferences.get_all(alice) == {"theme": "dark"}
    assert await preferences.get_all(bob) == {"theme": value}
    assert await preferences.delete(alice, "theme")
    assert not await preferences.delete(alice, "theme")
    assert await preferences.get_all(bob) == {"theme": value}


async def test_number_of_preferences_is_bounded(preferences, people):
    """At the limit, existing ones can still change. A deleted one makes room."""
    alice, bob = people
    for number in range(MAX_KEYS):
        assert await preferences.put(alice, f"key{number}", number, NOON) is PutResult.NEW
    assert await preferences.put(alice, "x", 1, NOON) is PutResult.FULL
    assert await preferences.put(alice, "key0", 5, NOON) is PutResult.CHANGED
    assert await preferences.put(bob, "x", 5, NOON) is PutResult.NEW
    await preferences.delete(alice, "key0")
    assert await preferences.put(alice, "w", 5, NOON) is PutResult.NEW


async def test_concurrent_requests_do_not_both_take_the_last_place(
    preferences, people, holding, somebody_waits
):
    """The second request waits for the first, and then finds no place."""
    alice = people[0]
    for number in range(MAX_KEYS - 1):
        await preferences.put(alice, f"key{number}", number, NOON)

    put = []

    async def second():
        put.append(await preferences.put(alice, "second", 1, NOON))

    async with (
        trio.open_nursery() as nursery,
        holding((LOCK_ACCOUNT, alice), (PUT, alice, "first", "1", NOON)),
    ):
        nursery.start_soon(second)
        await somebody_waits()
    assert put == [PutResult.FULL]
    assert "first" in await preferences.get_all(alice)


async def test_value_too_long_as_jsonb_is_refused(preferences, people):
    """JSON writes 1e300 in five characters, and jsonb in three hundred digits. The digits count."""
    assert check_preference("theme", [1e300] * 14, ()) == [1e300] * 14
    with pytest.raises(PoisonedBatchError):
        await preferences.put(people[0], "theme", [1e300] * 14, NOON)


async def test_second_save_updates_the_first(saved, archive, people):
    """The time of the first save stays. Notes are replaced, kept or removed as requested."""
    await archive.save_articles([(article("one"), NOON)], [])
    alice = people[0]
    first, done = await save(saved, alice, "one", notes="mine", keep_notes=False)
    assert (first.notes, first.saved_at, done) == ("mine", NOON, PutResult.NEW)
    kept, done = await save(saved, alice, "one", NOON + MINUTE)
    assert (kept.notes, kept.saved_at, done) == ("mine", NOON, PutResult.CHANGED)
    changed, _ = await save(saved, alice, "one", notes="other", keep_notes=False)
    assert changed.notes == "other"
    cleared, _ = await save(saved, alice, "one", notes=None, keep_notes=False)
    assert (cleared.notes, cleared.saved_at) == (None, NOON)
    assert await names(saved, alice) == ["one"]


async def test_longest_notes_are_stored(saved, people):
    """They have 10,000 characters of any script, line breaks included."""
    notes = "\N{GRINNING FACE}\n" * 5_000
    await save(saved, people[0], "one", notes=notes, keep_notes=False)
    assert (await saved.list_page(people[0], None, 1, None)).saves[0].notes == notes


async def test_article_outside_the_archive_is_archived_with_its_save(saved, archive, people, fetch):
    """Both are stored, or neither is. The same article from the persister adds no row."""
    assert (await save(saved, people[0], "new"))[1] is PutResult.NEW
    assert (await archive.get_article(article("new").id)).article == article("new")
    await archive.save_articles([(article("new"), NOON + MINUTE)], [])
    assert await fetch("SELECT count(*) FROM articles") == [(1,)]
    with pytest.raises(PoisonedBatchError):
        await save(saved, people[0], "x", notes="n" * 10_001, keep_notes=False)
    assert await archive.get_article(article("x").id) is None


async def test_concurrent_saves_of_a_new_article_add_it_once(saved, people, fetch):
    """There is one article, and one save for each person."""
    async with trio.open_nursery() as nursery:
        for user_id in people * 2:
            nursery.start_soon(save, saved, user_id, "new")
    assert await fetch("SELECT count(*) FROM articles") == [(1,)]
    assert await fetch("SELECT count(*) FROM saved_articles") == [(2,)]


async def test_saves_come_latest_first_in_stable_pages(saved, people):
    """New and deleted saves between two pages neither repeat nor hide a save.

    This also holds for equal times.
    """
    alice, bob = people
    for number in range(6):
        await save(saved, alice, str(number), NOON + MINUTE * (number // 2))
    await save(saved, bob, "bobs", NOON)
    assert await names(saved, alice) == ["4", "5", "2", "3", "0", "1"]
    first = await saved.list_page(alice, None, 3, None)
    await save(saved, alice, "late", NOON + MINUTE * 9)
    await saved.delete(alice, article("4").id)
    second = await saved.list_page(alice, None, 3, first.next)
    assert [one.article.external_id for one in first.saves + second.saves] == [
        "4",
        "5",
        "2",
        "3",
        "0",
        "1",
    ]
    assert second.next is None


async def test_page_continues_after_a_deleted_article(saved, people, execute):
    """No save is skipped; those of the same time are listed again."""
    for number in range(3):
        await save(saved, people[0], str(number))
    first = await saved.list_page(people[0], None, 2, None)
    await execute(f"DELETE FROM articles WHERE public_id = '{first.saves[1].article.id}'")
    assert [
        one.article.external_id
        for one in (await saved.list_page(people[0], None, 2, first.next)).saves
    ] == ["0", "2"]


async def test_words_find_own_saves(saved, people):
    """A search covers title, publisher and notes, with the usual query language.

    It finds only the person's own saves.
    """
    alice, bob = people
    await saved.put(
        alice,
        article("flood", title="Floods in Kenya"),
        NOON,
        notes="ask Mary",
        keep_notes=False,
        at=NOON,
    )
    await saved.put(
        alice,
        article("vote", title="The vote", publisher="Flood News"),
        NOON,
        notes=None,
        keep_notes=False,
        at=NOON,
    )
    await saved.put(
        bob, article("bobs", title="Flood"), NOON, notes="mary", keep_notes=False, at=NOON
    )
    assert await names(saved, alice, "flood") == ["flood", "vote"]
    assert await names(saved, alice, "kenya mary") == ["flood"]
    assert await names(saved, alice, "flood -kenya") == ["vote"]
    assert await names(saved, alice, '"in kenya" OR vote') == ["flood", "vote"]
    assert await names(saved, alice, "(kenya OR vote) –“ask mary”") == ["vote"]
    assert await names(saved, alice, "kenya or vote") == []
    assert await names(saved, alice, "NOT (kenya OR poll)") == ["vote"]
    assert await names(saved, alice, "bob's \\ ' & | ! ( :*") == []
    with pytest.raises(InvalidParameterError):
        await names(saved, alice, "the of")


async def test_item_30_deleting_affects_only_own_data(saved, own, history, people):
    """The other person's save of the same article stays, and so does the other person's search."""
    alice, bob = people
    for user_id in people:
        await save(saved, user_id, "one")
    await history.record_searches(
        [search_record(query="hers", user_id=alice), search_record(query="his", user_id=bob)]
    )
    his = (await own.list_page(bob, 1, None)).searches[0]
    assert not await own.delete(alice, his.id)
    assert not await saved.delete(alice, article("two").id)
    assert await saved.delete(alice, article("one").id)
    assert not await saved.delete(alice, article("one").id)
    assert await names(saved, bob) == ["one"]
    await own.clear(alice, NOON + MINUTE)
    assert [search.query for search in (await own.list_page(bob, 5, None)).searches] == ["his"]
    assert await own.delete(bob, his.id)


async def test_searches_come_latest_first_in_stable_pages(own, history, people):
    """This also holds for equal times, and while searches are added and deleted.

    Ids are opaque and unique.
    """
    alice = people[0]
    for number in range(6):
        await history.record_searches(
            [
                search_record(
                    query=str(number), searched_at=NOON + MINUTE * (number // 3), user_id=alice
                )
            ]
        )
    whole = (await own.list_page(alice, 10, None)).searches
    assert {search.query for search in whole[:3]} == {"3", "4", "5"}
    assert len({search.id for search in whole}) == 6
    assert all(search.id.startswith("h_") and len(search.id) == 22 for search in whole)
    first = await own.list_page(alice, 2, None)
    await history.record_searches(
        [search_record(query="late", searched_at=NOON + MINUTE * 9, user_id=alice)]
    )
    assert await own.delete(alice, first.searches[1].id)
    second = await own.list_page(alice, 4, first.next)
    assert first.searches + second.searches == whole
    assert second.next is None


async def test_anonymous_searches_contain_no_person(history, fetch):
    """They have neither an account nor a public id."""
    await history.record_searches([search_record()])
    assert await fetch("SELECT user_id, public_id FROM search_history") == [(None, None)]


async def test_late_write_of_a_cleared_search_is_dropped(own, history, people, fetch):
    """A search from before the clearing, written after it, is dropped.

    A later search is written. The searches of others stay.
    """
    alice, bob = people
    await own.clear(alice, NOON)
    before, after = NOON, NOON + timedelta(microseconds=1)
    await history.record_searches(
        [
            search_record(query=f"{whose} {at}", searched_at=at, user_id=whose)
            for whose in people
            for at in (before, after)
        ]
    )
    await history.record_searches([search_record(query="anybody's", searched_at=before)])
    assert [row[1] for row in await fetch(HISTORY)] == [alice, bob, bob, None]
    await own.clear(alice, NOON - MINUTE)
    await history.record_searches([search_record(query="old", searched_at=before, user_id=alice)])
    assert len(await fetch(HISTORY)) == 4


async def test_clearing_leaves_no_search_that_is_written_at_the_same_time(own, history, people):
    """The order of the writes does not matter."""
    alice = people[0]

    async def write():
        for _ in range(20):
            await history.record_searches([search_record(user_id=alice)])

    async with trio.open_nursery() as nursery:
        nursery.start_soon(write)
        await trio.sleep(0.01)
        await own.clear(alice, NOON)
    assert (await own.list_page(alice, 10, None)).searches == ()


async def test_many_searches_are_cleared_in_several_transactions(own, people, execute, monkeypatch):
    """No transaction deletes more than CLEAR_ROWS."""
    monkeypatch.setattr(own_history_module, "CLEAR_ROWS", 100)
    await execute(
        f"""INSERT INTO search_history (query, key, results_count, searched_at, user_id, public_id)
            SELECT 'q', 'k', 1, '2026-01-01+00', {people[0]}, 'h_' || n
            FROM generate_series(1, 1000) AS n"""
    )
    await own.clear(people[0], NOON)
    assert (await own.list_page(people[0], 10, None)).searches == ()


async def test_deleting_an_account_deletes_its_data(postgres, saved, people, fetch):
    """Its identities are deleted too, and the other account keeps its data.

    A search that the recorder still holds is dropped.
    """
    data, preferences, history = (
        PostgresAccountData(postgres),
        PostgresPreferences(postgres),
        PostgresHistory(postgres),
    )
    alice, bob = people
    for user_id in people:
        await save(saved, user_id, "one")
        await preferences.put(user_id, "theme", 1, NOON)
    await history.record_searches(
        [search_record(query=str(user_id), user_id=user_id) for user_id in people]
    )
    assert await data.list_identities(alice) == [("dev", "alice")]
    await data.delete(alice)
    await data.delete(alice)
    assert await data.list_identities(alice) == []
    await history.record_searches(
        [search_record(query="late", user_id=alice), search_record(query="nobody")]
    )
    assert await fetch(HISTORY) == [(str(bob), bob), ("nobody", None)]
    assert await preferences.get_all(alice) == {}
    assert await names(saved, alice) == []
    assert (await names(saved, bob), await preferences.get_all(bob)) == (["one"], {"theme": 1})
    assert await data.list_identities(bob) == [("dev", "bob")]
