"""How many articles a person may save, and how many saves one request searches."""

import pytest
import trio

from newsintel.domain.personal.model import PutResult
from newsintel.domain.personal.saved_query import parse_saved_query
from newsintel.storage.postgres.accounts.accounts import LOCK_ACCOUNT
from newsintel.storage.postgres.personal import saved as module
from newsintel.storage.postgres.personal.saved import MOST_SAVES
from tests.storage.support import NOON, article

FILL = """
WITH made AS (
    INSERT INTO articles (public_id, source, external_id, url, canonical_url, title, publisher,
                          published_at, published_at_estimated, first_seen_at, fetched_at)
    SELECT 'a_' || n, 'test', n, 'https://example.org/' || n, 'https://example.org/' || n,
           'Title ' || n, 'P', now(), false, now(), now()
    FROM generate_series(1, {number}) AS n RETURNING id
)
INSERT INTO saved_articles (user_id, article_id, notes, saved_at)
SELECT {user_id}, id, 'needle in ' || id, '2026-01-01+00'::timestamptz + id * interval '1 minute'
FROM made
"""


@pytest.fixture
def fill_and_wait(execute, somebody_waits):
    """Gives a person this many saves.

    The second function waits until a session waits for a lock.
    """

    async def fill(user_id, number):
        await execute(FILL.format(number=number, user_id=user_id))

    return fill, somebody_waits


async def put(saved, user_id, name):
    """The outcome of a save."""
    _, done = await saved.put(user_id, article(name), NOON, notes=None, keep_notes=True, at=NOON)
    return done


async def test_number_of_saves_is_bounded(saved, people, execute):
    """At the limit, existing saves can still change.

    A deleted one makes room, and the other person has a separate limit.
    """
    alice, bob = people
    await execute(FILL.format(number=MOST_SAVES - 1, user_id=alice))
    assert await put(saved, alice, "last") is PutResult.NEW
    assert await put(saved, alice, "further") is PutResult.FULL
    assert await put(saved, alice, "last") is PutResult.CHANGED
    assert await put(saved, bob, "further") is PutResult.NEW
    assert await saved.delete(alice, article("last").id)
    assert await put(saved, alice, "further") is PutResult.NEW


async def test_concurrent_saves_do_not_both_take_the_last_place(
    saved, archive, people, holding, fill_and_wait
):
    """The second save waits for the first, and then finds no place."""
    alice, done = people[0], []
    fill, somebody_waits = fill_and_wait
    await fill(alice, MOST_SAVES - 1)

    async def second():
        done.append(await put(saved, alice, "second"))

    await archive.save_articles([(article("first"), NOON)], [])
    first = (
        "INSERT INTO saved_articles SELECT $1, id, NULL, now() FROM articles WHERE public_id = $2"
    )
    async with (
        trio.open_nursery() as nursery,
        holding((LOCK_ACCOUNT, alice), (first, alice, article("first").id)),
    ):
        nursery.start_soon(second)
        await somebody_waits()
    assert done == [PutResult.FULL]


@pytest.mark.slow
@pytest.mark.parametrize("budget", [(1, 950), (44 * 300, 4), (1_000_000, 2)])
async def test_search_continues_where_its_budget_ended(saved, people, execute, monkeypatch, budget):
    """With any budget, every match comes once, the latest first. Some pages may be empty."""
    alice = people[0]
    await execute(
        FILL.format(number=950, user_id=alice),
        "UPDATE saved_articles SET notes = 'hay' WHERE article_id % 10 > 0",
    )
    monkeypatch.setattr(module, "MOST_CHARS", budget[0])
    found, pages, after = [], 0, None
    while after is not None or not pages:
        page = await saved.list_page(alice, parse_saved_query("needle"), 60, after)
        found, pages, after = found + [save.saved_at for save in page.saves], pages + 1, page.next
    assert (len(found), len(set(found)), found) == (95, 95, sorted(found, reverse=True))
    assert pages == budget[1]


async def test_long_notes_use_the_budget_faster(saved, people, execute):
    """The notes are the longest ones. A page searches as many saves as its budget allows."""
    await execute(
        FILL.format(number=50, user_id=people[0]),
        "UPDATE saved_articles SET notes = repeat('x', 10000)",
    )
    page = await saved.list_page(people[0], parse_saved_query("title"), 100, None)
    assert len(page.saves) == -(-module.MOST_CHARS // (module.CHARS_EACH + 10_000))
    assert page.next is not None


async def test_search_without_a_match_ends(saved, people, execute, monkeypatch):
    """Empty pages lead to the next one until the last."""
    await execute(FILL.format(number=300, user_id=people[0]))
    monkeypatch.setattr(module, "MOST_CHARS", 1)  # one save per page
    pages, after = [], None
    while after is not None or not pages:
        page = await saved.list_page(people[0], parse_saved_query("nothing"), 10, after)
        pages, after = [*pages, len(page.saves)], page.next
    assert pages == [0] * 300
