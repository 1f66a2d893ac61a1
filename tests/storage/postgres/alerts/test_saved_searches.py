"""Saved searches in a real PostgreSQL: limits, refusals, changes, previews, and whose they are."""

from datetime import timedelta
from functools import partial

import pytest
import trio
from attrs import evolve

from newsintel.domain.alerts.channels import ChannelKind
from newsintel.domain.alerts.digests import Every, next_due
from newsintel.domain.alerts.model import NewChannel, SearchDraft, WatchedQuery
from newsintel.domain.alerts.signing import create_secret
from newsintel.errors import AccountGoneError, ArchiveTimeoutError, InvalidParameterError
from newsintel.storage.postgres.accounts.account_data import PostgresAccountData
from newsintel.storage.postgres.alerts import anchor_keys, ending
from newsintel.storage.postgres.alerts.channel_keys import open_keys
from tests.storage.postgres.alerts.conftest import SEALER
from tests.storage.postgres.alerts.watching import BEFORE, NOW, NTFY, becomes, draft, told
from tests.storage.postgres.slow_deletions import slow_deletion

HOOK = NewChannel(ChannelKind.WEBHOOK, "https://e.org/hook", secret=create_secret())
FEED = NewChannel(ChannelKind.FEED, "", feed_digest="f" * 64)

PLACES = ("Wales", "ferries of Peru", "vineyards", "Tokyo", "a dam in Chad", "Bonn")

LEFT = """
SELECT (SELECT count(*) FROM saved_searches), (SELECT count(*) FROM search_anchors),
    (SELECT count(*) FROM alert_channels), (SELECT count(*) FROM search_matches),
    (SELECT count(*) FROM alert_deliveries), (SELECT count(*) FROM alert_delivery_matches)
"""


async def test_a_search_is_stored_as_it_was_asked_for(newsroom, fetch):
    """With its channels; the secret of a webhook is sealed."""
    asked = draft("storm", sources=("guardian",), every=Every.DAY, time_zone="Asia/Tokyo")
    made = await newsroom.searches.create(newsroom.user_id, asked, (HOOK, FEED), 9, BEFORE)
    assert await newsroom.searches.find(newsroom.user_id, made.public_id) == made
    assert await newsroom.searches.list_of_user(newsroom.user_id) == (made,)
    assert (made.query, made.every, made.time_zone) == (asked.query, Every.DAY, "Asia/Tokyo")
    assert made.created_at == made.changed_at == BEFORE
    assert [(one.kind, one.address) for one in made.channels] == [
        (ChannelKind.WEBHOOK, HOOK.address),
        (ChannelKind.FEED, ""),
    ]
    ((channel, sealed),) = await fetch(
        "SELECT id, sealed_keys FROM alert_channels WHERE sealed_keys IS NOT NULL"
    )
    assert [key.secret for key in open_keys(SEALER, channel, sealed)] == [HOOK.secret]


async def test_two_at_once_do_not_exceed_the_limit(newsroom):
    """One of them is refused."""
    found = []

    async def create():
        found.append(await newsroom.searches.create(newsroom.user_id, draft(), (NTFY,), 1, BEFORE))

    async with trio.open_nursery() as nursery:
        for _ in range(2):
            nursery.start_soon(create)
    assert sorted(one is None for one in found) == [False, True]


@pytest.mark.parametrize("q", ["-storm", "storm OR -flood", None])
async def test_what_has_no_anchor_is_refused(newsroom, fetch, q):
    """By creation, change and preview; nothing is stored."""
    with pytest.raises(InvalidParameterError, match="must"):
        await newsroom.save(q)
    with pytest.raises(InvalidParameterError, match="must"):
        await newsroom.searches.preview(WatchedQuery(q), NOW)
    search = await newsroom.save("storm")
    with pytest.raises(InvalidParameterError, match="must"):
        await newsroom.searches.change(newsroom.user_id, search, becomes(draft(q)), NOW)
    assert (await newsroom.searches.find(newsroom.user_id, search)).query == WatchedQuery("storm")
    assert await fetch("SELECT count(DISTINCT saved_search_id) FROM search_anchors") == [(1,)]


async def test_a_query_that_most_articles_match_is_refused(newsroom, monkeypatch):
    """With the numbers. In a small archive nothing can be said."""
    await newsroom.archive(
        *(told(f"{number}", f"Storm {number}") for number in range(6)),
        *(told(f"f{number}", f"Flood {number}") for number in range(4)),
    )
    await newsroom.save("storm")
    monkeypatch.setattr(anchor_keys, "LEAST_SAMPLE", 10)
    with pytest.raises(InvalidParameterError, match="6 of the newest 10 articles") as refused:
        await newsroom.save("storm")
    assert (refused.value.field, refused.value.code) == ("q", "too_broad")
    with pytest.raises(InvalidParameterError, match="10 of the newest 10"):
        await newsroom.save(None, sources=("guardian",))
    await newsroom.save("flood")


async def test_stop_words_alone_are_refused(newsroom):
    """As by the archive."""
    with pytest.raises(InvalidParameterError, match="says something"):
        await newsroom.save("the of")


async def test_a_change_keeps_channels_that_stay(newsroom, fetch, execute):
    """With their keys, and enabled again; others go, with what waits for them."""
    search = await newsroom.save("storm", HOOK, NTFY)
    await newsroom.arrive(told("one", "Storm"))
    before = await fetch("SELECT id, sealed_keys FROM alert_channels WHERE kind = 'webhook'")
    await execute("UPDATE alert_channels SET disabled_at = now(), failing_since = now()")
    again = NewChannel(HOOK.kind, HOOK.address)
    changed = await newsroom.searches.change(
        newsroom.user_id, search, becomes(draft("storm"), again, FEED), NOW
    )
    assert [(one.kind, one.works) for one in changed.channels] == [
        (ChannelKind.WEBHOOK, True),
        (ChannelKind.FEED, True),
    ]
    after = await fetch("SELECT id, sealed_keys FROM alert_channels WHERE kind = 'webhook'")
    assert after == before
    assert await fetch("SELECT count(*) FROM alert_deliveries") == [(1,)]


async def test_a_change_without_channels_leaves_them(newsroom, execute):
    """A channel that ended stays so when the search is only renamed."""
    search = await newsroom.save()
    await execute("UPDATE alert_channels SET disabled_at = now(), disabled_reason = 'gone'")
    renamed = draft(name="Renamed", paused=True)
    changed = await newsroom.searches.change(newsroom.user_id, search, becomes(renamed), NOW)
    assert (changed.name, changed.paused, changed.changed_at) == ("Renamed", True, NOW)
    assert [one.disabled_reason for one in changed.channels] == ["gone"]
    assert not changed.works


async def test_changes_at_once_do_not_undo_each_other(newsroom):
    """Each is made from the search as the one before it left it."""
    search = await newsroom.save()

    async def change(**wanted):
        def revise(old):
            found = SearchDraft(old.name, old.query, old.every, old.time_zone, old.paused)
            return evolve(found, **wanted), None

        await newsroom.searches.change(newsroom.user_id, search, revise, NOW)

    async with trio.open_nursery() as nursery:
        for wanted in ({"name": "New"}, {"paused": True}, {"time_zone": "Asia/Tokyo"}):
            nursery.start_soon(partial(change, **wanted))
    found = await newsroom.searches.find(newsroom.user_id, search)
    assert (found.name, found.paused, found.time_zone) == ("New", True, "Asia/Tokyo")


async def test_what_waits_for_a_digest_moves_with_its_time(newsroom, fetch):
    """A person who wants alerts at once does not wait until the next morning."""
    search = await newsroom.save(every=Every.DAY)
    await newsroom.arrive(told("one", "Storm"))
    assert await fetch("SELECT due_at FROM alert_deliveries") == [
        (next_due(Every.DAY, "UTC", NOW),)
    ]
    await newsroom.searches.change(newsroom.user_id, search, becomes(draft()), NOW)
    assert await fetch("SELECT due_at FROM alert_deliveries") == [(NOW,)]


async def test_nobody_reads_or_changes_anothers_search(newsroom, people):
    """Every method looks for the account's own."""
    search, searches, other = await newsroom.save(), newsroom.searches, people[1]
    await newsroom.arrive(told("one", "Storm"))
    before = await searches.find(newsroom.user_id, search)
    assert await searches.find(other, search) is None
    assert await searches.list_of_user(other) == ()
    assert await searches.change(other, search, becomes(draft("flood"), FEED), NOW) is None
    assert await searches.delete(other, search) is False
    assert await searches.list_matches(other, search, 10, None) is None
    assert await searches.find(newsroom.user_id, search) == before


async def test_an_account_is_deleted_with_all_of_it(newsroom, postgres, fetch):
    """Nothing of it is left, and nothing can be added."""
    await newsroom.save("storm", HOOK, NTFY, FEED)
    await newsroom.arrive(told("one", "Storm"))
    assert all((await fetch(LEFT))[0])
    await PostgresAccountData(postgres).delete(newsroom.user_id)
    assert await fetch(LEFT) == [(0,) * 6]
    with pytest.raises(AccountGoneError):
        await newsroom.save()


@pytest.mark.parametrize("whole", [False, True])
async def test_a_search_with_too_many_matches_for_one_transaction_is_deleted(  # noqa: PLR0917
    newsroom, postgres, execute, fetch, monkeypatch, whole
):
    """Also with its account. Otherwise nobody could ever delete them."""
    search = await newsroom.save("storm", HOOK, NTFY)
    for number in range(6):
        await newsroom.arrive(told(f"{number}", f"Storm hits {PLACES[number]}"))
        await execute("UPDATE alert_deliveries SET attempts = 1")  # the next one has its own
    assert (await fetch(LEFT))[0][3:] == (6, 12, 12)
    for table in ("search_matches", "alert_deliveries", "alert_delivery_matches"):
        await execute(slow_deletion(table, 4))
    monkeypatch.setattr(ending, "DELIVERIES_AT_ONCE", 8)
    if whole:
        await PostgresAccountData(postgres).delete(newsroom.user_id)
    else:
        assert await newsroom.searches.delete(newsroom.user_id, search)
    assert await fetch(LEFT) == [(0,) * 6]


async def test_a_search_that_cannot_be_deleted_yet_is_paused(newsroom, execute):
    """Otherwise it would be told again about stories whose matches are deleted."""
    search = await newsroom.save()
    await newsroom.arrive(told("one", "Storm"))
    await execute(slow_deletion("search_matches", 0))
    with pytest.raises(ArchiveTimeoutError):
        await newsroom.searches.delete(newsroom.user_id, search)
    assert (await newsroom.searches.find(newsroom.user_id, search)).paused


async def test_a_deleted_search_is_matched_no_more(newsroom, fetch):
    """Its deliveries are gone, too."""
    search = await newsroom.save()
    await newsroom.arrive(told("one", "Storm"))
    assert await newsroom.searches.delete(newsroom.user_id, search)
    assert not await newsroom.searches.delete(newsroom.user_id, search)
    await newsroom.arrive(told("two", "Storm in Wales"))
    assert await fetch(LEFT) == [(0,) * 6]


async def test_matches_are_listed_page_by_page(newsroom):
    """The latest first; a match that comes meanwhile changes no later page."""
    search = await newsroom.save()
    titles = ["Storm in Wales", "Storm hits ferries of Peru", "Storm and hail damage vineyards"]
    await newsroom.arrive(*(told(f"{number}", title) for number, title in enumerate(titles)))
    first = await newsroom.searches.list_matches(newsroom.user_id, search, 2, None)
    assert len(first.matches) == 2
    last = await newsroom.searches.list_matches(newsroom.user_id, search, 2, first.next)
    assert last.next is None
    found = [match.article.title for match in (*first.matches, *last.matches)]
    assert sorted(found) == sorted(titles)


async def test_a_preview_counts_stories(newsroom):
    """Each once, on the day of its first match; for the last 30 days."""
    title = "Magnitude 6.1 earthquake strikes off the coast of Fiji"
    early = NOW - timedelta(days=3)
    await newsroom.archive(
        told("Alpha", title, published_at=early),
        told("Beta", title, published_at=early + timedelta(hours=2)),
        told("Gamma", "Earthquake damages vineyards of Chile"),
        told("Old", "Earthquake of last year", published_at=NOW - timedelta(days=40)),
        told("Delta", "Flood in Bonn"),
    )
    preview = await newsroom.searches.preview(WatchedQuery("earthquake"), NOW)
    assert preview.count == 2
    days = {day.date(): count for day, count in preview.per_day if count}
    assert days == {early.date(): 1, NOW.date(): 1}
    assert len(preview.per_day) == 31
    assert preview.publishers == (("Alpha News", 1), ("Gamma News", 1))
    assert [hit.article.publisher for hit in preview.hits] == ["Gamma News", "Alpha News"]
    assert preview.hits[0].snippet is not None


async def test_a_preview_without_words_uses_the_filters(newsroom):
    """Such as a publisher."""
    await newsroom.archive(told("Alpha", "Storm"), told("Beta", "Flood"))
    preview = await newsroom.searches.preview(WatchedQuery(None, publisher="alpha news"), NOW)
    assert (preview.count, preview.publishers) == (1, (("Alpha News", 1),))
    empty = await newsroom.searches.preview(WatchedQuery("hail"), NOW)
    assert (empty.count, empty.publishers, empty.hits) == (0, (), ())
