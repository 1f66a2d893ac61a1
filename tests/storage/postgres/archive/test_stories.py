"""Stories of the archive on a real PostgreSQL: they span searches, sources and days."""

import csv
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest
from attrs import evolve
from structlog.testing import capture_logs

from newsintel.domain.archive.model import ArchiveQuery
from newsintel.domain.search import dedup
from newsintel.domain.search.article import Pair, Rule
from newsintel.domain.search.dedup import group_articles
from newsintel.domain.search.query_model import Dedupe
from newsintel.domain.search.stories import parsed_title
from newsintel.errors import ArchiveTimeoutError
from newsintel.storage.postgres.archive import stories as stories_module
from newsintel.storage.postgres.archive.duplicates import MOST_DUPLICATES, MOST_MEMBERS, TIES
from newsintel.storage.postgres.archive.search import PostgresSearch
from newsintel.storage.postgres.archive.stories import LOCK_STORIES, PostgresStories
from newsintel.storage.postgres.intelligence.likeness import PostgresLikeness
from newsintel.storage.postgres.intelligence.reading import PostgresReading
from tests.storage.postgres.slow_deletions import slow_deletion
from tests.storage.support import NOON, article

HEADLINES = Path(__file__).resolve().parents[3] / "data" / "headlines.tsv"
QUAKE = "Magnitude 6.1 earthquake strikes off the coast of Fiji"


@pytest.fixture
def stories(postgres):
    """The stories in their own database."""
    return PostgresStories(postgres)


def told(name, title, *, hours=0, **more):
    """Return an article of its own outlet."""
    given = {"publisher": f"{name} News", "published_at": NOON + timedelta(hours=hours)} | more
    return article(name, title=title, **given)


async def arrive(archive, stories, *articles):
    """Save articles in one call, as a search does, and find their stories."""
    await archive.save_articles([(one, NOON) for one in articles], [])
    return await place_all(stories)


async def place_all(stories):
    """Find stories until no article waits; return their number."""
    total = 0
    while placed := await stories.place_batch():
        total += placed
    return total


async def find_groups(archive, articles):
    """Return the group id of each article."""
    return [(await archive.get_article(one.id)).group_id for one in articles]


async def test_a_story_spans_searches_sources_and_days(archive, stories):
    """The group is the first article's, and it stays although a fuller article leads later."""
    first = told("one", QUAKE)
    await archive.save_articles([(first, NOON)], [])
    assert await find_groups(archive, [first]) == [None]
    assert await place_all(stories) == 1
    assert await find_groups(archive, [first]) == [first.id]
    later = told(
        "two",
        "Earthquake of magnitude 6.1 strikes off Fiji's coast",
        hours=50,
        source="reddit",
        description="d",
        author="a",
    )
    same = told("three", QUAKE, hours=60)
    assert await arrive(archive, stories, later) == 1
    assert await arrive(archive, stories, same) == 1
    assert await find_groups(archive, [first, later, same]) == [first.id] * 3
    found = await archive.get_article(first.id)
    assert (found.leader_id, [one.article.id for one in found.duplicates]) == (
        later.id,
        [later.id, same.id],
    )
    assert [one.rule for one in found.duplicates] == [Rule.NEAR_TITLE, Rule.TITLE]


async def test_each_member_lists_the_others_with_what_ties_them(archive, stories):
    """The founder has the rule of the article that is asked for, as in a search."""
    first, near, same = told("a", QUAKE), told("b", f"{QUAKE} islands"), told("c", QUAKE)
    for one in (first, near, same):
        await arrive(archive, stories, one)
    found = await archive.get_article(near.id)
    listed = [(one.article.id, one.rule) for one in found.duplicates]
    assert listed == [(first.id, Rule.NEAR_TITLE), (same.id, Rule.TITLE)]
    assert 0.69 <= found.duplicates[0].similarity < 1
    assert all(one.article.content is None for one in found.duplicates)


@pytest.mark.parametrize(
    "other",
    [
        told("two", QUAKE.replace("6.1", "5.2")),
        told("two", f"{QUAKE} islands", hours=73),
        told("two", f"{QUAKE} islands", hours=-73),
        told("two", f"{QUAKE} islands", publisher="one News"),
        told("two", "Volcano erupts near fishing town in Iceland"),
    ],
    ids=["a number", "three days later", "three days before", "one outlet", "another story"],
)
async def test_other_stories_found_their_own_group(archive, stories, other):
    """The vetoes of a search hold for the archive too."""
    first = told("one", QUAKE)
    await arrive(archive, stories, first)
    await arrive(archive, stories, other)
    assert await find_groups(archive, [first, other]) == [first.id, other.id]


async def test_the_archive_groups_as_a_search_does(archive, stories):
    """The labelled headlines of the tests, in small batches of the archive and in one search."""
    with HEADLINES.open(newline="") as file:
        pairs = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))[1:]
    articles = [
        told(f"h{number}", title, hours=number % 70)
        for number, title in enumerate(title for _, *both in pairs for title in both)
    ]
    await archive.save_articles([(one, NOON) for one in articles], [])
    await place_all(stories)
    search = {
        member.article.id: group.founder.id
        for group in group_articles(in_archive_order(articles), Dedupe.NORMAL)
        for member in group.members
    }
    found = dict(zip(articles, await find_groups(archive, articles), strict=True))
    assert {one.id: group for one, group in found.items()} == search
    assert len(set(search.values())) < len(articles) * 0.8


def in_archive_order(articles):
    """Return articles in the order in which one call saves them."""
    return sorted(articles, key=lambda one: one.id)


async def test_search_and_archive_page_show_the_group(archive, stories, postgres):
    """Every hit names its group; None while the story is not known."""
    first, other = told("one", QUAKE), told("two", f"{QUAKE} islands")
    await arrive(archive, stories, first)
    await archive.save_articles([(other, NOON)], [])
    search = PostgresSearch(postgres)

    async def groups():
        page = await search.search(ArchiveQuery(), 10, None)
        return {hit.article.id: hit.group_id for hit in page.hits}

    assert await groups() == {first.id: first.id, other.id: None}
    await place_all(stories)
    assert await groups() == {first.id: first.id, other.id: first.id}


async def test_an_article_of_the_story_is_not_similar_to_it(archive, stories, postgres):
    """It is the same story, not another one."""
    first, other = told("one", QUAKE), told("two", f"{QUAKE} islands", hours=30)
    await arrive(archive, stories, first, other)
    likeness = PostgresLikeness(postgres, lambda: NOON)
    assert await likeness.find_similar_by_id(first.id, 5) == ()


async def test_until_the_story_is_known_the_pairs_of_searches_count(archive):
    """The duplicates are those that a search found."""
    one, two = told("one", QUAKE), told("two", f"{QUAKE} islands")
    tie = Pair(two.id, one.id, Rule.NEAR_TITLE, 0.9)
    await archive.save_articles([(one, NOON), (two, NOON)], [tie])
    for asked, other in ((one, two), (two, one)):
        found = await archive.get_article(asked.id)
        assert [(each.article.id, each.rule, each.similarity) for each in found.duplicates] == [
            (other.id, Rule.NEAR_TITLE, 0.9)
        ]
        assert found.group_id is None


async def test_an_article_is_placed_once(archive, stories):
    """Saving it again, fuller, changes nothing."""
    first = told("one", QUAKE)
    assert await arrive(archive, stories, first) == 1
    assert await arrive(archive, stories, evolve(first, description="more"), first) == 0


async def test_an_article_of_foreign_sql_waits_too(stories, execute, fetch):
    """As one that an older version or an operator writes."""
    await execute(
        """INSERT INTO articles (public_id, canonical_url, url, source, external_id, publisher,
               title, published_at, published_at_estimated, first_seen_at, fetched_at)
           VALUES ('a_other', 'u', 'u', 's', 'e', 'p', '\u202e\ufffd', now(), true, now(), now())"""
    )
    assert await place_all(stories) == 1
    assert await fetch("SELECT founder_id = article_id FROM article_stories") == [(True,)]


async def test_only_one_process_places_at_a_time(archive, stories, database_url, bridge):
    """Another gets nothing to do instead of founding a second story."""
    await archive.save_articles([(told("one", QUAKE), NOON)], [])
    lane = bridge.add_lane("other", 1)
    other = await lane.run(asyncpg.connect, database_url)
    transaction = other.transaction()
    await lane.run(transaction.start)
    assert await lane.run(other.fetchval, LOCK_STORIES)
    assert await stories.place_batch() == 0
    await lane.run(transaction.rollback)
    assert await stories.place_batch() == 1
    await lane.run(other.close)


async def test_members_of_a_deleted_founder_look_for_a_story_again(archive, stories, execute):
    """The earliest of them founds it."""
    articles = [told(name, QUAKE) for name in ("a", "b", "c")]
    for one in articles:
        await arrive(archive, stories, one)
    await execute(f"DELETE FROM articles WHERE public_id = '{articles[0].id}'")  # noqa: S608
    assert await place_all(stories) == 2
    assert await find_groups(archive, articles[1:]) == [articles[1].id] * 2


async def test_keys_are_forgotten_after_a_week(archive, stories, execute, fetch, postgres):
    """They are needed only while duplicates may come, also while articles wait. Stories stay."""
    first = told("one", QUAKE)
    await arrive(archive, stories, first)
    assert (await fetch("SELECT count(*) > 5 FROM story_keys")) == [(True,)]
    kept = stories_module.KEYS_KEPT.days
    await execute(f"UPDATE story_keys SET added_at = now() - interval '{kept - 1} days'")  # noqa: S608
    await PostgresStories(postgres).place_batch()
    assert (await fetch("SELECT count(*) > 5 FROM story_keys")) == [(True,)]
    await execute(f"UPDATE story_keys SET added_at = now() - interval '{kept + 1} days'")  # noqa: S608
    await archive.save_articles([(told("two", "Rail strike ends"), NOON)], [])
    await PostgresStories(postgres).place_batch()
    assert (await fetch("SELECT count(DISTINCT founder_id) FROM story_keys")) == [(1,)]
    assert await find_groups(archive, [first]) == [first.id]


async def test_a_story_lists_at_most_a_hundred_duplicates(archive, stories):
    """The earliest ones."""
    many = [told(f"n{number:03}", QUAKE) for number in range(110)]
    await arrive(archive, stories, *many)
    found = await archive.get_article(many[0].id)
    assert len(found.duplicates) == 100
    assert set(await find_groups(archive, many)) == {found.group_id}


def notices(first, last):
    """Return articles that a program wrote: similar to each other, and each a story of its own."""
    return [
        told(f"n{number}", f"Magnitude {number} earthquake strikes off the coast of Fiji islands")
        for number in range(first, last)
    ]


async def test_what_takes_too_long_waits_for_the_next_transaction(archive, stories, monkeypatch):
    """Each places at least one article: a server ends a transaction that is idle for long."""
    monkeypatch.setattr(stories_module, "PLACE_S", 0)
    articles = [told("one", QUAKE), *notices(1, 4), told("two", f"{QUAKE} islands")]
    await archive.save_articles([(one, NOON) for one in articles], [])
    assert [await stories.place_batch() for _ in range(7)] == [1, 1, 1, 1, 1, 0, 0]
    groups = await find_groups(archive, articles)
    assert groups[0] == groups[-1]
    assert len(set(groups)) == 4


async def test_an_article_is_compared_with_a_bounded_number_of_founders(archive, stories, postgres):
    """They share the most words, and are the newest; so its story is still found among many."""
    await arrive(archive, stories, *notices(100, 350))
    one = told("one", f"{QUAKE} islands")
    await arrive(archive, stories, one)
    similar = "Magnitude 6.1 earthquake strikes off coast of the Fiji islands"
    row = {"id": 1, "title": similar, "published_at": NOON}
    likely = await postgres.run(stories_module._fetch_founders, [row])
    assert len(likely) == stories_module.MOST_FOUNDERS
    two = told("two", similar)
    assert await arrive(archive, stories, two) == 1
    assert await find_groups(archive, [two]) == [one.id]


MANY = 2_000


@pytest.fixture
async def long_story(execute):
    """A story of MANY articles, a_1 to a_2000. The founder is the first one."""
    await execute(
        f"""INSERT INTO articles (public_id, canonical_url, url, source, external_id, publisher,
                title, published_at, published_at_estimated, first_seen_at, fetched_at)
            SELECT 'a_' || n, 'u' || n, 'u', 's', 'e', 'p' || n, '{QUAKE}', now(), false,
                   now(), now() FROM generate_series(1, {MANY}) AS n;
            INSERT INTO article_stories
            SELECT id, (SELECT min(id) FROM articles), 'title', 1 FROM articles"""  # noqa: S608 - our own numbers
    )


async def test_a_story_of_thousands_costs_what_is_asked_about(long_story, archive, execute, fetch):
    """Its members are not paired with each other, and the articles of a bounded number are read."""
    await execute(
        f"""UPDATE articles SET description = 'd' WHERE public_id = 'a_500';
            UPDATE articles SET description = 'd', content = 'c' WHERE public_id = 'a_{MANY}'"""  # noqa: S608 - our own numbers
    )
    asked = [row[0] for row in await fetch("SELECT id FROM articles ORDER BY id DESC LIMIT 50")]
    ties = ", ".join(map(str, asked))
    assert len(await fetch(TIES.replace("$1", f"'{{{ties}}}'"))) == len(asked)
    found = await archive.get_article("a_7")
    assert len(found.duplicates) == MOST_DUPLICATES
    assert (found.leader_id, found.group_id) == ("a_500", "a_1")


async def test_who_has_dealt_with_a_long_story_gets_no_other_article_of_it(
    long_story, postgres, people, execute
):
    """The newest members are compared."""
    alice, _ = people
    reading, ids = PostgresReading(postgres), ["a_7", f"a_{MANY}"]
    unseen = await reading.load_unseen(alice, ids)
    assert {name: one.publishers for name, one in unseen.items()} == {
        ids[0]: MOST_MEMBERS + 1,
        ids[1]: MOST_MEMBERS,
    }
    await execute(
        f"""INSERT INTO dismissed_articles (user_id, article_id, dismissed_at, reason)
            SELECT {alice}, id, now(), 'hide' FROM articles
            WHERE public_id = 'a_{MANY - 1}'"""  # noqa: S608 - our own numbers
    )
    assert await reading.load_unseen(alice, ids) == {}


async def test_a_title_that_meets_a_bug_is_a_story_of_its_own(archive, stories, monkeypatch):
    """It is logged with the traceback; the titles beside it and later ones find their stories."""
    parse = parsed_title.parse_title

    def parse_others(title):
        if title == "the bug":
            raise ZeroDivisionError
        return parse(title)

    for module in (stories_module, dedup):
        monkeypatch.setattr(module, "parse_title", parse_others)
    articles = [told("one", QUAKE), told("bad", "the bug"), told("two", f"{QUAKE} islands")]
    with capture_logs() as logs:
        assert await arrive(archive, stories, *articles) == 3
    one, bad, two = articles
    assert await find_groups(archive, articles) in (
        [one.id, bad.id, one.id],
        [two.id, bad.id, two.id],
    )
    assert [line["log_level"] for line in logs if line["event"] == "title_bug"] == ["error"]
    again = told("again", "the bug", hours=1)
    assert await arrive(archive, stories, again) == 1
    assert await find_groups(archive, [again]) == [again.id]


TIME_OUT = """
CREATE FUNCTION time_out(late boolean) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    IF late THEN
        RAISE EXCEPTION USING ERRCODE = 'query_canceled';
    END IF;
    RETURN NULL;
END
$$
"""
"""What the server says when a statement reaches its time limit."""


@pytest.mark.parametrize(("most", "fails"), [(4, 2), (0, 5)])
async def test_a_batch_that_takes_too_long_is_smaller_next_time(  # noqa: PLR0917 - fixtures
    archive, postgres, monkeypatch, execute, most, fails
):
    """The same one would be tried for ever. An article that takes too long alone is a story."""
    await execute(TIME_OUT)
    slow = (
        f"SELECT founder_id FROM ({stories_module.CANDIDATES}) AS found UNION "  # noqa: S608 - ours
        f"SELECT time_out(count(DISTINCT one) > {most}) FROM unnest($1::bigint[]) AS one"
    )
    monkeypatch.setattr(stories_module, "BATCH_ROWS", 16)
    monkeypatch.setattr(stories_module, "CANDIDATES", slow)
    stories = PostgresStories(postgres)
    articles = [told(f"o{number}", QUAKE) for number in range(6 if most else 1)]
    await archive.save_articles([(one, NOON) for one in articles], [])
    for _ in range(fails):
        with pytest.raises(ArchiveTimeoutError):
            await stories.place_batch()
    assert await place_all(stories) == len(articles)
    assert len(set(await find_groups(archive, articles))) == 1


async def test_old_keys_by_the_million_do_not_stop_the_stories(
    archive, postgres, monkeypatch, execute, fetch
):
    """A service that was off for days has so many to forget that one statement takes too long."""
    await archive.save_articles([(told("old", "An old story"), NOON)], [])
    await execute(
        "INSERT INTO story_keys SELECT n, 1, now() - n * interval '1 day' "
        "FROM generate_series(1, 16) AS n",
        slow_deletion("story_keys", 2),
    )
    monkeypatch.setattr(stories_module, "FORGOTTEN_AT_ONCE", 8)
    monkeypatch.setattr(stories_module, "BATCH_ROWS", 1)
    stories = PostgresStories(postgres)
    await archive.save_articles([(told(f"o{number}", QUAKE), NOON) for number in range(9)], [])
    assert [await stories.place_batch() for _ in range(10)] == [1] * 10
    left = await fetch("SELECT count(*) FROM story_keys WHERE added_at < now() - interval '7 days'")
    assert left == [(0,)]
    assert await fetch("SELECT count(*) FROM story_keys WHERE key BETWEEN 1 AND 6") == [(6,)]
