"""Later members of a story, and stories whose articles are deleted, on a real PostgreSQL."""

import json
import re
from datetime import timedelta

import pytest
from asyncpg.exceptions import LockNotAvailableError

from newsintel.domain.alerts.digests import Every
from newsintel.domain.alerts.model import MOST_PUBLISHERS, WatchedQuery
from newsintel.storage.postgres.alerts import verifying
from newsintel.storage.postgres.alerts.deliveries import PostgresDeliveries
from newsintel.storage.postgres.alerts.saved_searches import MATCHES
from newsintel.storage.postgres.archive.checks import PostgresChecks
from tests.storage.conftest import sql
from tests.storage.postgres.alerts.conftest import SEALER
from tests.storage.postgres.alerts.watching import NOW, becomes, draft, told

TITLE = "Magnitude 6.1 earthquake strikes off the coast of Fiji"
WITH_MORE = "Magnitude 6.1 earthquake strikes off the coast of Fiji, 3 hurt"

SENT = "SELECT delivery_id, group_id FROM alert_delivery_matches"


@pytest.fixture
def checks(postgres):
    """Deletes articles as the service does when their source has."""
    return PostgresChecks(postgres)


@pytest.fixture
def deliveries(postgres):
    """The outbox."""
    return PostgresDeliveries(postgres, lambda: SEALER)


async def delete(checks, *articles):
    """Delete some articles."""
    await checks.finish(kept=(), anonymous=(), gone=[one.id for one in articles])


async def list_matches(newsroom, search):
    """The matches of a search, the latest first."""
    page = await newsroom.searches.list_matches(newsroom.user_id, search, 100, None)
    return page.matches


async def test_each_later_publisher_alerts_once(newsroom, fetch):
    """It says that it is a later member, and of which story. A publisher has one name."""
    search = await newsroom.save("earthquake", later_members=True)
    first = told("Alpha", TITLE)
    await newsroom.arrive(first)
    await newsroom.arrive(told("Beta", WITH_MORE))
    await newsroom.arrive(
        told("Gamma", TITLE),
        told("again", TITLE, publisher="BETA  news"),
        told("own", TITLE, publisher="Alpha News"),
    )
    await newsroom.arrive(told("Beta", WITH_MORE, description="The earthquake was deep."))
    found = await list_matches(newsroom, search)
    assert {(one.article.publisher, one.is_later, one.first_title) for one in found} == {
        ("Alpha News", False, None),
        ("Beta News", True, TITLE),
        ("Gamma News", True, TITLE),
    }
    assert {one.group_id for one in found} == {first.id}
    assert len(await fetch(SENT)) == 3


async def test_members_that_arrive_together_alert_each(newsroom):
    """The one that was archived first is the first."""
    search = await newsroom.save("earthquake", later_members=True)
    await newsroom.arrive(*(told(name, TITLE) for name in ("Alpha", "Beta", "Gamma")))
    assert sorted(one.is_later for one in await list_matches(newsroom, search)) == [
        False,
        True,
        True,
    ]


async def test_of_many_publishers_some_are_listed(newsroom):
    """An agency's report has thousands; with each match of a page that would be megabytes."""
    search = await newsroom.save("earthquake", later_members=True)
    names = [f"P{number:02}" for number in range(MOST_PUBLISHERS + 3)]
    await newsroom.arrive(*(told(name, TITLE) for name in names))
    found = await list_matches(newsroom, search)
    assert len(found) == len(names)
    assert {one.publishers for one in found} == {
        tuple(f"{name} News" for name in names[:MOST_PUBLISHERS])
    }


async def test_the_members_of_a_story_are_read_once(newsroom, fetch):
    """Not once for each match, or a page of one story's later members would take minutes."""
    await newsroom.save("earthquake", later_members=True)
    await newsroom.arrive(*(told(f"P{number:02}", TITLE) for number in range(30)))
    values = {"$1": "(SELECT id FROM saved_searches)", "$2": "NULL", "$3": "NULL", "$4": "100"}
    asked = re.sub(r"\$[1-4]", lambda found: values[found[0]], MATCHES)
    ((plan,),) = await fetch(f"EXPLAIN (ANALYZE, FORMAT JSON) {asked}")
    read = [
        node["Actual Rows"] * node["Actual Loops"]
        for node in _list_nodes(json.loads(plan)[0]["Plan"])
        if node.get("Relation Name") == "article_stories"
    ]
    assert 30 <= sum(read) <= 3 * 30


def _list_nodes(node):
    yield node
    for part in node.get("Plans", ()):
        yield from _list_nodes(part)


async def test_a_member_that_does_not_match_adds_nothing(newsroom):
    """The search and the archive never disagree."""
    search = await newsroom.save("earthquake hurt", later_members=True)
    await newsroom.arrive(told("Alpha", WITH_MORE), told("Beta", TITLE))
    assert len(await list_matches(newsroom, search)) == 1


async def test_later_members_alert_from_when_they_are_asked_for(newsroom):
    """What came before stays as it was, and none come after they are asked for no more."""
    search = await newsroom.save("earthquake")
    await newsroom.arrive(told("Alpha", TITLE), told("Beta", TITLE))
    for asked, name, matches in ((True, "Gamma", 2), (False, "Delta", 2)):
        wanted = draft("earthquake", later_members=asked)
        changed = await newsroom.searches.change(newsroom.user_id, search, becomes(wanted), NOW)
        assert changed.later_members is asked
        assert await newsroom.searches.find(newsroom.user_id, search) == changed
        await newsroom.arrive(told(name, TITLE))
        assert len(await list_matches(newsroom, search)) == matches


async def test_later_members_are_sent_and_shown_as_such(newsroom, deliveries):
    """In a digest, with the story's first match, and to an open page."""
    await newsroom.save("earthquake", later_members=True, every=Every.HOUR)
    await newsroom.arrive(told("Alpha", TITLE))
    await newsroom.arrive(told("Beta", TITLE))
    due = NOW + timedelta(hours=2)
    claimed = await deliveries.claim(due, due + timedelta(minutes=2))
    assert claimed.total == 2
    assert {(one.article.publisher, one.first_title) for one in claimed.stories} == {
        ("Alpha News", None),
        ("Beta News", TITLE),
    }
    fresh = await deliveries.list_fresh(newsroom.user_id, NOW, 10)
    assert sorted(one.match.is_later for one in fresh) == [False, True]


async def test_a_preview_counts_later_publishers(newsroom):
    """Each once for each story."""
    await newsroom.archive(
        told("Alpha", TITLE),
        told("Beta", TITLE),
        told("again", TITLE, publisher="Beta News"),
        told("Gamma", "Earthquake damages vineyards of Chile"),
    )
    preview = await newsroom.searches.preview(WatchedQuery("earthquake"), NOW)
    assert (preview.count, preview.later_members) == (2, 1)
    empty = await newsroom.searches.preview(WatchedQuery("hail"), NOW)
    assert empty.later_members == 0


@pytest.mark.parametrize("member", [0, 1])
async def test_another_member_takes_the_place_of_a_deleted_one(
    newsroom, checks, deliveries, fetch, member
):
    """What waits has the other then; what was sent is not sent again."""
    search = await newsroom.save("earthquake")
    pair = [told("Alpha", TITLE), told("Beta", TITLE)]
    await newsroom.arrive(pair[0])
    await newsroom.arrive(pair[1])
    await delete(checks, pair[member])
    await newsroom.arrive()
    (match,) = await list_matches(newsroom, search)
    left = pair[1 - member]
    assert (match.article.id, match.group_id) == (left.id, left.id)
    assert match.publishers == (left.publisher,)
    claimed = await deliveries.claim(NOW, NOW + timedelta(minutes=2))
    assert [one.article.id for one in claimed.stories] == [left.id]
    assert len(await fetch(SENT)) == 1


async def test_a_member_that_comes_later_takes_the_place_of_a_deleted_one(
    newsroom, checks, deliveries, fetch
):
    """The story is listed again. It was told, so nothing is put out."""
    search = await newsroom.save("earthquake hurt")
    lost, other = told("Alpha", WITH_MORE), told("Beta", TITLE)
    await newsroom.arrive(lost)
    await newsroom.arrive(other)
    await delete(checks, lost)
    await newsroom.arrive()
    assert await list_matches(newsroom, search) == ()
    assert await deliveries.claim(NOW, NOW + timedelta(minutes=2)) is None
    assert await fetch("SELECT state FROM alert_deliveries") == [("cancelled",)]
    await newsroom.arrive(told("Gamma", WITH_MORE))
    (match,) = await list_matches(newsroom, search)
    assert (match.article.publisher, match.group_id) == ("Gamma News", other.id)
    assert len(await fetch(SENT)) == 1


async def test_a_later_member_is_none_without_its_publishers_first_alert(newsroom, checks):
    """A publisher whose article was deleted has alerted; the story's title is unknown then."""
    search = await newsroom.save("earthquake", later_members=True)
    first = told("Alpha", TITLE)
    await newsroom.arrive(first)
    await newsroom.arrive(told("Beta", TITLE))
    await delete(checks, first)
    await newsroom.arrive(told("again", TITLE, publisher="Alpha News"))
    await newsroom.arrive(told("Gamma", TITLE))
    found = await list_matches(newsroom, search)
    assert sorted((one.article.publisher, one.is_later) for one in found) == [
        ("Alpha News", False),
        ("Beta News", True),
        ("Gamma News", True),
    ]
    assert {one.first_title for one in found if one.is_later} == {TITLE}


async def test_matches_without_an_article_take_no_place_in_a_page(newsroom, checks):
    """A page is as long as was asked for, and the next one follows."""
    search = await newsroom.save()
    articles = [
        told(name, f"Storm {name}") for name in ("in Wales", "hits Peru", "and vineyards of Chile")
    ]
    for one in articles:
        await newsroom.arrive(one)
    newest = (await list_matches(newsroom, search))[0].article
    await delete(checks, newest)
    page = await newsroom.searches.list_matches(newsroom.user_id, search, 1, None)
    assert (len(page.matches), page.next is None) == (1, False)
    assert newest.id not in [one.article.id for one in page.matches]


async def test_no_place_is_deleted_while_its_article_is_matched(
    newsroom, database_url, monkeypatch
):
    """The match would be lost: the article is taken from the queue, and its story is gone."""
    search = await newsroom.save("earthquake hurt")
    founder = told("Alpha", TITLE)
    await newsroom.archive(founder)
    await newsroom.archive(told("Beta", WITH_MORE))
    verify, tried = verifying.Verifier.verify, []

    async def delete_meanwhile(*given):
        try:
            await sql(
                database_url,
                "SET lock_timeout = '100ms'",
                f"DELETE FROM articles WHERE public_id = '{founder.id}'",  # noqa: S608
            )
        except LockNotAvailableError:
            tried.append(True)
        return await verify(*given)

    monkeypatch.setattr(verifying.Verifier, "verify", delete_meanwhile)
    await newsroom.arrive()
    assert tried
    assert len(await list_matches(newsroom, search)) == 1


async def test_an_article_that_is_being_deleted_waits(newsroom, holding, fetch):
    """Nobody waits for the deletion; the story's other members are matched after it."""
    search = await newsroom.save("earthquake hurt")
    founder = told("Alpha", TITLE)
    await newsroom.archive(founder)
    await newsroom.archive(told("Beta", WITH_MORE))
    async with holding(f"DELETE FROM articles WHERE public_id = '{founder.id}'"):  # noqa: S608
        assert await newsroom.matching.match_batch() == 0
    await newsroom.arrive()
    assert len(await list_matches(newsroom, search)) == 1
    assert await fetch("SELECT * FROM alert_queue") == []


async def test_what_stories_continue_is_forgotten(newsroom, checks, execute, fetch):
    """After 14 days, when none of their articles can alert."""
    first = told("Alpha", TITLE)
    await newsroom.arrive(first)
    await newsroom.arrive(told("Beta", TITLE))
    await delete(checks, first)
    for age, left in (("13 days 23 hours", 2), ("14 days 1 hour", 0)):
        await execute(f"UPDATE story_origins SET added_at = now() - interval '{age}'")  # noqa: S608
        await newsroom.matching.prune_matches(NOW)
        assert await fetch("SELECT count(*) FROM story_origins") == [(left,)]


async def test_old_articles_leave_no_trace(newsroom, checks, fetch):
    """They alert no more, and retention deletes many of them."""
    old = told("Alpha", TITLE, published_at=NOW - timedelta(days=15))
    await newsroom.archive(old)
    await delete(checks, old)
    assert await fetch("SELECT count(*) FROM story_origins") == [(0,)]
