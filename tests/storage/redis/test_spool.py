"""The spool in Redis: exact in its bound, drained by any process, never evicted."""

import pytest
import trio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsintel.config.values import Secret
from newsintel.errors import SpoolFullError, UnavailableError
from newsintel.storage.bridge import open_bridge
from newsintel.storage.redis import spool as spool_module
from newsintel.storage.redis.link import open_redis
from newsintel.storage.redis.spool import BYTES, STREAM, RedisSpool
from tests.storage.redis_servers import redis_server
from tests.storage.support import ON_ONE_SERVER

MAX_BYTES = 1_000
STEPS = ("add", "fill", "overflow", "remove", "give back")
"""What a process may do: `fill` adds exactly what has room, and `overflow` a byte more."""


@pytest.fixture
def places(link):
    """The same spool in two processes."""
    return RedisSpool(link, MAX_BYTES), RedisSpool(link, MAX_BYTES)


async def test_entries_come_back_in_order(places, redis):
    """Each is taken once, by one of the processes. Removed ones free their bytes."""
    one, other = places
    assert await one.take() is None
    assert await redis("EXISTS", STREAM) == 0
    for data in (b"first", b"second", b"third"):
        await one.add(data)
    assert one.size_bytes == int(await redis("GET", BYTES)) == 16
    taken = [await place.take() for place in (one, other, one)]
    assert [entry.data for entry in taken] == [b"first", b"second", b"third"]
    assert await other.take() is None
    for entry in taken:
        await entry.remove()
    assert (one.size_bytes, await redis("XLEN", STREAM)) == (0, 0)
    assert (await redis("XPENDING", STREAM, "drainers"))["pending"] == 0


async def test_an_entry_given_back_is_the_next_for_any_process(places):
    """It comes before newer ones."""
    one, other = places
    for data in (b"first", b"second"):
        await one.add(data)
    await (await one.take()).give_back()
    assert (await other.take()).data == b"first"
    assert (await one.take()).data == b"second"


async def test_entries_that_nobody_can_read_do_not_hide_those_behind_them(places, monkeypatch):
    """Redis looks at ten pending entries in one call."""
    one, other = places
    for number in range(25):
        await one.add(f"{number}".encode())
        entry = await one.take()
        if number < 24:
            await entry.set_aside()
    await entry.give_back()
    found = [await other.take() for _ in range(4)]
    assert [entry.data for entry in found if entry] == [b"24"]


async def test_entries_set_aside_do_not_keep_back_new_ones(places, monkeypatch):
    """Not even if they may be claimed again at once, and are too many to be remembered."""
    monkeypatch.setattr(spool_module, "CLAIM_S", 0)
    monkeypatch.setattr(spool_module, "MAX_ASIDE", 0)
    one, _ = RedisSpool(places[0]._link, MAX_BYTES), None
    for number in range(50):
        await one.add(b"junk %d" % number)
        await (await one.take()).set_aside()
    await one.add(b"new")
    found = []
    for _ in range(3):
        entry = await one.take()
        found.append(entry.data)
        await entry.set_aside()
    assert b"new" in found


async def test_an_entry_set_aside_is_returned_no_more_to_the_same_process(places, monkeypatch):
    """Another process gets it."""
    monkeypatch.setattr(spool_module, "CLAIM_S", 0)
    one, other = places
    for number in range(20):
        await one.add(b"junk %d" % number)
        await (await one.take()).set_aside()
    assert await one.take() is None
    assert (await other.take()).data.startswith(b"junk")


async def test_an_entry_of_a_dead_process_is_claimed(places, monkeypatch):
    """After CLAIM_S. If the process lives after all, the second removal changes nothing."""
    one, other = places
    await one.add(b"first")
    await one.add(b"second")
    slow = await one.take()
    assert (await other.take()).data == b"second"
    assert await other.take() is None
    monkeypatch.setattr(spool_module, "CLAIM_S", 0)
    claimed = await other.take()
    assert claimed.data == slow.data == b"first"
    await claimed.remove()
    assert other.size_bytes == len(b"second")
    await slow.remove()
    await slow.remove()
    assert one.size_bytes == len(b"second")


async def test_an_entry_set_aside_is_not_the_next(places):
    """A process of another version gets it after CLAIM_S."""
    one, _ = places
    await one.add(b"unreadable")
    await one.add(b"second")
    await (await one.take()).set_aside()
    assert (await one.take()).data == b"second"
    assert await one.take() is None


async def test_a_deleted_entry_is_skipped(places, redis, monkeypatch):
    """An operator deleted it by hand. Its bytes still count, until the bound is reached."""
    one, _ = places
    await one.add(b"first")
    await one.add(b"second")
    await one.take()
    ((first_id, _),) = await redis("XRANGE", STREAM, "-", "+", "COUNT", 1)
    await redis("XDEL", STREAM, first_id)
    monkeypatch.setattr(spool_module, "CLAIM_S", 0)
    entry = await one.take()
    assert entry.data == b"second"
    await entry.remove()
    assert one.size_bytes == int(await redis("GET", BYTES)) == len(b"first")


async def test_a_stream_emptied_by_hand_has_room_again(places, redis):
    """The counter says that it is full, and the stream that it is empty."""
    one, _ = places
    await one.add(bytes(MAX_BYTES))
    with pytest.raises(SpoolFullError):
        await one.add(b"x")
    await redis("XTRIM", STREAM, "MAXLEN", 0)
    await one.add(b"x")
    assert int(await redis("GET", BYTES)) == 1


async def test_a_counter_that_lost_replies_left_too_high_is_corrected(places, redis):
    """By the second take that finds nothing; not while an entry is with another process."""
    one, other = places
    await one.add(b"entry")
    await redis("INCRBY", BYTES, 100)
    entry = await one.take()
    for _ in range(3):
        assert await other.take() is None
        assert (other.size_bytes, await redis("GET", BYTES)) == (105, b"105")
    await entry.remove()
    assert await other.take() is None
    assert (other.size_bytes, await redis("GET", BYTES)) == (100, b"100")
    assert await other.take() is None
    assert (other.size_bytes, await redis("GET", BYTES)) == (0, None)
    await one.add(b"entry")
    assert (one.size_bytes, (await other.take()).data) == (5, b"entry")


@pytest.mark.parametrize("value", ["abc", "", "-5", "1e3", "٣", "9" * 19, "9" * 5000, "1.0"])
async def test_a_counter_that_is_no_number_counts_as_nothing(places, redis, value):
    """Whoever may write to Redis cannot end the drainer or the persister."""
    one, other = places
    await one.add(b"first")
    await redis("SET", BYTES, value)
    entry = await other.take()
    await redis("SET", BYTES, value)
    await one.add(b"second")
    assert (entry.data, (await other.take()).data) == (b"first", b"second")
    await entry.remove()


async def test_a_lost_reply_subtracts_nothing_twice(places, redis, monkeypatch):
    """The counter may be too high, never too low: it is the bound."""
    one, _ = places
    for data in (b"first", b"second", b"third"):
        await one.add(data)
    client = one._link.servers.find(STREAM).redis
    subtract = client.decrby

    async def lose_the_reply(*args):
        await subtract(*args)
        raise TimeoutError

    monkeypatch.setattr(client, "decrby", lose_the_reply)
    with pytest.raises(UnavailableError):
        await (await one.take()).remove()
    monkeypatch.undo()
    await (await one.take()).remove()
    assert int(await redis("GET", BYTES)) == one.size_bytes == len(b"third")


async def test_concurrent_processes_count_every_byte(bridge, places, redis):
    """Adding and removing at once: the counter equals the stream."""

    async def add(place):
        for _ in range(10):
            await place.add(bytes(20))

    async def remove(place):
        for _ in range(5):
            while (entry := await place.take()) is None:  # noqa: ASYNC110
                await trio.lowlevel.checkpoint()
            await entry.remove()

    async with trio.open_nursery() as nursery:
        for place in places:
            nursery.start_soon(add, place)
            nursery.start_soon(remove, place)
    assert await redis("XLEN", STREAM) == 10
    assert int(await redis("GET", BYTES)) == 200


@ON_ONE_SERVER
async def test_without_redis_nothing_is_lost_silently(cut_off, name):
    """Each operation raises UnavailableError, and the file is next."""
    place = RedisSpool(cut_off, MAX_BYTES)
    name.cut()
    for operation in (place.take, lambda: place.add(b"x")):
        with pytest.raises(UnavailableError):
            await operation()


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 600))),
    st.integers(0, 1_500),
)
def test_the_bound_holds_exactly(servers, steps, max_bytes):
    """An entry is refused if and only if the stream would exceed the bound with it."""

    async def follow():
        async with (
            open_bridge() as bridge,
            open_redis(bridge, Secret(servers.redis_url), None) as link,
        ):
            await bridge.add_lane("test", 1).run(link.servers.first.redis.flushall)
            place, used = RedisSpool(link, max_bytes), 0
            for step, any_size in steps:
                room = max_bytes - used
                size = {"fill": room, "overflow": room + 1}.get(step, any_size)
                if step in {"add", "fill", "overflow"}:
                    try:
                        await place.add(bytes(size))
                        used += size
                    except SpoolFullError:
                        assert used + size > max_bytes
                    assert used <= max_bytes
                elif (entry := await place.take()) is not None:
                    if step == "remove":
                        await entry.remove()
                        used -= len(entry.data)
                    else:
                        await entry.give_back()
                assert place.size_bytes == used
            stored = await bridge.add_lane("look", 1).run(link.servers.first.redis.xrange, STREAM)
            assert sum(len(fields[b"d"]) for _, fields in stored) == used

    trio.run(follow)


async def test_a_full_redis_evicts_answers_and_keeps_the_spool(bridge, tmp_path):
    """With volatile-ttl. When only the spool is left, it refuses more, and keeps what it has."""
    options = {"maxmemory": "4mb", "maxmemory_policy": "volatile-ttl"}
    async with redis_server(tmp_path / "full", **options) as server:
        for number in range(1_000):
            server.run("SET", f"articles:{number}", "x" * 5_000, "EX", 1_000)
        assert server.run("DBSIZE") < 1_000
        async with open_redis(bridge, Secret(f"unix://{server.socket}"), None) as link:
            place, added = RedisSpool(link, 2**30), 0

            async def fill():
                nonlocal added
                while True:
                    await place.add(bytes(100_000))
                    added += 1

            with pytest.raises(UnavailableError, match="OOM"):
                await fill()
            assert added > 10
            assert server.run("XLEN", STREAM) == added
            assert int(server.run("GET", BYTES)) == added * 100_000
            assert server.run("EXISTS", *(f"articles:{number}" for number in range(1_000))) == 0
            server.run("CONFIG", "SET", "maxmemory", "1mb")  # it refuses every write that adds
            for _ in range(added):
                entry = await place.take()
                assert entry.data == bytes(100_000)
                await entry.give_back()
                await (await place.take()).remove()
            assert await place.take() is None
            server.run("CONFIG", "SET", "maxmemory", "8mb")
            await place.add(b"one")
            await (await place.take()).remove()
            assert place.size_bytes == 0
            assert int(server.run("GET", BYTES)) == 0
