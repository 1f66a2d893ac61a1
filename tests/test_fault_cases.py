"""Numbered faults of the whole service that no test of a single part covers.

docs/resilience.md lists all of them, with the test of each.
"""

import json
import re
import ssl
import subprocess
import sys
from contextlib import asynccontextmanager
from datetime import timedelta

import httpx
import pytest
import trio

from newsintel import app
from newsintel.domain.search.harvest import Via
from newsintel.domain.search.outcome import Refusal, SourcePage, Status
from newsintel.domain.search.query import build_query
from newsintel.outbound.sources import REGISTRY
from newsintel.runtime.heartbeats import SILENT_S
from newsintel.wiring.sources import open_source
from tests import faults
from tests.authority import Authority, server_context
from tests.fakes.basics import NOON, Clock
from tests.outbound.test_source_client import QUERY, pool_of, upstream_at
from tests.service import ROOT, environ, free_port
from tests.test_app import ASKER, SEARCHED, asked, settings, world  # noqa: F401 - a fixture
from tests.virtual_network import virtual_network
from tests.waiting import PATIENCE_S

ROUNDS, AT_ONCE = 50, 20
PLAIN_HTTP = {
    "NEWSINTEL_SOURCES": "newsapi,guardian",
    "NEWSINTEL_NEWSAPI_URL": "http://127.0.0.1",
    "NEWSINTEL_GUARDIAN_URL": "http://127.0.0.1",
    "NEWSINTEL_NEWSAPI_QUOTA": "off",
    "NEWSINTEL_GUARDIAN_QUOTA": "off",
    "NEWSINTEL_MISS_LIMIT": "off",
}


@pytest.mark.slow
async def test_case_02_sources_that_hang_cost_the_deadline_and_no_slot(
    world,  # noqa: F811
    autojump_clock,
    monkeypatch,
):
    """1,000 searches of sources that accept and never answer, with the real client and pool.

    Each answer comes at the deadline at the latest. Afterwards both sources answer at once.
    """
    hanging, opened = True, []

    async def serve(stream):
        while await faults._head(stream):
            if hanging:
                await trio.sleep_forever()
            await faults.reply()(stream)

    @asynccontextmanager
    async def collect(*args):
        async with open_source(*args) as upstream:
            opened.append(upstream)
            yield upstream

    monkeypatch.setattr(app, "open_source", collect)
    monkeypatch.setattr(app, "utc_now", Clock())
    late, seen = [], set()

    async def search(services, text):
        began = trio.current_time()
        reply = await services.search.desk.search(asked_of_two(text), ASKER)
        late.append(trio.current_time() - began)
        seen.update(one.status for one in reply.answer.harvest.outcomes)

    async with (
        virtual_network(monkeypatch, serve),
        app.open_pipeline(settings(**PLAIN_HTTP)) as services,
    ):
        for number in range(ROUNDS):
            async with trio.open_nursery() as callers:
                for caller in range(AT_ONCE):
                    callers.start_soon(search, services, f"{number} {caller}")
            await wait_for_sources(services)
        assert len(late) == ROUNDS * AT_ONCE
        assert max(late) <= services.settings.search_deadline_s
        assert Status.TIMEOUT in seen
        hanging = False
        late.clear()
        seen.clear()
        await search(services, "afterwards")
        assert seen == {Status.BAD_PAYLOAD}  # the answer {} came, and it is no list of articles
        assert late == [0]
        assert [pool_of(upstream) for upstream in opened] == [[], []]


async def wait_for_sources(services):
    """Wait until every source may be asked again, by the virtual clock."""
    states = services.limits.source_states()
    again = [one.retry_at for one in states.values() if one.blocked]
    if again:
        await trio.sleep((max(again) - services.now()).total_seconds() + 1)


def asked_of_two(text):
    """A query to both sources."""
    return build_query(text, sources=("newsapi", "guardian"))


CERTIFICATES = ["valid", "expired", "of another host", "of another authority"]


@pytest.mark.parametrize("certificate", CERTIFICATES)
async def test_case_12_a_certificate_that_cannot_be_trusted_is_unreachable(
    tmp_path, monkeypatch, certificate
):
    """The refusal says why, no request was sent, and none follows without TLS."""
    authority = Authority(tmp_path)
    signer = Authority(tmp_path, "other") if certificate == "of another authority" else authority
    pair = signer.issue(
        "localhost" if certificate == "of another host" else "127.0.0.1",
        expired=certificate == "expired",
    )
    monkeypatch.setattr(
        httpx,
        "create_ssl_context",
        lambda **_: ssl.create_default_context(cafile=authority.path),
    )
    async with (
        faults.serving(faults.reply(), tls=server_context(pair)) as served,
        upstream_at(served.url) as upstream,
    ):
        reply = await upstream.fetch(QUERY)
        assert pool_of(upstream) == []
    if certificate == "valid":
        assert isinstance(reply, SourcePage)
        return
    assert isinstance(reply, Refusal)
    assert reply.status is Status.UNREACHABLE
    assert reply.detail.startswith("cannot connect: TLS, ")
    assert served.heads == []


class DeadNames(trio.abc.HostnameResolver):
    """A resolver that never answers."""

    async def getaddrinfo(self, *_args, **_kwargs):
        """Hang."""
        await trio.sleep_forever()

    async def getnameinfo(self, *_args):
        """Hang."""
        await trio.sleep_forever()


async def test_case_12_a_resolver_that_hangs_costs_the_deadline(autojump_clock):
    """The caller's deadline ends the look-up, and nothing stays in the pool."""
    trio.socket.set_custom_hostname_resolver(DeadNames())
    async with upstream_at("https://news.example.org") as upstream:
        for _ in range(50):
            with trio.move_on_after(1.0) as scope:
                await upstream.fetch(QUERY)
            assert scope.cancelled_caught
        assert pool_of(upstream) == []


@pytest.mark.parametrize("away", [False, True], ids=["with Redis", "without Redis"])
async def test_case_35_a_thousand_equal_misses_are_one_fan_out(
    world,  # noqa: F811
    autojump_clock,
    away,
):
    """All get the same answer, and half of the callers leave first, among them the very first."""
    world.cache.away = away
    replies = []

    async def search(services, patience_s):
        with trio.move_on_after(patience_s):
            replies.append(await services.search.desk.search(asked(), ASKER))

    for upstream in world.upstreams.values():
        upstream.script = [0.5]
    async with app.open_pipeline(settings()) as services, trio.open_nursery() as callers:
        for number in range(1_000):
            callers.start_soon(search, services, 0.1 if number % 2 == 0 else 60)
    assert len(replies) == 500
    assert len({id(reply.answer) for reply in replies}) == 1
    assert replies[0].answer.harvest.complete
    assert {name: len(one.asked_at) for name, one in world.upstreams.items()} == dict.fromkeys(
        REGISTRY, 1
    )


@pytest.mark.parametrize("jump_s", [-3600, 3600], ids=["back", "forward"])
async def test_case_37_a_wall_clock_that_jumps_serves_nothing_old_as_fresh(
    world,  # noqa: F811
    autojump_clock,
    monkeypatch,
    jump_s,
):
    """Memory and Redis hold an answer whose age is unknown: it is fetched again, once.

    Deadlines do not follow the wall clock.
    """
    ahead = timedelta()
    start_s = trio.current_time()
    monkeypatch.setattr(
        app, "utc_now", lambda: NOON + ahead + timedelta(seconds=trio.current_time() - start_s)
    )
    async with app.open_pipeline(settings()) as services:
        found = [(await services.search.desk.search(asked(), ASKER)).via for _ in range(2)]
        ahead = timedelta(seconds=jump_s)
        began = trio.current_time()
        found += [(await services.search.desk.search(asked(), ASKER)).via for _ in range(2)]
        assert trio.current_time() - began < services.settings.search_deadline_s
        world.upstreams["reddit"].script = [5]
        began = trio.current_time()
        slow = await services.search.desk.search(asked("another"), ASKER)
        assert trio.current_time() - began <= services.settings.search_deadline_s
    assert found == [Via.MISS, Via.HIT, Via.MISS, Via.HIT]
    assert [len(one.asked_at) for one in world.upstreams.values()] == [3] * len(REGISTRY)
    assert not slow.answer.harvest.complete


CRASH = """
import sys
from newsintel.actors import janitor
from newsintel.commands.main import main
async def planted(*_, **__):
    import trio
    await trio.sleep(3)
    raise TypeError("a planted bug")
janitor.run = planted
sys.exit(main(["serve"]))
"""


@pytest.mark.slow
def test_case_32_a_crashed_actor_ends_the_process_with_its_cause(tmp_path):
    """The exit code is not 0, the log has the traceback, and no server of ours stays."""
    address = f"127.0.0.1:{free_port()}"
    known = environ(tmp_path, BIND=address, LOG_FORMAT="json", FEEDS="off")
    done = subprocess.run(
        [sys.executable, "-c", CRASH],
        env=known,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode not in (0, None)
    lines = [json.loads(line) for line in done.stderr.splitlines() if line[:1] == "{"]
    (crashed,) = [line for line in lines if line["event"] == "crashed"]
    assert "a planted bug" in crashed["exception"]
    assert "stopped" not in {line["event"] for line in lines}


async def hang(*_args, **_kwargs):
    """Answer nothing, and have no time limit."""
    await trio.sleep_forever()


HANGS = {
    "persister": [("archive", "save_articles"), ("spool", "add")],
    "cache_writer": [("cache", "store")],
    "recorder": [("repeats", "remember_new")],
    "merger": [("cache", "claim")],
    "drainer": [("spool", "take")],
    "janitor": [("history", "prune_searches")],
    "latency_writer": [("latencies", "add")],
    "trend_writer": [("trending", "rebuild_list")],
    "indexer": [("text_index", "index_batch")],
    "grouper": [("stories", "place_batch")],
    "term_counter": [("terms", "apply_changes")],
    "poller": [("feeds", "lease_feed")],
    "save_counter": [("save_counts", "count_saves")],
    "gdelt_reader": [("bulk_files", "take")],
    "deliverer": [("deliveries", "claim")],
    "matcher": [("matching", "match_batch")],
}


@pytest.mark.slow
@pytest.mark.parametrize("actor", HANGS)
async def test_case_32_an_actor_that_hangs_is_found(
    world,  # noqa: F811
    autojump_clock,
    actor,
):
    """No other actor is blamed, and none before its time."""
    for store, call in HANGS[actor]:
        assert hasattr(getattr(world, store), call)
        setattr(getattr(world, store), call, hang)
    with trio.CancelScope() as everything:
        async with (
            app.open_pipeline(settings(), polls=True) as services,
            trio.open_nursery() as callers,
        ):
            find_silent = services.operations.health.list_silent_actors
            callers.start_soon(services.search.desk.search, asked(), ASKER)
            services.personal.recording.offer(ASKER, SEARCHED, app.utc_now())
            await trio.sleep(SILENT_S / 2)
            assert find_silent() == []
            await trio.sleep(3 * SILENT_S)
            assert find_silent() == [actor]
            everything.cancel()


async def test_case_32_no_actor_of_a_running_service_is_silent(
    world,  # noqa: F811
    autojump_clock,
):
    """Each actor is watched, for half an hour with little traffic.

    A fetcher cannot hang: its deadline ends each of its jobs.
    """
    async with app.open_pipeline(settings(), polls=True) as services:
        for number in range(3):
            await services.search.desk.search(asked(str(number)), ASKER)
            await trio.sleep(600)
            assert services.operations.health.list_silent_actors() == []
        text = (await services.operations.exposition()).decode()
    watched = re.findall(r'^newsintel_actor_silence_seconds{actor="(.+)"} 0.0$', text, re.MULTILINE)
    assert set(watched) == {*HANGS, *(f"fetcher({name})" for name in REGISTRY)}
