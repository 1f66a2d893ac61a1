"""Opened and dismissed articles on a real PostgreSQL.

They are stored per person, paged, bounded, and deleted with the account.
"""

from datetime import timedelta

from newsintel.domain.personal.model import Dismissal
from newsintel.storage.postgres.accounts.account_data import PostgresAccountData
from newsintel.storage.postgres.personal import feedback as feedback_module
from tests.storage.support import NOON, article

MINUTE = timedelta(minutes=1)
ROWS = "SELECT count(*) FROM opened_articles UNION ALL SELECT count(*) FROM dismissed_articles"


async def opened(feedback, user_id, name, at=NOON):
    """Record that the article with this name was opened."""
    await feedback.record_opened(user_id, article(name), NOON, at)


async def names(read, user_id):
    """External ids and reasons of all marks, read in pages of two."""
    found, after = [], None
    while True:
        page = await read(user_id, 2, after)
        found += [(mark.article.external_id, mark.reason) for mark in page.marks]
        after = page.next
        if after is None:
            return found


async def test_article_outside_the_archive_can_be_opened_and_dismissed(feedback, archive, people):
    """The article is added to the archive; one that is there stays unchanged."""
    await archive.save_articles([(article("two", description="fuller"), NOON)], [])
    await opened(feedback, people[0], "one")
    await feedback.record_dismissed(people[0], article("two"), NOON, NOON, Dismissal.HIDE)
    assert (await archive.get_article(article("one").id)).article == article("one")
    assert (await feedback.list_dismissed(people[0], 5, None)).marks[0].article == article(
        "two", description="fuller"
    )


async def test_latest_come_first_and_reopening_moves_to_the_front(feedback, people):
    """This holds across pages and for equal times.

    An article that is opened again is listed once.
    """
    for number in range(5):
        await opened(feedback, people[0], str(number), NOON + MINUTE * (number // 2))
    assert [name for name, _ in await names(feedback.list_opened, people[0])] == [
        "4",
        "2",
        "3",
        "0",
        "1",
    ]
    await opened(feedback, people[0], "1", NOON + MINUTE * 9)
    assert [name for name, _ in await names(feedback.list_opened, people[0])] == [
        "1",
        "4",
        "2",
        "3",
        "0",
    ]


async def test_last_reason_replaces_earlier_ones(feedback, people):
    """The reason changes with each dismissal."""
    for reason in Dismissal:
        await feedback.record_dismissed(people[0], article("one"), NOON, NOON, reason)
        assert await names(feedback.list_dismissed, people[0]) == [("one", reason)]


async def test_only_the_newest_are_kept(feedback, people, monkeypatch):
    """Older ones are deleted; those of the other person stay."""
    monkeypatch.setattr(feedback_module, "MOST_KEPT", 3)
    for number in range(5):
        await opened(feedback, people[0], str(number), NOON + MINUTE * number)
        await feedback.record_dismissed(
            people[0], article(str(number)), NOON, NOON + MINUTE * number, Dismissal.HIDE
        )
        await opened(feedback, people[1], "one")
    assert [name for name, _ in await names(feedback.list_opened, people[0])] == ["4", "3", "2"]
    assert [name for name, _ in await names(feedback.list_dismissed, people[0])] == ["4", "3", "2"]
    assert await names(feedback.list_opened, people[1]) == [("one", None)]


async def test_item_30_forgetting_deletes_only_own_marks(feedback, people):
    """The other person's marks stay. Forgetting a missing mark returns False."""
    alice, bob = people
    for user_id in people:
        await opened(feedback, user_id, "one")
        await feedback.record_dismissed(user_id, article("one"), NOON, NOON, Dismissal.HIDE)
    for forget, read in (
        (feedback.delete_opened, feedback.list_opened),
        (feedback.delete_dismissed, feedback.list_dismissed),
    ):
        assert not await forget(alice, article("two").id)
        assert await forget(alice, article("one").id)
        assert not await forget(alice, article("one").id)
        assert len(await names(read, bob)) == 1


async def test_feedback_is_deleted_with_its_account_and_article(
    feedback, postgres, people, fetch, execute
):
    """The foreign keys cascade; each has an index."""
    alice, bob = people
    for user_id in people:
        await opened(feedback, user_id, "one")
        await feedback.record_dismissed(
            user_id, article("one"), NOON, NOON, Dismissal.LESS_LIKE_THIS
        )
    await PostgresAccountData(postgres).delete(alice)
    assert await fetch(ROWS) == [(1,), (1,)]
    assert len(await names(feedback.list_opened, bob)) == 1
    await execute("DELETE FROM articles")
    assert await fetch(ROWS) == [(0,), (0,)]
