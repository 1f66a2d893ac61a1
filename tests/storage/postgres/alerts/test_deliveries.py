# ruff: noqa: S608, PLR0917 - our own constants; one fixture for each part
"""The outbox of alerts in a real PostgreSQL: who sends what, and what people see of it."""

from datetime import timedelta

import pytest
import trio

from newsintel.config.values import Secret
from newsintel.domain.alerts.channels import ChannelKind
from newsintel.domain.alerts.delivery_model import (
    MAX_STORIES,
    AlertFeed,
    Attempt,
    DeliveryState,
    Outcome,
    Settlement,
)
from newsintel.domain.security.sealing import Sealer
from newsintel.errors import ArchiveTimeoutError, UnknownKeyError
from newsintel.storage.postgres.alerts import deliveries as deliveries_module
from newsintel.storage.postgres.alerts import outbox
from newsintel.storage.postgres.alerts.channel_keys import open_keys, seal_keys
from newsintel.storage.postgres.alerts.deliveries import MOST_FINISHED, PostgresDeliveries
from tests.storage.postgres.alerts.saved import ADDRESS, Alerts, later, quoted
from tests.storage.postgres.slow_deletions import slow_deletion
from tests.storage.support import NOON, article

UNTIL = later(120)
OK = Attempt(Outcome.DELIVERED, 204)
REFUSED = Attempt(Outcome.REFUSED, 500, "HTTP 500")
DONE = Settlement(DeliveryState.DELIVERED)
OLD, NEW = Secret("O" * 43), Secret("N" * 43)
SEALER = Sealer([NEW, OLD])


@pytest.fixture
def deliveries(postgres):
    """The outbox of an empty database."""
    return PostgresDeliveries(postgres, lambda: SEALER)


@pytest.fixture
def alerts(execute, fetch, archive):
    """Makes rows of alerts."""
    return Alerts(execute, fetch, archive)


@pytest.fixture
async def search(alerts, people):
    """A search of the first person with an ntfy channel."""
    return await alerts.save_search(people[0])


@pytest.fixture
async def channel(alerts, search):
    """The channel of that search."""
    return (await alerts.list_channels(search))[0]


@pytest.fixture
def one():
    """An article."""
    return article("1")


async def test_a_due_delivery_is_claimed_with_its_stories(alerts, deliveries, search, channel):
    """The newest first."""
    first, second = article("1"), article("2")
    await alerts.match(search, first, second)
    await alerts.put_out(channel, "d_1", first, second)
    found = await deliveries.claim(NOON, UNTIL)
    assert (found.id, found.claimed_until, found.channel) == ("d_1", UNTIL, channel)
    assert (found.kind, found.address) == (ChannelKind.NTFY, "https://ntfy.sh/t")
    assert (found.search_id, found.search_name) == (search, "Storms")
    assert (found.attempts, found.is_test, found.total, found.keys) == (0, False, 2, ())
    assert [story.article.id for story in found.stories] == [second.id, first.id]
    assert found.stories[0].group_id == second.id


async def test_a_delivery_that_is_not_due_waits(alerts, deliveries, search, channel, one):
    """To the microsecond."""
    await alerts.match(search, one)
    await alerts.put_out(channel, "d_1", one, due=later(1))
    assert await deliveries.claim(NOON, UNTIL) is None
    assert (await deliveries.claim(later(1), UNTIL)).id == "d_1"


async def test_nobody_else_gets_a_claimed_delivery(alerts, deliveries, search, channel, one):
    """Until the claim has ended, as after kill -9; then it comes with the same id."""
    await alerts.match(search, one)
    await alerts.put_out(channel, "d_1", one)
    first = await deliveries.claim(NOON, UNTIL)
    assert await deliveries.claim(later(119), later(200)) is None
    again = await deliveries.claim(UNTIL, later(240))
    assert (again.id, again.attempts) == (first.id, 0)
    # The first one comes too late to say anything.
    assert not await deliveries.settle(first, OK, DONE, UNTIL, 5)
    assert await deliveries.settle(again, OK, DONE, UNTIL, 5)
    assert not await deliveries.settle(again, OK, DONE, UNTIL, 5)


async def test_many_claims_at_once_share_the_work(alerts, deliveries, people):
    """Each delivery is claimed once."""
    for number in range(8):
        search = await alerts.save_search(people[number % 2], f"S{number}")
        (channel,) = await alerts.list_channels(search)
        await alerts.match(search, article("1"))
        await alerts.put_out(channel, f"d_{number}", article("1"))
    claimed = []

    async def claim():
        while found := await deliveries.claim(NOON, UNTIL):
            claimed.append(found.id)

    async with trio.open_nursery() as nursery:
        for _ in range(4):
            nursery.start_soon(claim)
    left = [found.id async for found in _drain(deliveries)]
    assert sorted([*claimed, *left]) == sorted(f"d_{number}" for number in range(8))


async def _drain(deliveries):
    """Claim what a locked row made others pass over."""
    while found := await deliveries.claim(NOON, UNTIL):
        yield found


async def test_a_channel_sends_one_delivery_after_another(alerts, deliveries, search, channel):
    """By the time at which each was due."""
    ones = [article("1"), article("2")]
    await alerts.match(search, *ones)
    await alerts.put_out(channel, "d_1", ones[0])
    await alerts.put_out(channel, "d_2", ones[1], due=later(-1))
    second = await deliveries.claim(NOON, UNTIL)
    assert second.id == "d_2"
    assert await deliveries.claim(NOON, UNTIL) is None
    await deliveries.settle(second, OK, DONE, NOON, 5)
    assert (await deliveries.claim(NOON, UNTIL)).id == "d_1"


async def test_a_digest_that_is_being_filled_is_not_claimed(
    alerts, deliveries, search, channel, one, holding
):
    """So no story is added to a message that has been sent."""
    await alerts.match(search, one)
    await alerts.put_out(channel, "d_1", one)
    lock = "SELECT id FROM alert_deliveries WHERE id = 'd_1' FOR UPDATE"
    async with holding(lock):
        assert await deliveries.claim(NOON, UNTIL) is None
    assert (await deliveries.claim(NOON, UNTIL)).id == "d_1"


CANCELLED = "SELECT $1::text, $2::bigint, pg_cancel_backend(pg_backend_pid()), pg_sleep(60)"
"""PostgreSQL ends it, as it ends what takes too long."""


async def test_a_delivery_that_takes_too_long_holds_up_no_other(
    alerts, deliveries, people, monkeypatch
):
    """Not those of other people, due later: it is tried again after the end of its claim."""
    for person, name, due in ((people[0], "d_slow", NOON), (people[1], "d_next", later(1))):
        search = await alerts.save_search(person)
        (channel,) = await alerts.list_channels(search)
        await alerts.match(search, article(name))
        await alerts.put_out(channel, name, article(name), due=due)
    with monkeypatch.context() as patch:
        patch.setattr(outbox, "STORIES", CANCELLED)
        with pytest.raises(ArchiveTimeoutError):
            await deliveries.claim(later(1), UNTIL)
    assert (await deliveries.claim(later(1), later(240))).id == "d_next"
    assert (await deliveries.claim(UNTIL, later(240))).id == "d_slow"


async def test_success_is_logged_and_ends_a_failure(
    alerts, deliveries, search, channel, one, people, fetch
):
    """The log has the latest attempt first."""
    await alerts.match(search, one)
    await alerts.put_out(channel, "d_1", one)
    retry = Settlement(DeliveryState.PENDING, later(5))
    first = await deliveries.claim(NOON, UNTIL)
    assert await deliveries.settle(first, REFUSED, retry, NOON, 12)
    states = "SELECT failing_since IS NULL, last_delivered_at IS NULL FROM alert_channels"
    assert await fetch(states) == [(False, True)]
    assert await deliveries.claim(later(4), UNTIL) is None
    second = await deliveries.claim(later(5), UNTIL)
    assert (second.id, second.attempts) == ("d_1", 1)
    assert await deliveries.settle(second, OK, DONE, later(6), 7)
    assert await fetch(states) == [(True, False)]
    (logged,) = await deliveries.list_log(people[0], search)
    assert (logged.id, logged.state, logged.stories) == ("d_1", DeliveryState.DELIVERED, 1)
    assert [
        (one.outcome, one.status_code, one.detail, one.latency_ms) for one in logged.attempts
    ] == [(Outcome.DELIVERED, 204, "", 7), (Outcome.REFUSED, 500, "HTTP 500", 12)]
    assert await deliveries.claim(later(10**6), later(10**7)) is None


async def test_what_waits_for_a_failing_receiver_comes_after_the_retry(
    alerts, deliveries, search, channel
):
    """It is not called once for each delivery."""
    ones = [article("1"), article("2"), article("3")]
    await alerts.match(search, *ones)
    await alerts.put_out(channel, "d_1", ones[0], due=later(-2))
    await alerts.put_out(channel, "d_2", ones[1], due=later(-1))
    await alerts.put_out(channel, "d_3", ones[2], due=later(500))
    first = await deliveries.claim(NOON, UNTIL)
    await deliveries.settle(first, REFUSED, Settlement(DeliveryState.PENDING, later(300)), NOON, 12)
    assert await deliveries.claim(later(299), later(400)) is None
    assert (await deliveries.claim(later(300), later(400))).id in ("d_1", "d_2")


async def test_a_disabled_channel_sends_nothing_more(
    alerts, deliveries, search, channel, one, fetch
):
    """What waits for it is cancelled."""
    await alerts.match(search, one)
    await alerts.put_out(channel, "d_1", one)
    await alerts.put_out(channel, "d_2", one)
    first = await deliveries.claim(NOON, UNTIL)
    gone = Settlement(DeliveryState.FAILED, disable="gone")
    await deliveries.settle(first, Attempt(Outcome.GONE, 410, "HTTP 410"), gone, NOON, 3)
    assert await deliveries.claim(later(10**6), later(10**7)) is None
    states = await fetch("SELECT id, state FROM alert_deliveries ORDER BY id")
    assert states == [("d_1", "failed"), ("d_2", "cancelled")]
    reasons = await fetch("SELECT disabled_reason, disabled_at IS NULL FROM alert_channels")
    assert reasons == [("gone", False)]


async def test_a_paused_search_sends_tests_only(
    alerts, deliveries, search, channel, one, people, execute
):
    """What waits stays."""
    await alerts.match(search, one)
    await alerts.put_out(channel, "d_1", one)
    await execute("UPDATE saved_searches SET paused = true")
    assert await deliveries.claim(NOON, UNTIL) is None
    assert await deliveries.create_tests(people[0], search, NOON) == 1
    test = await deliveries.claim(NOON, UNTIL)
    assert (test.is_test, test.total) == (True, 1)
    assert test.stories[0].article.id == one.id  # the newest match, as an example


async def test_tests_are_one_a_minute_and_ones_own(alerts, deliveries, search, people):
    """Without a match they have no story."""
    assert await deliveries.create_tests(people[1], search, NOON) is None
    assert await deliveries.create_tests(people[0], "w_" + "a" * 20, NOON) is None
    assert await deliveries.create_tests(people[0], search, NOON) == 1
    test = await deliveries.claim(NOON, UNTIL)
    assert (test.is_test, test.stories, test.total) == (True, (), 0)
    await deliveries.settle(test, OK, DONE, NOON, 5)
    assert await deliveries.create_tests(people[0], search, later(59)) == 0
    assert await deliveries.create_tests(people[0], search, later(61)) == 1


async def test_tests_at_once_are_one(deliveries, search, people, execute):
    """A receiver gets no more of them because they were asked for at the same moment."""
    made = []

    async def create(number):
        made.append(await deliveries.create_tests(people[0], search, later(100 * number)))

    for number in range(10):
        async with trio.open_nursery() as nursery:
            for _ in range(4):
                nursery.start_soon(create, number)
        await execute("UPDATE alert_deliveries SET state = 'delivered'")
    assert sorted(made) == [0] * 30 + [1] * 10


async def test_a_delivery_whose_articles_were_deleted_is_cancelled(
    alerts, deliveries, search, channel, one, execute, fetch
):
    """There is nothing to tell."""
    await alerts.match(search, one)
    await alerts.put_out(channel, "d_1", one)
    await execute("DELETE FROM articles")
    assert await deliveries.claim(NOON, UNTIL) is None
    assert await fetch("SELECT state FROM alert_deliveries") == [("cancelled",)]


async def test_a_large_digest_lists_the_newest(alerts, deliveries, search, channel):
    """And says how many there are."""
    many = [article(str(number)) for number in range(MAX_STORIES + 3)]
    await alerts.match(search, *many)
    await alerts.put_out(channel, "d_1", *many)
    found = await deliveries.claim(NOON, UNTIL)
    assert (len(found.stories), found.total) == (MAX_STORIES, MAX_STORIES + 3)
    assert found.stories[0].article.id == many[-1].id


async def test_the_log_is_ones_own(alerts, deliveries, search, people):
    """That of somebody else does not exist."""
    assert await deliveries.list_log(people[0], search) == ()
    assert await deliveries.list_log(people[1], search) is None


async def set_keys(execute, channel, sealed: bytes) -> None:
    """Store sealed keys."""
    await execute(
        f"UPDATE alert_channels SET sealed_keys = '\\x{sealed.hex()}' WHERE id = {channel}"
    )


@pytest.fixture
async def webhook(alerts, people, execute):
    """A search with a webhook whose key is sealed with the old key."""
    search = await alerts.save_search(people[0], webhook=ADDRESS)
    (channel,) = await alerts.list_channels(search)
    await set_keys(execute, channel, seal_keys(Sealer([OLD]), channel, []))
    return search


async def test_a_rotated_secret_signs_beside_the_one_before(
    alerts, deliveries, webhook, people, one
):
    """And only the owner of the search can rotate."""
    assert await deliveries.rotate_secret(people[1], webhook, ADDRESS, NOON) is None
    assert await deliveries.rotate_secret(people[0], webhook, ADDRESS + "x", NOON) is None
    first = await deliveries.rotate_secret(people[0], webhook, ADDRESS, NOON)
    second = await deliveries.rotate_secret(people[0], webhook, ADDRESS, NOON)
    await alerts.match(webhook, one)
    await alerts.put_out((await alerts.list_channels(webhook))[0], "d_1", one)
    keys = (await deliveries.claim(NOON, UNTIL)).keys
    assert [(key.secret, key.until) for key in keys] == [
        (second, None),
        (first, NOON + timedelta(days=1)),
    ]


async def test_keys_are_sealed_again_after_a_change_of_secret_keys(
    alerts, deliveries, webhook, execute, fetch
):
    """Those of an unknown key are reported."""
    (channel,) = await alerts.list_channels(webhook)
    assert await deliveries.reseal_all() == 1
    assert await deliveries.reseal_all() == 0
    ((sealed,),) = await fetch("SELECT sealed_keys FROM alert_channels")
    assert open_keys(Sealer([NEW]), channel, sealed) == ()
    await set_keys(execute, channel, seal_keys(Sealer([Secret("X" * 43)]), channel, []))
    with pytest.raises(UnknownKeyError):
        await deliveries.reseal_all()


async def test_a_key_that_cannot_be_read_leaves_the_webhook_without_one(
    alerts, deliveries, webhook, execute, one
):
    """So nothing is sent unsigned."""
    (channel,) = await alerts.list_channels(webhook)
    await set_keys(execute, channel, seal_keys(Sealer([Secret("X" * 43)]), channel, []))
    await alerts.match(webhook, one)
    await alerts.put_out(channel, "d_1", one)
    assert (await deliveries.claim(NOON, UNTIL)).keys == ()


async def test_an_unsubscription_ends_a_channel_once(
    alerts, deliveries, search, channel, one, fetch
):
    """The first reason stays."""
    await alerts.match(search, one)
    await alerts.put_out(channel, "d_1", one)
    assert await deliveries.end_channel(channel, "unsubscribed", NOON) == "Storms"
    assert await deliveries.end_channel(channel, "again", later(60)) == "Storms"
    assert await deliveries.end_channel(channel + 1000, "x", NOON) is None
    assert await fetch("SELECT disabled_reason FROM alert_channels") == [("unsubscribed",)]
    assert await deliveries.claim(NOON, UNTIL) is None


async def test_a_feed_is_found_by_its_digest(alerts, deliveries, people, execute):
    """With its owner."""
    search = await alerts.save_search(people[0], feed="")
    digest = "d" * 64
    await execute(f"UPDATE alert_channels SET feed_digest = {quoted(digest)}")
    found = await deliveries.find_feed(digest)
    assert isinstance(found, AlertFeed)
    assert (found.user_id, found.search_id, found.name) == (people[0], search, "Storms")
    assert found.person.startswith("u_")
    assert await deliveries.find_feed("e" * 64) is None


async def test_fresh_matches_are_ones_own(alerts, deliveries, search, people):
    """The earliest first, from a time on."""
    ones = [article("1"), article("2")]
    await alerts.match(search, ones[0], at=NOON)
    await alerts.match(search, ones[1], at=later(60))
    found = await deliveries.list_fresh(people[0], NOON, 10)
    assert [(one.search_id, one.match.article.id) for one in found] == [
        (search, ones[0].id),
        (search, ones[1].id),
    ]
    assert len(await deliveries.list_fresh(people[0], later(1), 10)) == 1
    assert len(await deliveries.list_fresh(people[0], NOON, 1)) == 1
    assert await deliveries.list_fresh(people[1], NOON, 10) == []


async def test_old_and_many_finished_deliveries_are_deleted(deliveries, channel, execute, fetch):
    """Those that wait stay, however old they are."""
    await execute(
        "INSERT INTO alert_deliveries (id, channel_id, state, created_at, due_at) SELECT "
        f"'d_' || n, {channel}, CASE WHEN n = 0 THEN 'pending' ELSE 'delivered' END, "
        f"{quoted(NOON)}::timestamptz + n * interval '1 s', {quoted(NOON)} "
        f"FROM generate_series(0, {MOST_FINISHED + 5}) AS n"
    )
    assert await deliveries.prune_log(NOON) == 5
    assert await deliveries.prune_log(later(10**6)) == MOST_FINISHED
    assert await fetch("SELECT id FROM alert_deliveries") == [("d_0",)]


async def test_what_a_clock_that_was_ahead_put_off_is_due(alerts, deliveries, search, channel, one):
    """A claim of then would also hold up its whole channel."""
    await alerts.match(search, one)
    year, day = 365 * 86_400, 86_400
    for name, due in (("d_1", NOON), ("d_2", later(year)), ("d_3", later(day))):
        await alerts.put_out(channel, name, one, due=due)
    assert (await deliveries.claim(NOON, later(year + 120))).id == "d_1"
    assert await deliveries.claim(later(day), later(day + 120)) is None
    assert await deliveries.correct_times(NOON) == 2
    assert await deliveries.correct_times(NOON) == 0
    for name in ("d_1", "d_2"):
        claimed = await deliveries.claim(NOON, UNTIL)
        assert claimed.id == name
        assert await deliveries.settle(claimed, OK, DONE, NOON, 12)
    assert await deliveries.claim(NOON, UNTIL) is None
    assert (await deliveries.claim(later(day), later(day + 120))).id == "d_3"


async def test_the_log_is_pruned_in_pieces(alerts, deliveries, people, execute, fetch, monkeypatch):
    """Channel by channel: all deliveries of a service are too many for one statement."""
    monkeypatch.setattr(deliveries_module, "PRUNED_CHANNELS", 1)
    monkeypatch.setattr(deliveries_module, "MOST_FINISHED", 2)
    search = await alerts.save_search(people[0], ntfy="https://n.example/t", email="a@example.org")
    await alerts.save_search(people[1])
    for channel in await alerts.list_channels(search):
        await execute(
            "INSERT INTO alert_deliveries (id, channel_id, state, created_at, due_at) SELECT "
            f"'d_{channel}_' || n, {channel}, 'delivered', {quoted(NOON)}::timestamptz + "
            f"n * interval '1 s', {quoted(NOON)} FROM generate_series(1, 7) AS n"
        )
    await execute(slow_deletion("alert_deliveries", 4))
    assert await deliveries.prune_log(NOON) == 10
    left = await fetch("SELECT right(id, 2), count(*) FROM alert_deliveries GROUP BY 1 ORDER BY 1")
    assert left == [("_6", 2), ("_7", 2)]


async def test_an_address_that_is_not_confirmed_only_gets_tests(
    alerts, deliveries, people, one, execute
):
    """Then what has waited is sent."""
    search = await alerts.save_search(people[0], email="a@example.org", ntfy="https://n.example/t")
    email, _ = await alerts.list_channels(search)
    await alerts.match(search, one)
    await alerts.put_out(email, "d_1", one)
    assert await deliveries.claim(NOON, UNTIL) is None
    assert await deliveries.create_tests(people[0], search, NOON, unconfirmed=True) == 1
    asked = await deliveries.claim(NOON, UNTIL)
    assert (asked.channel, asked.is_test, asked.confirmed) == (email, True, False)
    await deliveries.settle(asked, OK, DONE, NOON, 5)
    assert await deliveries.confirm_channel(email, NOON) == "Storms"
    assert await deliveries.confirm_channel(email + 1000, NOON) is None
    found = await deliveries.claim(NOON, UNTIL)
    assert (found.id, found.confirmed) == ("d_1", True)
    assert await deliveries.create_tests(people[0], search, later(61), unconfirmed=True) == 0
    await deliveries.end_channel(email, "unsubscribed", NOON)
    assert await deliveries.confirm_channel(email, NOON) is None
    # The person enables the channel again: its owner is asked again.
    await execute("UPDATE alert_channels SET disabled_at = NULL, disabled_reason = NULL")
    assert await deliveries.create_tests(people[0], search, later(200), unconfirmed=True) == 1


async def test_deliveries_of_busy_people_wait(alerts, deliveries, people):
    """Another person's are claimed, although theirs have been due for longer."""
    for number, person in enumerate((people[0], people[0], people[1])):
        search = await alerts.save_search(person, f"S{number}")
        (channel,) = await alerts.list_channels(search)
        await alerts.match(search, article("1"))
        await alerts.put_out(channel, f"d_{number}", article("1"), due=later(number - 9))
    first = await deliveries.claim(NOON, UNTIL)
    other = await deliveries.claim(NOON, UNTIL, [first.person])
    assert (first.id, other.id) == ("d_0", "d_2")
    assert first.person != other.person
    assert await deliveries.claim(NOON, UNTIL, [first.person, other.person]) is None
    assert (await deliveries.claim(NOON, UNTIL, [other.person])).id == "d_1"


async def test_there_is_no_other_test_while_one_waits(deliveries, people, search):
    """A slow receiver would otherwise have a longer queue each minute."""
    assert await deliveries.create_tests(people[0], search, NOON) == 1
    assert await deliveries.create_tests(people[0], search, later(90)) == 0
    waiting = await deliveries.claim(later(90), later(200))
    await deliveries.settle(waiting, OK, DONE, later(90), 5)
    assert await deliveries.create_tests(people[0], search, later(90)) == 1
