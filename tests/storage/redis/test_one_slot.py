"""The keys of one operation have one slot, as a real cluster computes slots."""

from contextvars import ContextVar

import pytest
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ResponseError

from newsintel.storage.redis.server import RedisServer
from tests.make import account_id, outcome
from tests.make import answer as whole_answer
from tests.storage.redis.test_foreign_values import TERMS, World

ON_CLUSTER = pytest.mark.parametrize("redis_kind", ["cluster"], indirect=True)
SEVERAL_SLOTS = "_send"
"""The operation of commands of one key each: `RedisLink.each`."""

running = ContextVar("running", default=None)


@pytest.fixture
def operations(monkeypatch):
    """The commands of each operation that ran on a server: its name, and their words."""
    seen = []
    run, pack = RedisServer.run, AbstractConnection.pack_command

    async def run_noted(server, operation, *args):
        commands = []
        seen.append((operation.__name__, commands))
        running.set(commands)
        return await run(server, operation, *args)

    def pack_noted(connection, *words):
        if running.get() is not None:
            running.get().append(words)
        return pack(connection, *words)

    monkeypatch.setattr(RedisServer, "run", run_noted)
    monkeypatch.setattr(AbstractConnection, "pack_command", pack_noted)
    return seen


def list_keys(cluster, words):
    """The keys of a command, as a server says."""
    try:
        return cluster.nodes[0].run("COMMAND GETKEYS", *words)
    except ResponseError:
        return []  # a command without keys, or a part of the handshake


@ON_CLUSTER
async def test_keys_of_each_operation_have_one_slot(link, cluster, operations):
    """Whatever an adapter does: its writes, its reads and its deletions."""
    world = World(link)
    await link.each([("GET", f"k{number}") for number in range(10)], bool)  # learn the servers
    operations.clear()
    for operation in (*world.list_writes().values(), *world.list_others().values()):
        await operation()
    await world.ledger.reserve("newsapi", TERMS, "7/two", {}, world.decide)
    await world.cache.claim("q", "mine", 60)
    await world.cache.store(whole_answer(outcome("guardian")), "mine")
    names, most = set(), 0
    for name, commands in operations:
        keys = {key for words in commands for key in list_keys(cluster, words)}
        slots = {cluster.nodes[0].run("CLUSTER", "KEYSLOT", key) for key in keys}
        if name == SEVERAL_SLOTS:
            assert all(len(list_keys(cluster, words)) <= 1 for words in commands)
        else:
            assert len(slots) <= 1, (name, keys)
            most = max(most, len(keys))
        names.add(name)
    assert most == 2
    assert {"_claim", "_end_claim", "_run_round", "_add", "_take", "_remove"} <= names


@ON_CLUSTER
async def test_keys_of_a_cluster_are_on_all_its_servers(link, cluster):
    """Otherwise a hash tag is too wide."""
    world = World(link)
    for number in range(30):
        await world.counter.add(f"limit:{number}", 1, 60)
        await world.sessions.start(account_id(number), "Firefox")
    assert all(node.run("DBSIZE") > 5 for node in cluster.nodes)
