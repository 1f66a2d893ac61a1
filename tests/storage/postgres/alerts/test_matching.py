"""Articles find their saved searches, on a real PostgreSQL."""

import json
from datetime import timedelta

import asyncpg
import pytest
from asyncpg.exceptions import QueryCanceledError

from newsintel.domain.alerts.channels import ChannelKind
from newsintel.domain.alerts.digests import Every, next_due
from newsintel.domain.alerts.model import NewChannel
from newsintel.errors import ArchiveTimeoutError
from newsintel.storage.postgres.alerts import match_rows, matching, verifying
from newsintel.storage.postgres.alerts.candidates import FIND
from tests.storage.postgres.alerts.watching import BEFORE, NOW, NTFY, becomes, draft, told
from tests.storage.postgres.slow_deletions import slow_deletion

OUTBOX = """
SELECT kind, article.title FROM alert_delivery_matches
JOIN alert_deliveries AS delivery ON delivery.id = delivery_id
JOIN alert_channels AS channel ON channel.id = channel_id
JOIN search_matches AS found ON found.saved_search_id = channel.saved_search_id
    AND found.group_id = alert_delivery_matches.group_id
JOIN articles AS article ON article.id = article_id ORDER BY 1, 2
"""


async def test_an_article_finds_its_search(newsroom, fetch):
    """It is stored as a match and waits in the outbox; the queue is empty then."""
    search = await newsroom.save("storm coast")
    await newsroom.arrive(
        told("one", "Storm batters the Atlantic coast"), told("two", "Ministers agree on a budget")
    )
    assert await newsroom.list_titles(search) == ["Storm batters the Atlantic coast"]
    assert await fetch(OUTBOX) == [("ntfy", "Storm batters the Atlantic coast")]
    assert await fetch("SELECT * FROM alert_queue") == []


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"q": "storms"}, True),
        ({"q": "storm", "sources": ("guardian",)}, True),
        ({"q": "storm", "sources": ("reddit",)}, False),
        ({"q": "storm", "publisher": "one news"}, True),
        ({"q": "storm", "language": "de"}, False),
        ({"q": None, "publisher": "One NEWS"}, True),
        ({"q": None, "sources": ("reddit", "guardian")}, True),
        ({"q": 'publisher:"one news" -flood'}, True),
        ({"q": "source:guardian -storm"}, False),
        ({"q": "author:tan"}, True),
        ({"q": "title:batters OR flood"}, True),
        ({"q": "title:wind"}, False),
        ({"q": '"atlantic storm"'}, False),
        ({"q": "storm after:2020-01-01"}, True),
        ({"q": "(flood OR storm) coast -budget"}, True),
    ],
)
async def test_each_filter_counts(newsroom, filters, found):
    """A match is what the archive would find."""
    search = await newsroom.save(**filters)
    await newsroom.arrive(
        told(
            "One",
            "Storm batters the Atlantic coast",
            source="guardian",
            language="en",
            author="Jo Tan",
            description="A wind of 150 km/h.",
        )
    )
    assert bool(await newsroom.list_titles(search)) is found


async def test_a_story_alerts_once(newsroom, fetch):
    """A later member adds nothing; the match says who else tells it."""
    search = await newsroom.save("earthquake")
    title = "Magnitude 6.1 earthquake strikes off the coast of Fiji"
    await newsroom.arrive(told("Alpha", title), told("Beta", title))
    await newsroom.arrive(told("Gamma", title))
    page = await newsroom.searches.list_matches(newsroom.user_id, search, 10, None)
    assert [match.publishers for match in page.matches] == [
        ("Alpha News", "Beta News", "Gamma News")
    ]
    assert len(await fetch(OUTBOX)) == 1


async def test_a_story_without_its_founder_does_not_alert_again(newsroom, execute):
    """The founder was taken down at its source; the other members have a new story."""
    search = await newsroom.save("earthquake guardian")
    title = "Magnitude 6.1 earthquake strikes off the coast of Fiji"
    founder = told("Alpha", title)
    await newsroom.arrive(founder)
    await newsroom.arrive(told("Beta", title, description="The Guardian has more."))
    assert len(await newsroom.list_titles(search)) == 1
    await execute(f"DELETE FROM articles WHERE public_id = '{founder.id}'")  # noqa: S608
    await newsroom.arrive(told("Gamma", title, description="As the Guardian says."))
    assert len(await newsroom.list_titles(search)) == 1


async def test_an_article_waits_for_its_story(newsroom, archive, fetch):
    """Without its story an article could alert twice."""
    await newsroom.save()
    await archive.save_articles([(told("one", "Storm"), NOW)], [])
    assert await newsroom.matching.match_batch() == 0
    assert await fetch("SELECT count(*) FROM alert_queue") == [(1,)]


async def test_an_article_whose_text_grows_is_matched_again(newsroom):
    """The archive finds it from then on, so the search must, too."""
    search = await newsroom.save("windmills")
    await newsroom.arrive(told("one", "Storm"))
    assert await newsroom.list_titles(search) == []
    await newsroom.arrive(told("one", "Storm", description="It broke two windmills."))
    assert await newsroom.list_titles(search) == ["Storm"]


async def test_old_news_does_not_alert(newsroom, fetch):
    """An import of last year's articles is no news, nor is what arrived before the search."""
    search = await newsroom.save()
    await newsroom.archive(told("old", "Storm of old", published_at=NOW - timedelta(days=8)))
    assert await fetch("SELECT * FROM alert_queue") == []
    await newsroom.arrive(told("early", "Storm before"), at=BEFORE - timedelta(seconds=1))
    assert await newsroom.list_titles(search) == []


async def test_a_paused_search_matches_nothing(newsroom):
    """What came meanwhile does not alert later, either."""
    search = await newsroom.save(paused=True)
    await newsroom.arrive(told("one", "Storm on Monday"))
    again = NOW + timedelta(seconds=10)
    await newsroom.searches.change(newsroom.user_id, search, becomes(draft()), again)
    await newsroom.arrive(told("two", "Storm and hail in Peru"))
    assert await newsroom.list_titles(search) == []
    await newsroom.arrive(told("three", "Storm hits ferries"), at=again)
    assert await newsroom.list_titles(search) == ["Storm hits ferries"]


async def test_a_changed_query_is_found_by_its_new_words(newsroom):
    """And no longer by the old ones."""
    search = await newsroom.save("storm")
    again = NOW + timedelta(seconds=10)
    await newsroom.searches.change(newsroom.user_id, search, becomes(draft("flood")), again)
    await newsroom.arrive(told("one", "Storm in Wales"), told("two", "Flood in Bonn"), at=again)
    assert await newsroom.list_titles(search) == ["Flood in Bonn"]


async def test_digests_collect_matches(newsroom, fetch):
    """One delivery, due at the person's next full hour, has all stories until then."""
    await newsroom.save(every=Every.HOUR, time_zone="Asia/Kathmandu")
    await newsroom.arrive(told("one", "Storm in Wales"))
    await newsroom.arrive(told("two", "Storm surge threatens Hamburg harbour"))
    due = next_due(Every.HOUR, "Asia/Kathmandu", NOW)
    assert await fetch("SELECT due_at FROM alert_deliveries") == [(due,)]
    assert len(await fetch(OUTBOX)) == 2


async def test_a_claimed_delivery_gets_no_more_stories(newsroom, execute, fetch):
    """It is on its way; what comes later waits in another one."""
    await newsroom.save()
    await newsroom.arrive(told("one", "Storm in Wales"))
    await execute("UPDATE alert_deliveries SET claimed_until = now() + interval '1 minute'")
    await newsroom.arrive(told("two", "Storm surge threatens Hamburg harbour"))
    assert await fetch("SELECT count(*) FROM alert_delivery_matches GROUP BY delivery_id") == [
        (1,),
        (1,),
    ]


async def test_each_channel_that_is_sent_to_has_a_delivery(newsroom, execute, fetch):
    """A feed is read instead, and a disabled channel gets nothing."""
    await newsroom.save(
        "storm",
        NTFY,
        NewChannel(ChannelKind.FEED, "", feed_digest="f" * 64),
        NewChannel(ChannelKind.WEBHOOK, "https://e.org/hook"),
        NewChannel(ChannelKind.APPRISE, "https://e.org/notify/k"),
    )
    await execute("UPDATE alert_channels SET disabled_at = now() WHERE kind = 'apprise'")
    await newsroom.arrive(told("one", "Storm"))
    assert await fetch(OUTBOX) == [("ntfy", "Storm"), ("webhook", "Storm")]


async def test_searches_for_the_same_query_are_all_told(newsroom):
    """They are verified as one."""
    searches = [await newsroom.save("storm") for _ in range(5)]
    await newsroom.arrive(told("one", "Storm"))
    assert [await newsroom.list_titles(one) for one in searches] == [["Storm"]] * 5


async def test_small_chunks_change_nothing(newsroom, monkeypatch):
    """The bounds of batches and statements are only for the work at a time."""
    for module, name in (
        (matching, "BATCH_WORDS"),
        (matching, "BATCH_SEARCHES"),
        (verifying, "VERIFIED_AT_ONCE"),
        (match_rows, "STORED_AT_ONCE"),
    ):
        monkeypatch.setattr(module, name, 1)
    searches = [await newsroom.save(q) for q in ("storm", "storm OR flood", "flood", "hail")]
    await newsroom.archive(told("one", "Storm in Wales"), told("two", "Flood in Bonn"))
    assert await newsroom.matching.match_batch() == 1
    while await newsroom.matching.match_batch():
        pass
    assert [len(await newsroom.list_titles(one)) for one in searches] == [1, 2, 1, 0]


async def test_only_one_process_matches(newsroom, holding):
    """Another one finds nothing to do, and does not wait."""
    await newsroom.archive(told("one", "Storm"))
    async with holding(matching.LOCK_MATCHING):
        assert await newsroom.matching.match_batch() == 0
    assert await newsroom.matching.match_batch() == 1


async def test_a_match_and_its_delivery_are_stored_together(newsroom, execute, fetch):
    """If the outbox cannot be written, no match is, and the article waits again."""
    search = await newsroom.save()
    await execute("ALTER TABLE alert_delivery_matches ADD CHECK (delivery_id IS NULL)")
    await newsroom.archive(told("one", "Storm"))
    with pytest.raises(Exception, match=r"violates|content"):
        await newsroom.matching.match_batch()
    assert await newsroom.list_titles(search) == []
    assert await fetch("SELECT count(*) FROM alert_queue") == [(1,)]


async def test_old_matches_are_deleted(newsroom):
    """With their places in deliveries."""
    search = await newsroom.save()
    await newsroom.arrive(told("one", "Storm"))
    assert await newsroom.matching.prune_matches(NOW) == 0
    assert await newsroom.matching.prune_matches(NOW + timedelta(seconds=1)) == 1
    assert await newsroom.list_titles(search) == []


async def test_an_article_of_thousands_of_words_is_matched_in_memory(
    newsroom, bridge, database_url
):
    """One that anybody posts must not stop the alerts of all.

    All its keys beside each of them were 45 GB for one long Chinese text.
    """
    await newsroom.save("storm")
    words = " ".join(f"word{number}x" for number in range(3_000))
    await newsroom.archive(told("one", "Storm", content=words))

    async def explain():
        connection = await asyncpg.connect(database_url)
        try:
            ids = [row["article_id"] for row in await connection.fetch("TABLE alert_queue")]
            how = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {FIND}"
            return json.loads(await connection.fetchval(how, ids))[0]["Plan"]
        finally:
            await connection.close()  # noqa: ASYNC102 - asyncio's side of the bridge

    plan = await bridge.add_lane("test", 1).run(explain)
    assert (plan["Actual Rows"], plan["Temp Written Blocks"]) == (1, 0)
    assert await newsroom.matching.match_batch() == 1


async def test_old_matches_and_origins_are_deleted_in_pieces(newsroom, execute, fetch):
    """Those that a service has collected while it was off are too many for one statement."""
    search = await newsroom.save()
    places = ("Wales", "ferries of Peru", "vineyards", "Tokyo", "a dam in Chad")
    await newsroom.arrive(*(told(place, f"Storm hits {place}") for place in places))
    await execute(
        "INSERT INTO story_origins SELECT 'a_' || n, n, now() - n * interval '10 days' "
        "FROM generate_series(1, 9) AS n",
        slow_deletion("story_origins", 4),
        slow_deletion("search_matches", 4),
    )
    assert await newsroom.matching.prune_matches(NOW + timedelta(seconds=1)) == 5
    assert await newsroom.list_titles(search) == []
    assert await fetch("SELECT founder_id FROM story_origins") == [(1,)]


async def test_a_batch_that_takes_too_long_is_smaller_next_time(newsroom, monkeypatch):
    """Its statements, too: otherwise the searches of a few could stop the alerts of all."""
    search = await newsroom.save("storm")
    asked = []

    async def verify(_verifier, _connection, candidates, size):
        asked.append((len({one.article for one in candidates}), size.cut(1_000)))
        if len(candidates) > 1:
            raise QueryCanceledError
        return candidates

    monkeypatch.setattr(verifying.Verifier, "verify", verify)
    places = ("Wales", "Bonn", "Chad")
    await newsroom.archive(*(told(place, f"Storm in {place}") for place in places))
    for _ in range(6):
        with pytest.raises(ArchiveTimeoutError):
            await newsroom.matching.match_batch()
    assert await newsroom.matching.match_batch() == 1
    assert asked == [(3, 1_000), (3, 500), (3, 250), (3, 125), (3, 62), (3, 31), (1, 15)]
    assert len(await newsroom.list_titles(search)) == 1
