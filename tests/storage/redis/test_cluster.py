"""A real cluster whose slots move and whose servers end."""

from datetime import UTC, datetime

import pytest

from newsintel.config.values import Quota, Secret
from newsintel.domain.limits.admission import Admission, Refused, Start
from newsintel.domain.limits.quotas import SourceLimits
from newsintel.errors import StoreRefusedError, UnavailableError
from newsintel.storage.redis.harvests import RedisCache
from newsintel.storage.redis.ledger import RedisLedger
from newsintel.storage.redis.link import open_redis
from newsintel.storage.redis.repeats import RedisRepeats
from newsintel.storage.redis.sessions import RedisSessions
from newsintel.storage.redis.spool import RedisSpool
from tests.authority import Authority
from tests.make import account_id
from tests.storage.redis.test_foreign_values import World
from tests.storage.redis_clusters import (
    PROGRAMS,
    call_redis_cli,
    has_programs,
    open_client,
    run_everywhere,
    running_cluster,
)
from tests.storage.support import answer, kept, read_cache_rights, run_command
from tests.waiting import PATIENCE_S, until

NOW = datetime(2026, 3, 1, tzinfo=UTC)
TERMS = SourceLimits(0.0, Quota(8, 3600))


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """A long timeout, because the machine may be busy."""
    monkeypatch.setattr("newsintel.storage.redis.server.SOCKET_S", PATIENCE_S)


@pytest.fixture
def own(tmp_path):
    """A cluster that the test may change."""
    if not has_programs():
        pytest.skip(f"no cluster without {' and '.join(PROGRAMS)} 7 or newer")
    with running_cluster(tmp_path / "cluster") as running:
        yield running


@pytest.fixture
async def on_own(bridge, own):
    """A link to it, which knows it already."""
    async with open_redis(bridge, Secret(own.url), None) as link:
        for number in range(10):
            await link.call(f"k{number}", run_command, "SET", f"k{number}", "v")
        yield link


class Move:
    """The slot of a key, on its way from one server to another."""

    def __init__(self, cluster, key):
        self.slot = cluster.nodes[0].run("CLUSTER", "KEYSLOT", key)
        self.source = cluster.owner_of(key)
        self.target = next(node for node in cluster.nodes if node is not self.source)
        self.nodes = cluster.nodes

    def begin(self):
        """As redis-cli does."""
        self.target.run("CLUSTER", "SETSLOT", self.slot, "IMPORTING", self.source.id)
        self.source.run("CLUSTER", "SETSLOT", self.slot, "MIGRATING", self.target.id)

    def move_keys(self):
        """All that the slot has."""
        for key in self.source.run("CLUSTER", "GETKEYSINSLOT", self.slot, 100):
            self.source.run("MIGRATE", "127.0.0.1", self.target.port, key, 0, 60_000)

    def end(self):
        """The target has the slot from now on."""
        for node in (self.target, self.source, *self.nodes):
            node.run("CLUSTER", "SETSLOT", self.slot, "NODE", self.target.id)


async def open_connections(link):
    """Open some connections to each server: a permission counts for one connection only."""

    async def hold(server):
        pool = server.redis.connection_pool
        held = [await pool.get_connection() for _ in range(3)]
        for connection in held:
            await pool.release(connection)

    for number in range(10):
        await link.call(f"k{number}", hold)


def decide(spent, now_s):
    """Take a call of the quota if one is left."""
    return Admission(TERMS).reserve(spent, now_s, NOW, now_s + 1, signed_in=True)


async def test_answer_and_its_claim_are_found_while_their_slot_moves(on_own, own, tally):
    """Before, between and after: the claim has one holder, and the answer is the last stored."""
    cache, move = RedisCache(on_own, keep_s=60, count=tally), Move(own, "articles:k")
    await cache.store(answer("k"), None)
    await open_connections(on_own)
    move.begin()
    assert await kept(cache, "k") == answer("k")
    move.move_keys()
    assert await kept(cache, "k") == answer("k")
    assert (await cache.claim("k", "mine", 60)).held
    assert not (await cache.claim("k", "theirs", 60)).held
    await cache.store(answer("k"), "mine")
    assert move.target.client.cluster("COUNTKEYSINSLOT", move.slot) == 1  # the claim has ended
    assert (await cache.claim("k", "theirs", 60)).held
    move.end()
    assert await kept(cache, "k") == answer("k")
    assert not (await cache.claim("k", "mine", 60)).held
    await cache.release_claim("k", "theirs")
    assert (await cache.claim("k", "mine", 60)).held
    assert "All 16384 slots covered" in own.check()
    assert tally.counts == {}


async def test_quota_holds_while_its_slot_moves(on_own, own):
    """A transaction of several keys waits until all have moved; none counts twice."""
    ledger, move = RedisLedger(on_own), Move(own, "starts:newsapi")

    async def reserve(number):
        return await ledger.reserve("newsapi", TERMS, f"{number}/{number}", {}, decide)

    assert isinstance(await reserve(0), Start)
    await open_connections(on_own)
    move.begin()
    with pytest.raises(UnavailableError):  # the starts are here, and this person's are nowhere
        await reserve(1)
    move.move_keys()
    assert isinstance(await ledger.reserve("newsapi", TERMS, "0/again", {}, decide), Start)
    move.end()
    taken = [await reserve(number) for number in range(2, 8)]
    assert all(isinstance(one, Start) for one in taken)
    assert isinstance(await reserve(9), Refused)


async def test_spool_loses_no_entry_while_its_slot_moves(on_own, own):
    """Each is taken once, in order."""
    spool, move = RedisSpool(on_own, 10_000), Move(own, "spool")
    await spool.add(b"one")
    await open_connections(on_own)
    move.begin()
    await spool.add(b"two")
    move.move_keys()
    await spool.add(b"three")
    first = await spool.take()
    move.end()
    entries = [first, await spool.take(), await spool.take()]
    assert [entry.data for entry in entries] == [b"one", b"two", b"three"]
    for entry in entries:
        await entry.remove()
    assert (spool.size_bytes, await spool.take()) == (0, None)


async def test_commands_of_many_keys_run_once_while_a_slot_moves(on_own, own):
    """Only the refused ones run again: a key that is new is not called a repetition."""
    repeats, move = RedisRepeats(on_own), Move(own, "seen:7")
    keys = [(str(number), 600) for number in range(20)]
    await open_connections(on_own)
    move.begin()
    assert await repeats.remember_new(keys[:10]) == [True] * 10
    move.move_keys()
    move.end()
    assert await repeats.remember_new(keys) == [False] * 10 + [True] * 10


async def test_sessions_survive_a_resharding_by_redis_cli(on_own, own, tally, monkeypatch):
    """A whole server is emptied while people sign in and use their sessions."""
    sessions = RedisSessions(on_own, idle_s=3600, max_s=3600, count=tally, now=lambda: NOW)
    ids = [await sessions.start(account_id(user), "Firefox") for user in range(1, 40)]
    address = f"127.0.0.1:{own.nodes[0].port}"
    call_redis_cli(
        *("--cluster", "reshard", address, "--cluster-from", own.nodes[1].id),
        *("--cluster-to", own.nodes[2].id, "--cluster-slots", "400", "--cluster-yes"),
    )
    ids += [await sessions.start(account_id(user), "Firefox") for user in range(40, 60)]
    found = [await sessions.find(one) for one in ids]
    assert [one.person for one in found] == [*map(account_id, range(1, 60))]
    with open_client(own.url) as client:
        assert len(run_everywhere(client, "KEYS", "session:*")) == 59


@pytest.mark.slow
@pytest.mark.parametrize("place", [0, 1], ids=["named by the URL", "another"])
async def test_replica_takes_the_place_of_a_killed_server(on_own, own, tally, place):
    """The link finds it, though no server that answers has said anything."""
    sessions = RedisSessions(on_own, idle_s=3600, max_s=3600, count=tally, now=lambda: NOW)
    ids = [await sessions.start(account_id(user), "Firefox") for user in range(1, 20)]
    dead = own.nodes[place]
    dead.wait_until_copied(own.add_replica(dead))
    own.nodes.remove(dead)
    dead.kill()

    async def all_found():
        try:
            return [await sessions.find(one) for one in ids]
        except UnavailableError:
            return None

    found = await until(all_found)
    assert [one.person for one in found] == [*map(account_id, range(1, 20))]
    await on_own.ping()
    assert not on_own.breaker_open


async def test_dead_server_takes_away_only_its_keys(on_own, own):
    """Its breaker opens; the others are used on, and the link is not ready."""
    dead = own.nodes[1]
    dead.kill()
    outcomes = set()
    for _ in range(6):
        for number in range(10):
            key = f"k{number}"
            lost = own.nodes[0].client.cluster("KEYSLOT", key) in range(5461, 10923)
            try:
                answered = await on_own.call(key, run_command, "GET", key) == b"v"
            except UnavailableError:
                answered = False
            outcomes.add((lost, answered))
    assert outcomes == {(True, False), (False, True)}
    assert on_own.breaker_open
    with pytest.raises(UnavailableError):
        await on_own.ping()


async def test_link_opens_at_a_server_that_has_left_the_list(bridge, own):
    """Any server of the cluster tells where the others are."""
    for node in own.nodes:
        async with open_redis(bridge, Secret(f"redis://127.0.0.1:{node.port}"), None) as link:
            await link.ping()
            for number in range(10):
                await link.call(f"k{number}", run_command, "SET", f"k{number}", "v")
            assert len(link.servers.list_servers()) == 3
            assert len(link.servers.ping_keys) == 3


async def test_numbered_database_of_a_cluster_is_refused(bridge, own):
    """The message says what to write."""
    async with open_redis(bridge, Secret(own.url.replace("/0", "/1")), None) as link:
        with pytest.raises(StoreRefusedError, match="end its URL with /0"):
            await link.ping()


def open_limited(bridge, cluster, *more):
    """A link of the user that Terraform makes, with some further rights."""
    for node in cluster.nodes:
        rights = (*read_cache_rights(), *more)
        node.run("ACL", "SETUSER", "deployed", "reset", ">secret", *rights)
    url = cluster.url.replace("redis://", "redis://deployed@")
    return open_redis(bridge, Secret(url), Secret("secret"))


async def test_deployed_rights_and_two_more_are_enough(bridge, own, tally):
    """The two that docs/operating.md names."""
    async with open_limited(bridge, own, "+cluster|slots", "+asking") as link:
        world = World(link)
        for list_operations in (world.list_writes, world.list_others):
            for operation in list_operations().values():
                await operation()
        cache, move = RedisCache(link, keep_s=60, count=tally), Move(own, "articles:k")
        move.begin()
        await cache.store(answer("k"), None)
        assert await kept(cache, "k") == answer("k")


async def test_user_that_may_not_read_the_slots_is_refused(bridge, own):
    """The error says why; otherwise each operation would be redirected for ever."""
    async with open_limited(bridge, own, "+asking") as link:
        elsewhere = next(f"k{n}" for n in range(99) if own.owner_of(f"k{n}") is not own.nodes[0])
        with pytest.raises(StoreRefusedError, match="NOPERM"):
            await link.call(elsewhere, run_command, "GET", elsewhere)


@pytest.mark.slow
@pytest.mark.parametrize(("trusted", "works"), [("ca", True), ("other", False)])
async def test_every_server_proves_its_name_by_a_certificate(bridge, tmp_path, trusted, works):
    """Also those that the URL does not name; an unknown authority is refused."""
    authority = Authority(tmp_path)
    path = authority.path if works else Authority(tmp_path, trusted).path
    with running_cluster(tmp_path / "cluster", authority) as cluster:
        url = f"rediss://localhost:{cluster.nodes[0].tls_port}?ssl_ca_certs={path}"
        async with open_redis(bridge, Secret(url), None) as link:
            try:
                for number in range(10):
                    await link.call(f"k{number}", run_command, "SET", f"k{number}", "v")
            except StoreRefusedError:
                assert not works
                return
            used = [
                one.redis.connection_pool.connection_kwargs for one in link.servers.list_servers()
            ]
            places = {(one["host"], one["port"]) for one in used}
            assert places == {("localhost", node.tls_port) for node in cluster.nodes}
            await link.ping()
