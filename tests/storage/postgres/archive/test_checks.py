"""Articles leave the archive: by age, or because their source no longer has them."""

from datetime import timedelta

import pytest
import trio

from newsintel.domain.archive.ports import DueCheck
from newsintel.domain.search.article import Pair, Rule
from newsintel.storage.postgres.archive import checks as module
from newsintel.storage.postgres.archive.articles import PostgresArchive
from newsintel.storage.postgres.archive.bulk_files import PostgresBulkFiles
from newsintel.storage.postgres.archive.checks import PostgresChecks
from newsintel.storage.postgres.archive.stories import PostgresStories
from tests.make import NOON, article

DAY = timedelta(days=1)


@pytest.fixture
def checks(postgres):
    """Checks in their own database."""
    return PostgresChecks(postgres)


@pytest.fixture
def archive(postgres):
    """The archive in the same database."""
    return PostgresArchive(postgres)


def post(name, **changes):
    """A post of Reddit."""
    changes = {"source": "reddit", "external_id": f"t3_{name}", "author": "Somebody"} | changes
    return article(name, **changes)


async def run(postgres, statement, *values):
    """Run a statement."""

    async def work(connection):
        return await connection.fetch(statement, *values)

    return await postgres.run(work)


async def list_ids(postgres):
    """The public ids in the archive."""
    return {row["public_id"] for row in await run(postgres, "SELECT public_id FROM articles")}


async def test_country_is_kept(archive):
    """A later fetch fills it in, and never removes it."""
    await archive.save_articles([(article("a"), NOON)], [])
    assert (await archive.get_article("a_a")).article.country is None
    await archive.save_articles([(article("a", country="IE"), NOON)], [])
    await archive.save_articles([(article("a"), NOON)], [])
    await archive.save_articles([(article("a", country="GB"), NOON)], [])
    assert (await archive.get_article("a_a")).article.country == "IE"


async def test_old_articles_of_a_source_are_deleted(postgres, archive, checks, monkeypatch):
    """By their last fetch, in several transactions; other sources and newer ones stay."""
    monkeypatch.setattr(module, "PRUNE_ROWS", 3)
    old = [(post(f"old{number}"), NOON) for number in range(7)]
    other = [
        (post("new"), NOON + 2 * DAY),
        (article("guardian"), NOON),
        (post("later", published_at=NOON + DAY), NOON + DAY),
    ]
    await archive.save_articles([*old, *other], [])
    assert await checks.prune_source("reddit", NOON + timedelta(hours=1)) == 7
    assert await checks.prune_source("reddit", NOON + timedelta(hours=1)) == 0
    assert await list_ids(postgres) == {"a_new", "a_guardian", "a_later"}


async def test_articles_that_people_saved_stay(postgres, archive, checks, people, saved):
    """Age is no reason to delete what a person keeps."""
    await archive.save_articles([(post("a"), NOON), (post("b"), NOON)], [])
    await run(
        postgres,
        "INSERT INTO saved_articles (user_id, article_id, notes, saved_at) "
        "SELECT $1, id, NULL, $2 FROM articles WHERE public_id = 'a_a'",
        people[0],
        NOON,
    )
    assert await checks.prune_source("reddit", NOON + DAY) == 1
    assert await list_ids(postgres) == {"a_a"}


async def test_articles_are_due_after_a_day(postgres, archive, checks):
    """Only those of sources whose terms require it; each is taken by one process at a time."""
    await archive.save_articles(
        [
            (post("a"), NOON),
            (post("b"), NOON),
            (article("c"), NOON),
            (article("d", source="gdelt"), NOON),
        ],
        [],
    )
    assert await checks.take_due("reddit", 10) == ()
    await run(postgres, "UPDATE article_checks SET due_at = due_at - interval '25 hours'")
    due = {DueCheck("a_a", "t3_a"), DueCheck("a_b", "t3_b")}
    first, second = await checks.take_due("reddit", 1), await checks.take_due("reddit", 10)
    assert {*first, *second} == due
    assert await checks.take_due("reddit", 10) == ()
    assert await checks.take_due("guardian", 10) == (DueCheck("a_c", "c"),)
    assert await checks.take_due("gdelt", 10) == ()
    await run(postgres, "UPDATE article_checks SET due_at = due_at - interval '16 minutes'")
    assert {*await checks.take_due("reddit", 10)} == due


async def test_processes_take_different_articles(postgres, archive, checks):
    """Several at once get each article once."""
    await archive.save_articles([(post(f"p{number}"), NOON) for number in range(60)], [])
    await run(postgres, "UPDATE article_checks SET due_at = now() - interval '1 hour'")
    taken = []

    async def take():
        taken.extend(await checks.take_due("reddit", 10))

    async with trio.open_nursery() as nursery:
        for _ in range(6):
            nursery.start_soon(take)
    taken += await checks.take_due("reddit", 60)
    assert len(taken) == len(set(taken)) == 60


async def test_results_are_applied(postgres, archive, checks):
    """What is kept is due after a day; a nameless author is forgotten; what is gone is deleted."""
    await archive.save_articles([(post(name), NOON) for name in "abc"], [])
    await run(postgres, "UPDATE article_checks SET due_at = now() - interval '1 hour'")
    await checks.take_due("reddit", 10)
    await checks.finish(kept=["a_a", "a_b"], anonymous=["a_b"], gone=["a_c"])
    assert await list_ids(postgres) == {"a_a", "a_b"}
    assert (await archive.get_article("a_a")).article.author == "Somebody"
    assert (await archive.get_article("a_b")).article.author is None
    hours = await run(
        postgres, "SELECT extract(epoch FROM due_at - now()) / 3600 AS hours FROM article_checks"
    )
    assert [round(row["hours"]) for row in hours] == [24, 24]
    words = await run(
        postgres, "SELECT search::text AS words, text_language FROM articles ORDER BY public_id"
    )
    assert ["somebodi" in row["words"] or "somebody" in row["words"] for row in words] == [
        True,
        False,
    ]
    assert all(row["text_language"] is not None for row in words)
    await checks.finish(kept=[], anonymous=[], gone=["a_c"])


async def test_a_story_goes_on_without_its_founder(postgres, archive, checks):
    """Pairs and stories of a deleted article go with it; the others look for a story again."""
    stories = PostgresStories(postgres)
    same = "Storm hits the northern coast of Ildris with great force"
    members = [post(name, title=same, publisher=f"r/{name}") for name in "abc"]
    await archive.save_articles(
        [(one, NOON) for one in members], [Pair("a_b", "a_a", Rule.TITLE, 1.0)]
    )
    while await stories.place_batch():
        pass
    assert (await archive.get_article("a_b")).group_id == "a_a"
    await checks.finish(kept=[], anonymous=[], gone=["a_a"])
    while await stories.place_batch():
        pass
    found = await archive.get_article("a_b")
    assert found.group_id == "a_b"
    assert [one.article.id for one in found.duplicates] == ["a_c"]


async def test_a_file_is_taken_by_one_process_and_finished_once(postgres):
    """A lease that ends lets another one take it; a finished file is never taken."""
    files = PostgresBulkFiles(postgres)
    taken = []

    async def take():
        taken.append(await files.take("one.zip", 60.0))

    async with trio.open_nursery() as nursery:
        for _ in range(8):
            nursery.start_soon(take)
    assert sorted(taken) == [False] * 7 + [True]
    assert not await files.take("one.zip", 60.0)
    await run(postgres, "UPDATE gdelt_files SET taken_until = now() - interval '1 second'")
    assert await files.take("one.zip", 60.0)
    await files.finish("one.zip")
    await run(postgres, "UPDATE gdelt_files SET taken_until = now() - interval '1 second'")
    assert not await files.take("one.zip", 60.0)
    assert await files.take("two.zip", 0.001)


async def test_old_names_are_forgotten(postgres):
    """The table stays small: a list names the newest files only."""
    files = PostgresBulkFiles(postgres)
    await files.take("old.zip", 1.0)
    await run(postgres, "UPDATE gdelt_files SET taken_until = now() - interval '3 days'")
    await files.take("new.zip", 60.0)
    await files.finish("new.zip")
    assert [row["name"] for row in await run(postgres, "SELECT name FROM gdelt_files")] == [
        "new.zip"
    ]
