"""Outages of real servers: every article of an answer reaches PostgreSQL in the end."""

import os
import signal
import subprocess
import sys

import pytest
import trio

from newsintel.actors import drainer, persister
from newsintel.config.values import Secret
from newsintel.domain.bounds.room import ByteBudget
from newsintel.domain.search.harvest import Answer, ArchiveWrite, Merge
from newsintel.domain.search.query_model import Dedupe
from newsintel.runtime.edges import PERSISTER_INBOX, SINK_BYTES
from newsintel.runtime.spool import Spool
from newsintel.storage.postgres.personal.history import PostgresHistory
from newsintel.storage.postgres.pool import SERVER_SETTINGS
from newsintel.storage.redis import spool as spool_module
from newsintel.storage.redis.link import open_redis
from newsintel.storage.redis.spool import RedisSpool
from newsintel.storage.spool_folder import open_spool_folder
from tests.fakes.basics import Counts
from tests.make import harvest, outcome, search_record
from tests.storage.support import ROOT, article, family, frozen_processes
from tests.waiting import until

MAX_BYTES = 2**28
SEARCHES, ARTICLES = 150, 55


def landed(number):
    """The answer of one search."""
    articles = tuple(article(f"{number}-{place}") for place in range(ARTICLES))
    return Answer(harvest(outcome(articles=articles)), Merge(Dedupe.NORMAL, ()))


class Service:
    """A persister and a drainer on real stores."""

    def __init__(self, archive, history, places):
        self.archive, self.history, self.counts = archive, history, Counts()
        self.places, self.spool = places, Spool(places, self.counts)
        self.send, self.inbox = trio.open_memory_channel(PERSISTER_INBOX)
        self.room = ByteBudget(SINK_BYTES)

    async def persist(self, numbers):
        """Offer answers as the merger does, all at once, and wait until the persister has ended."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(
                lambda: persister.run(
                    self.inbox,
                    room=self.room,
                    archive=self.archive,
                    spool=self.spool,
                    count=self.counts,
                )
            )
            with self.send:
                for number in numbers:
                    each = landed(number)
                    assert self.room.reserve(each.size_bytes)
                    self.send.send_nowait(ArchiveWrite(each))

    async def drain(self):
        """Run the drainer until both places are empty."""

        async def is_empty():
            return not any(place.size_bytes for place in self.places)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(
                lambda: drainer.run(
                    spool=self.spool,
                    archive=self.archive,
                    history=self.history,
                    count=self.counts,
                )
            )
            await until(is_empty)
            nursery.cancel_scope.cancel()


@pytest.fixture
def redis_reply_s():
    """The service's own: Redis is frozen in these tests."""
    return 0.25


@pytest.fixture
async def service(archive, postgres, link, tmp_path, monkeypatch):
    """A service whose drainer does not wait for dead processes."""
    monkeypatch.setattr(drainer, "EVERY_S", 0.1)
    monkeypatch.setattr(spool_module, "CLAIM_S", 0)
    async with open_spool_folder(tmp_path / "data", MAX_BYTES, Counts()) as folder:
        yield Service(archive, PostgresHistory(postgres), (RedisSpool(link, MAX_BYTES), folder))


async def read_all(fetch):
    """The ids of the archive, and the number of its rows."""
    found = await fetch("SELECT public_id FROM articles")
    return {row[0] for row in found}, len(found)


SENT = {article(f"{n}-{place}").id for n in range(SEARCHES) for place in range(ARTICLES)}


@pytest.mark.slow
async def test_case_24_while_postgresql_is_frozen_redis_keeps_every_article(
    service, servers, fetch, tmp_path
):
    """150 answers of 55 articles. After PostgreSQL has resumed, each is a row, and Redis empty."""
    with frozen_processes(family(servers.postgres.find_pid())):
        await service.persist(range(SEARCHES))
    assert service.counts["spooled_rows articles redis"] == SEARCHES * ARTICLES
    assert not (tmp_path / "data").exists()
    await service.drain()
    assert await read_all(fetch) == (SENT, SEARCHES * ARTICLES)
    assert service.counts["lost_articles"] == service.counts["dead_letters"] == 0


@pytest.mark.slow
async def test_case_24_and_18_with_redis_frozen_too_a_file_keeps_every_article(
    service, servers, fetch, tmp_path
):
    """Redis delays a few entries until its breaker opens; then none."""
    with (
        frozen_processes(family(servers.postgres.find_pid())),
        frozen_processes([servers.redis.find_pid()]),
    ):
        await service.persist(range(SEARCHES))
    assert service.counts["spooled_rows articles file"] == SEARCHES * ARTICLES
    await service.drain()
    assert await read_all(fetch) == (SENT, SEARCHES * ARTICLES)
    assert list((tmp_path / "data" / "spool").glob("*.spool")) == []
    assert service.counts["lost_articles"] == 0


WRITER = """
import sys, trio
from newsintel.config.values import Secret
from newsintel.domain.archive.batch import ArchiveBatch
from newsintel.runtime.spool import Spool
from newsintel.storage.bridge import open_bridge
from newsintel.storage.redis.link import open_redis
from newsintel.storage.redis.spool import RedisSpool
from tests.storage.support import NOON, article

async def main():
    async with open_bridge() as bridge, open_redis(bridge, Secret(sys.argv[1]), None) as link:
        place = RedisSpool(link, 10**6)
        spool = Spool((place,), lambda *_, **__: None)
        for number in range(5):
            await spool.put_piece(ArchiveBatch([(article(str(number)), NOON)]), 1)
        assert await place.take() is not None
        print("spooled", flush=True)
        await trio.sleep_forever()

trio.run(main)
"""


async def test_case_36_another_process_drains_what_a_killed_one_spooled(service, servers, fetch):
    """It was killed while it had taken one of the entries."""
    command = [sys.executable, "-c", WRITER, servers.redis_url]
    environ = {"PYTHONPATH": str(ROOT), "PATH": os.defpath}
    writer = subprocess.Popen(command, stdout=subprocess.PIPE, env=environ)  # noqa: ASYNC220
    assert await trio.to_thread.run_sync(writer.stdout.readline) == b"spooled\n"
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    writer.stdout.close()
    await service.places[0].take()
    await service.drain()
    assert await read_all(fetch) == ({article(str(number)).id for number in range(5)}, 5)


FULL = {"26 disk full": "disk_full", "26 too many connections": "too_many_connections"}
"""PostgreSQL's own names of 53100 and 53300."""


@pytest.mark.parametrize("case", FULL)
async def test_case_26_a_full_postgresql_loses_nothing(service, fetch, execute, case):
    """Each insert fails with the server's error until there is room again."""
    await execute(
        "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS"
        f" 'BEGIN RAISE {FULL[case]}; END'",
        "CREATE TRIGGER full_disk BEFORE INSERT ON articles FOR EACH ROW EXECUTE FUNCTION fail()",
    )
    await service.persist(range(2))
    assert service.counts["spooled_rows articles redis"] == 2 * ARTICLES
    assert (await read_all(fetch))[1] == 0
    await execute("DROP TRIGGER full_disk ON articles")
    await service.drain()
    assert (await read_all(fetch))[1] == 2 * ARTICLES
    assert service.counts["dead_letters"] == service.counts["lost_articles"] == 0


@pytest.mark.parametrize("case", ["25 read-only", "27 locked"])
async def test_cases_25_and_27_what_postgresql_refuses_for_a_while_is_spooled(
    service, fetch, execute, holding, case
):
    """A failover has left a read-only server, or a migration holds a lock."""
    if case == "27 locked":
        async with holding("LOCK TABLE articles IN ACCESS EXCLUSIVE MODE"):
            await service.persist(range(2))
    else:
        ((name,),) = await fetch("SELECT current_database()")
        await execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        await service.persist(range(2))
        assert (await read_all(fetch))[1] == 0
        again = f"ALTER DATABASE {name} RESET default_transaction_read_only"
        await execute(f"BEGIN READ WRITE; {again}; COMMIT")
    assert service.counts["spooled_rows articles redis"] == 2 * ARTICLES
    # A statement that was given up may get the lock before PostgreSQL reads the cancel: then its
    # articles are saved and spooled, which is harmless.
    await service.drain()
    assert (await read_all(fetch))[1] == 2 * ARTICLES


async def test_a_batch_above_the_time_limit_is_halved_until_it_is_saved(
    service, fetch, execute, monkeypatch
):
    """PostgreSQL needs 20 ms for each row, and ends a statement after 0.3 s."""
    monkeypatch.setitem(SERVER_SETTINGS, "statement_timeout", "300")
    await execute(
        "CREATE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN PERFORM pg_sleep(0.02); RETURN NEW; END'",
        "CREATE TRIGGER slow BEFORE INSERT ON articles FOR EACH ROW EXECUTE FUNCTION linger()",
    )
    service.spool.urgent_from = 0
    await service.persist([1])
    assert service.counts["spooled_rows articles redis"] == ARTICLES
    await service.drain()
    assert (await read_all(fetch))[1] == ARTICLES
    assert service.counts["dead_letters"] == 0


async def test_entries_saved_twice_are_one_row(service, fetch):
    """Two processes save the same entries, as after a slow save."""
    await service.persist(range(2))
    first = await read_all(fetch)
    again = Service(service.archive, service.history, service.places)
    again.spool.urgent_from = 0
    await again.persist(range(2))
    assert again.counts["spooled_rows articles redis"] == 2 * ARTICLES
    await again.drain()
    assert await read_all(fetch) == first


async def test_searches_come_back_once_and_not_those_that_were_cleared(service, fetch, execute):
    """Their owner cleared the history, or deleted the account, before they were drained."""
    await execute(
        "INSERT INTO users (public_id, username, created_at, last_login_at, history_cleared_at)"
        " VALUES ('u_1', 'kept', now(), now(), NULL),"
        " ('u_2', 'cleared', now(), now(), '2026-03-14 12:00:00+00')"
    )
    owners = dict(await fetch("SELECT username, id FROM users"))
    searches = [
        search_record(query="kept", user_id=owners["kept"]),
        search_record(query="cleared", user_id=owners["cleared"]),
        search_record(query="deleted", user_id=max(owners.values()) + 1),
        search_record(query="anonymous"),
    ]
    for _ in range(2):
        await service.spool.put_searches(searches)
    await service.drain()
    found = await fetch("SELECT query, user_id FROM search_history ORDER BY query")
    assert found == [("anonymous", None), ("kept", owners["kept"])]


async def test_with_the_deployed_rights(bridge, servers, configured):
    """The cache user of Terraform may use the stream."""
    access = (ROOT / "ops" / "terraform" / "cache.tf").read_text(encoding="utf-8")
    words = access.partition('cache_access = "')[2].partition('"')[0].split()
    async with configured(
        [("ACL", "SETUSER", "spooling", "reset", ">secret", *words)],
        [("ACL", "DELUSER", "spooling")],
    ):
        url = servers.redis_url.replace("unix://", "unix://spooling@", 1)
        async with open_redis(bridge, Secret(url), Secret("secret")) as limited:
            place = RedisSpool(limited, MAX_BYTES)
            await place.add(b"one")
            await (await place.take()).give_back()
            await (await place.take()).remove()
            assert place.size_bytes == 0
