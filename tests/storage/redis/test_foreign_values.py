"""Whatever stands under any of our keys in Redis, no operation fails in an unforeseen way.

Another program may share the server, or an operator may have set a key by hand. The keys are not
listed here: they are those that the operations themselves write.
"""

import inspect
import pkgutil
from datetime import UTC, datetime
from functools import partial
from importlib import import_module

import pytest
import trio

from newsintel.config.values import Quota
from newsintel.domain.accounts.model import SignInAttempt
from newsintel.domain.limits.admission import Admission
from newsintel.domain.limits.quotas import SourceLimits
from newsintel.domain.operations.latencies import Latency
from newsintel.domain.search.outcome import Status
from newsintel.errors import UnavailableError
from newsintel.storage import redis as package
from newsintel.storage.redis.byte_cache import RedisBytes
from newsintel.storage.redis.counters import RedisCounter
from newsintel.storage.redis.harvests import RedisCache
from newsintel.storage.redis.latencies import RedisLatencies
from newsintel.storage.redis.ledger import RedisLedger
from newsintel.storage.redis.repeats import RedisRepeats
from newsintel.storage.redis.sessions import RedisSessions
from newsintel.storage.redis.sign_in_attempts import RedisAttempts
from newsintel.storage.redis.spool import RedisSpool
from tests.fakes.basics import Counts
from tests.make import account_id, answer

NOW = datetime(2026, 3, 1, tzinfo=UTC)
TERMS = SourceLimits(0.0, Quota(10, 3600))
HUGE = "9" * 5_000
"""More digits than Python reads as a number."""

TEXTS = (
    *(
        b"",
        b"abc",
        b"-5",
        b"1.5",
        b"1e3",
        b"\xff\x00",
        b"null",
        b"{}",
        b"[1,2,3,4,5]",
        b"[" * 5_000,
    ),
    *("٣".encode(), b"9" * 19, b"9" * 5_000, b'{"format":1}', b'{"format":1,"rows":[1]}'),
    b'{"state":1}',
)
JUNK = {
    **{f"text {text[:12]!r}": [("SET", text)] for text in TEXTS},
    "list": [("RPUSH", b"x", b"y")],
    "hash": [
        ("HSET", b"x", b"y", b"guardian ok 100", HUGE, b"guardian ok 9x", b"1", b"\xff", b"\xff")
    ],
    "set": [("SADD", b"\xff", b"x", HUGE)],
    "sorted set": [("ZADD", "-inf", b"\xff", "inf", b"x", "1e300", HUGE, "0", "sign:1:x")],
    "stream": [
        ("XADD", "*", "x", "y"),
        ("XADD", "*", "d", b"junk"),
        ("XADD", "*", "d", b'{"format":1}', "d", b""),
    ],
}


class World:
    """All that uses Redis, and one call of each operation."""

    def __init__(self, link):
        self.link, counts = link, Counts()
        self.parts = [
            self.bytes,
            self.counter,
            self.cache,
            self.latencies,
            self.ledger,
            self.repeats,
            self.sessions,
            self.attempts,
            self.spool,
        ] = [
            RedisBytes(link, counts),
            RedisCounter(link),
            RedisCache(link, keep_s=60, count=counts),
            RedisLatencies(link),
            RedisLedger(link),
            RedisRepeats(link),
            RedisSessions(link, idle_s=600, max_s=6_000, count=counts, now=lambda: NOW),
            RedisAttempts(link, counts),
            RedisSpool(link, 10_000),
        ]
        self.session_id = ""

    async def start_session(self):
        self.session_id = await self.sessions.start(account_id(7), "Firefox")

    async def take_entry(self):
        entry = await self.spool.take()
        if entry is not None:
            await entry.give_back()

    def decide(self, spent, now_s):
        return Admission(TERMS).reserve(spent, now_s, NOW, now_s + 1, signed_in=True)

    def list_writes(self):
        """Every operation that writes a key."""
        found = answer()
        reserve = partial(self.ledger.reserve, "newsapi", TERMS, "7:one", {}, self.decide)
        attempt = SignInAttempt("state", "cookie", "reddit", "", "", "/")
        return {
            "RedisBytes.put": partial(self.bytes.put, "finished:k", b"x", 60),
            "RedisCounter.add": partial(self.counter.add, "limit:7", 1, 60),
            "RedisCache.claim": partial(self.cache.claim, "k", "token", 60.0),
            "RedisCache.store": partial(self.cache.store, found, None),
            "RedisLatencies.add": partial(
                self.latencies.add, NOW.date(), {Latency("guardian", Status.OK, 100): 1}
            ),
            "RedisLedger.reserve": reserve,
            "RedisRepeats.remember_new": partial(self.repeats.remember_new, [("k", 60.0)]),
            "RedisSessions.start": self.start_session,
            "RedisAttempts.store": partial(self.attempts.store, attempt),
            "RedisSpool.add": partial(self.spool.add, b"entry"),
        }

    def list_others(self):
        """Every other operation: reads first, deletions last."""
        article_id = answer().harvest.articles[0].id
        return {
            "RedisBytes.get": partial(self.bytes.get, "finished:k"),
            "RedisCache.find_article": partial(self.cache.find_article, article_id),
            "RedisLatencies.read_totals": partial(self.latencies.read_totals, NOW.date()),
            "RedisLedger.read_spent": partial(self.ledger.read_spent, "newsapi", TERMS),
            "RedisSessions.find": partial(self.sessions.find, self.session_id),
            "RedisSessions.list_of_user": partial(self.sessions.list_of_user, account_id(7)),
            "RedisSpool.take": self.take_entry,
            "RedisSpool.give_back": partial(self.spool.give_back, b"1-1"),
            "RedisSpool.remove": partial(self.spool.remove, b"1-1", 5),
            "RedisAttempts.take": partial(self.attempts.take, "state"),
            "RedisLedger.give_back": partial(self.ledger.give_back, "newsapi", "7:one"),
            "RedisCache.release_claim": partial(self.cache.release_claim, "k", "token"),
            "RedisCache.delete_answers": partial(self.cache.delete_answers, ["k"]),
            "RedisBytes.delete_keys": partial(self.bytes.delete_keys, ["finished:k"]),
            "RedisSessions.end_session": partial(
                self.sessions.end_session, account_id(7), "digest"
            ),
            "RedisSessions.end_user_sessions": partial(
                self.sessions.end_user_sessions, account_id(7)
            ),
        }


@pytest.fixture
def world(link):
    """Everything on one empty Redis."""
    return World(link)


async def test_every_operation_is_tried(world):
    """A new adapter, or a new operation, must be added above."""
    found = set()
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        for name, kind in inspect.getmembers(import_module(module.name), inspect.isclass):
            own = kind.__module__ == module.name and name.startswith("Redis")
            if own and name not in {"RedisLink", "RedisServer", "RedisServers"}:
                found |= {
                    f"{name}.{method}"
                    for method, function in inspect.getmembers(kind, inspect.iscoroutinefunction)
                    if not method.startswith("_") and name != "RedisEntry"
                }
    assert found == world.list_writes().keys() | world.list_others().keys()


async def list_keys(world, redis):
    """Do every write on an empty Redis; return the keys."""
    await redis("FLUSHALL")
    for write in world.list_writes().values():
        await write()
    await world.take_entry()  # makes the consumer group
    return sorted(await redis("KEYS", "*"))


@pytest.mark.slow
@pytest.mark.parametrize("kind", JUNK)
async def test_junk_under_any_key_is_an_absent_value_or_an_outage(world, redis, kind):
    """It ends no actor and no request with an unforeseen error."""
    number = len(await list_keys(world, redis))
    assert number >= 12
    for place in range(number):
        key = (await list_keys(world, redis))[place]
        await redis("DEL", key)
        for command, *values in JUNK[kind]:
            await redis(command, key, *values)
        for operation in (*world.list_others().values(), *world.list_writes().values()):
            try:
                with trio.fail_after(60):
                    await operation()
            except UnavailableError:
                continue  # WRONGTYPE: as if Redis were away
