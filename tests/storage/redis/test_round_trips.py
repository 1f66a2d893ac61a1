"""What each operation costs on one server, in round trips: a cluster must not make it dearer."""

import pytest
from redis.asyncio.connection import AbstractConnection

from tests.storage.redis.test_foreign_values import World
from tests.storage.support import ON_ONE_SERVER


@pytest.fixture
def sent(monkeypatch):
    """The packets that redis-py has sent."""
    found = []
    send = AbstractConnection.send_packed_command

    async def send_noted(connection, command, **options):
        found.append(command)
        await send(connection, command, **options)

    monkeypatch.setattr(AbstractConnection, "send_packed_command", send_noted)
    return found


COSTS = {
    # A request waits for these.
    "RedisCache.claim": 1,
    "RedisBytes.get": 1,
    "RedisSessions.find": 1,
    "RedisCounter.add": 1,
    "RedisLedger.reserve": 2,
    "RedisCache.find_article": 2,
    # A person waits for these now and then.
    "RedisSessions.start": 2,
    "RedisSessions.list_of_user": 2,
    "RedisSessions.end_session": 1,
    "RedisSessions.end_user_sessions": 3,
    "RedisAttempts.store": 1,
    "RedisAttempts.take": 1,
    "RedisLedger.read_spent": 1,
    "RedisLatencies.read_totals": 1,
    "RedisBytes.delete_keys": 1,
    "RedisCache.delete_answers": 1,
    # Nobody waits for these.
    "RedisBytes.put": 1,
    "RedisCache.store": 2,
    "RedisCache.release_claim": 3,
    "RedisLedger.give_back": 1,
    "RedisLatencies.add": 1,
    "RedisRepeats.remember_new": 1,
    "RedisSpool.add": 3,
    "RedisSpool.take": 3,
    "RedisSpool.give_back": 1,
    "RedisSpool.remove": 2,
}


@ON_ONE_SERVER
async def test_operations_on_one_server_need_few_round_trips(link, sent):
    """The first of each operation is not counted: it may open a connection or read the clock."""
    world, costs = World(link), {}
    for list_operations in (world.list_writes, world.list_others) * 2:
        for name, operation in list_operations().items():
            sent.clear()
            await operation()
            costs[name] = len(sent)
    assert costs == COSTS
