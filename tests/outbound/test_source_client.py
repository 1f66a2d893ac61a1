"""A source over a network that misbehaves: every fault becomes a refusal in time, and nothing leaks.

On the real clock, with real sockets: a mock clock would jump before loopback data arrives. Numbers refer to the service's list of faults.
"""

import json
import logging
import random
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trio
import trio.testing
from attrs import define, evolve, field

from newsintel.config.settings import SourceSettings
from newsintel.config.values import Secret, SourceOptions
from newsintel.domain.bounds.slices import Sliced
from newsintel.domain.search.article import Article
from newsintel.domain.search.outcome import Page, Refusal, Status
from newsintel.domain.search.ports import Upstream
from newsintel.domain.search.query_model import Clause, Query, Sort, Term
from newsintel.outbound import transport as outbound
from newsintel.outbound.source_client import Token, open_upstream
from newsintel.outbound.sources.source import Request, Response, Source
from tests import faults
from tests.faults import Script, reply, sequence, serving
from tests.waiting import PATIENCE_S

NOW = datetime(2026, 1, 2, tzinfo=UTC)
KEY = "planted-secret-key"
QUERY = Query("blue whale", (Clause((Term("blue"), Term("whale"))),), ("plain",), None, None, None, Sort.RELEVANCE, "0" * 32)


def read(response: Response, query: Query, now: datetime) -> Sliced[Page | Refusal]:
    """A source's reading in small: JSON with `rows`, else a refusal."""
    yield
    assert now == NOW
    if response.status == 401:
        return Refusal(Status.UNAUTHORIZED, "no", 401)
    if response.status >= 500:
        return Refusal(Status.UNREACHABLE, f"HTTP {response.status}", response.status)
    if response.headers["content-type"] != "application/json":
        return Refusal(Status.BAD_PAYLOAD, f"not JSON but {response.headers['content-type']}", response.status)
    try:
        rows: tuple[Article, ...] = tuple(json.loads(response.body).get("rows", ()))
    except ValueError:
        return Refusal(Status.BAD_PAYLOAD, "not JSON", response.status)
    return Page(rows, returned=len(rows), http_status=response.status)


def request(query: Query, settings: SourceSettings, credential: str, _now: datetime) -> Request:
    """The key in the address, as the Guardian has it, which is the worst case for leaks."""
    return Request("/search", (("q", query.text), ("api-key", credential)), (("X-Test", "1"),))


def source(*, uses_token: bool = False) -> Source:
    """A source in small."""
    return Source(SourceOptions("plain", "https://example.org", 0, None, {}), request, read, lambda _: ("language",), uses_token)


@asynccontextmanager
async def upstream_at(url: str, token: Token | None = None, **values: object) -> AsyncIterator[Upstream]:
    """The source in small, at an address."""
    settings = SourceSettings("plain", url, 1.0, 0, None, enabled=True, values={"key": Secret(KEY), **values})
    async with open_upstream(source(uses_token=token is not None), settings, token=token, now=lambda: NOW) as upstream:
        yield upstream


def pool_of(upstream: Upstream) -> list[object]:
    """What is in the upstream's connection pool that is not idle: connections, and requests."""
    pool = upstream._client._transport._pool.transport._pool  # type: ignore[attr-defined]
    return [*(connection for connection in pool.connections if not connection.is_idle()), *pool._requests]


async def outcome(script: Script, deadline_s: float = PATIENCE_S) -> Page | Refusal | None:
    """One fetch from a scripted upstream: None if the deadline cut it. Afterwards the pool must be idle."""
    async with serving(script) as served, upstream_at(served.url) as upstream:
        result = None
        with trio.move_on_after(deadline_s):
            result = await upstream.fetch(QUERY)
        assert pool_of(upstream) == []
        return result


async def test_a_good_answer_becomes_a_page() -> None:
    """The request is what the source file says, under the base's own path, with our name and nothing packed."""
    async with serving(reply(b'{"rows": [1, 2]}')) as served, upstream_at(served.url + "/newsapi") as upstream:
        assert await upstream.fetch(QUERY) == Page((1, 2), returned=2, http_status=200)
        assert upstream.ignored(QUERY) == ("language",)
        await upstream.keep_ready()
    first, *lines = served.heads[0].split("\r\n")
    assert first == f"GET /newsapi/search?q=blue+whale&api-key={KEY} HTTP/1.1"
    assert {"User-Agent: newsintel/0.1.0", "Accept-Encoding: identity", "X-Test: 1"} <= set(lines)


async def test_a_source_with_a_user_agent_of_its_own_sends_it() -> None:
    """Reddit throttles the names of libraries."""
    async with serving(reply()) as served, upstream_at(served.url, user_agent="web:org.example:v1 (by /u/x)") as upstream:
        await upstream.fetch(QUERY)
    assert "User-Agent: web:org.example:v1 (by /u/x)\r\n" in served.heads[0]


async def test_connections_are_kept_and_cookies_are_not() -> None:
    """Two fetches share a connection; a cookie would tie a person's searches to another's."""
    connections = 0

    async def counting(stream: trio.abc.Stream) -> None:
        nonlocal connections
        connections += 1
        while True:
            await reply(b"{}", "200 OK", "Set-Cookie: loid=1; Path=/")(stream)
            served.heads.append(await faults._head(stream))

    async with serving(counting) as served, upstream_at(served.url) as upstream:
        for _ in range(2):
            assert isinstance(await upstream.fetch(QUERY), Page)
    assert connections == 1
    assert not any("Cookie" in sent for sent in served.heads)


@pytest.mark.parametrize("script", [faults.stall, faults.trickle(b" " * 100)], ids=["stall", "trickle"])
async def test_the_callers_deadline_is_the_bound(script: Script) -> None:
    """Faults 1 and 3: silence and a trickle are both cut on time, which no timeout per read could do."""
    assert await outcome(script, 0.3) is None


async def test_html_is_left_to_the_source() -> None:
    """Fault 4: the source sees the content type, and its refusal is handed on."""

    async def page(stream: trio.abc.Stream) -> None:
        await stream.send_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>")

    assert await outcome(page) == Refusal(Status.BAD_PAYLOAD, "not JSON but text/html", 200)


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        (reply(b"{}", "503 Service Unavailable"), Refusal(Status.UNREACHABLE, "HTTP 503", 503)),
        (faults.reset, Refusal(Status.UNREACHABLE, "connection lost: reset")),
        (faults.reset_in_body, Refusal(Status.UNREACHABLE, "connection lost: reset")),
        (faults.eof, Refusal(Status.UNREACHABLE, "connection closed before an answer")),
        (faults.eof_in_head, Refusal(Status.UNREACHABLE, "connection closed before an answer")),
        (faults.not_http, Refusal(Status.BAD_PAYLOAD, "reply is not HTTP, or breaks off")),
    ],
    ids=["503", "reset", "reset in body", "EOF", "EOF in head", "not HTTP"],
)
async def test_a_connection_that_fails_is_unreachable(script: Script, expected: Refusal) -> None:
    """Fault 7: asked once, told apart from a reply that is nonsense."""
    assert await outcome(script) == expected


@pytest.mark.parametrize(
    ("script", "detail"),
    [
        (reply(b'{"rows": [', "200 OK"), "not JSON"),
        (reply(b"{}", "200 OK", length=100), "reply is not HTTP, or breaks off"),
        (reply(b"{}", "200 OK", "Content-Encoding: gzip"), "body is not in the content coding it claims"),
        (faults.chunked(b"{}", b"{}"), "body is not in the content coding it claims"),
        (reply(b"{}", "200 OK", "Content-Encoding: br"), "content coding is stacked or unknown"),
        (reply(b"{}", "200 OK", "Content-Length: x"), "reply is not HTTP, or breaks off"),
    ],
    ids=["truncated JSON", "length too long", "bad gzip", "bad gzip in chunks", "brotli", "lengths differ"],
)
async def test_half_a_body_never_passes_for_a_whole_one(script: Script, detail: str) -> None:
    """Fault 8."""
    result = await outcome(script)
    assert isinstance(result, Refusal)
    assert (result.status, result.detail) == (Status.BAD_PAYLOAD, detail)


async def test_a_packed_body_nobody_asked_for_is_unpacked() -> None:
    """Some servers send gzip whatever they are asked."""
    packed = faults._gzip([b'{"rows": [1]}'])
    assert await outcome(reply(packed, "200 OK", "Content-Encoding: gzip")) == Page((1,), returned=1, http_status=200)


async def test_an_endless_body_is_given_up_at_the_cap() -> None:
    """The rest is not read to be thrown away: the connection is closed."""
    refused = Refusal(Status.BAD_PAYLOAD, "body larger than 2097152 bytes")
    assert await outcome(faults.flood(1_000_000, announced=False)) == refused


PROBE = """
import sys, trio
from tests.outbound.test_source_client import QUERY, upstream_at

def peak_mb():
    # Not getrusage: its ru_maxrss starts at what the parent had.
    return int(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))) / 1024

async def main():
    async with upstream_at(sys.argv[1]) as upstream:
        await upstream.fetch(QUERY)
        before = peak_mb()
        refusal = await upstream.fetch(QUERY)
        print(refusal.status, peak_mb() - before)

trio.run(main)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is measured where /proc tells its peak")
@pytest.mark.parametrize(
    "script",
    [faults.flood(100, announced=True), faults.flood(100, announced=False), faults.bomb(200), faults.bomb(200, twice=True)],
    ids=["announced", "unannounced", "bomb", "double bomb"],
)
async def test_a_huge_body_costs_little_memory(script: Script) -> None:
    """Faults 9 and 10: 100 MB, and 200 KB that hold 200 MB, are given up while memory grows by less than 16 MB."""
    async with serving(sequence(reply(), script)) as served:
        done = await trio.run_process([sys.executable, "-c", PROBE, served.url], capture_stdout=True)
    status, growth_mb = done.stdout.split()
    assert status == b"bad_payload"
    assert float(growth_mb) < 16


async def test_an_unknown_certificate_is_refused(tmp_path: Path) -> None:
    """Fault 12: named as such, and never tried again without TLS."""
    async with serving(reply(), tls=faults.self_signed(tmp_path)) as served, upstream_at(served.url) as upstream:
        assert await upstream.fetch(QUERY) == Refusal(Status.UNREACHABLE, "cannot connect: TLS, self-signed certificate")
        assert pool_of(upstream) == []
    assert served.heads == []


@pytest.mark.parametrize(
    ("url", "detail"),
    [
        ("http://127.0.0.1:1", "cannot connect: refused"),
        ("http://name.invalid", "cannot connect: DNS"),
        ("http://127.0.0.1:x", "address cannot be used"),
        ("ftp://127.0.0.1", "address cannot be used"),
    ],
)
async def test_an_address_that_leads_nowhere_is_unreachable(url: str, detail: str) -> None:
    """Fault 12: the reason's class, and no more, is told."""
    async with upstream_at(url) as upstream:
        assert await upstream.fetch(QUERY) == Refusal(Status.UNREACHABLE, detail)


async def test_redirects_are_not_followed() -> None:
    """Fault 13: neither to the metadata address nor anywhere."""
    async with serving(reply(b"", "302 Found", "Location: http://169.254.170.2/")) as served, upstream_at(served.url) as upstream:
        assert await upstream.fetch(QUERY) == Refusal(Status.BAD_PAYLOAD, "redirect, not followed", http_status=302)
    assert len(served.heads) == 1


@pytest.mark.parametrize("credential", ["news\nintel", "schlüssel"])
async def test_a_key_that_no_header_can_carry_is_an_operators_error(credential: str) -> None:
    """A key pasted with a line break or a foreign letter is refused without being shown."""
    settings = SourceSettings("plain", "http://127.0.0.1:1", 1.0, 0, None, enabled=True, values={"key": Secret(credential)})
    in_header = evolve(source(), request=lambda _query, _settings, key, _now: Request("/", (), (("X-Api-Key", key),)))
    async with (
        serving(reply()) as served,
        open_upstream(in_header, evolve(settings, url=served.url), token=None, now=lambda: NOW) as upstream,
    ):
        result = await upstream.fetch(QUERY)
    assert result == Refusal(Status.UNAUTHORIZED, "a credential cannot be sent as it is written")


async def test_no_fault_shows_the_key(caplog: pytest.LogCaptureFixture) -> None:
    """Neither refusals nor the logs at INFO hold the key, which here is part of the address."""
    caplog.set_level(logging.INFO)
    results = [await outcome(script) for script in (reply(), faults.eof, faults.reset, faults.not_http, reply(b"", "302 Found"))]
    assert KEY not in repr(results)
    assert KEY not in caplog.text


@define
class Tokens:
    """A token keeper in memory: hands out 1, 2, 3..."""

    renewals: list[str] = field(factory=list)
    refusal: Refusal | None = None
    kept: bool = False

    async def token(self) -> str | Refusal:
        """The current one."""
        await trio.lowlevel.checkpoint()
        return self.refusal or str(len(self.renewals) + 1)

    async def renew(self, old: str) -> str | Refusal:
        """The next one."""
        self.renewals.append(old)
        return await self.token()

    async def keep_ready(self) -> None:
        """The upkeep."""
        self.kept = True


async def test_a_refused_token_is_renewed_once() -> None:
    """Reddit may revoke a token early: one renewal and one more call, then its word is final."""
    refused = reply(b"{}", "401 Unauthorized")
    for second, expected in ((reply(), Page((), 0, http_status=200)), (refused, Refusal(Status.UNAUTHORIZED, "no", 401))):
        tokens = Tokens()
        async with serving(sequence(refused, second)) as served, upstream_at(served.url, tokens) as upstream:
            assert await upstream.fetch(QUERY) == expected
            await upstream.keep_ready()
        assert ["api-key=1 " in served.heads[0], "api-key=2 " in served.heads[1], len(served.heads)] == [True, True, 2]
        assert (tokens.renewals, tokens.kept) == (["1"], True)


async def test_without_a_token_nothing_is_asked() -> None:
    """The keeper's refusal is the answer, before a call and after a renewal."""
    refusal = Refusal(Status.UNAUTHORIZED, "bad secret", 401)
    async with serving(reply()) as served, upstream_at(served.url, Tokens(refusal=refusal)) as upstream:
        assert await upstream.fetch(QUERY) is refusal
    assert served.heads == []


async def test_other_refusals_cost_no_token() -> None:
    """Only a refused credential is worth a new one."""
    tokens = Tokens()
    async with serving(reply(b"{}", "503 Unavailable")) as served, upstream_at(served.url, tokens) as upstream:
        await upstream.fetch(QUERY)
    assert tokens.renewals == []


async def test_a_pool_that_ran_dry_is_replaced_without_ending_a_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request that finds no slot goes on in a new pool, which further ones share; those in the old pool end as they would have."""
    monkeypatch.setattr(outbound, "LIMITS", outbound.httpx.Limits(max_connections=1))
    monkeypatch.setattr(outbound, "POOL_S", 0.1)
    release = trio.Event()

    async def held(stream: trio.abc.Stream) -> None:
        await release.wait()
        await reply()(stream)

    results: dict[str, Page | Refusal] = {}

    async def fetch(name: str) -> None:
        results[name] = await upstream.fetch(QUERY)

    async with serving(sequence(held, reply())) as served, upstream_at(served.url) as upstream, trio.open_nursery() as nursery:
        nursery.start_soon(fetch, "held")
        while not served.heads:  # noqa: ASYNC110 - the server tells of it by nothing else
            await trio.sleep(0.01)
        first = upstream._client._transport._pool  # type: ignore[attr-defined]
        async with trio.open_nursery() as crowd:
            crowd.start_soon(fetch, "waited")
            crowd.start_soon(fetch, "waited too")
        second = upstream._client._transport._pool  # type: ignore[attr-defined]
        await fetch("later")
        assert upstream._client._transport._pool is second is not first  # type: ignore[attr-defined]
        release.set()
    assert all(isinstance(results[name], Page) for name in ("waited", "waited too", "later", "held")), results
    assert first.transport._pool.connections == []


async def test_a_crowd_waits_its_turn_and_opens_no_further_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    """As when many sign in at once and their provider does not answer: each would have had a connection of its own, in pool after pool."""
    monkeypatch.setattr(outbound, "POOL_S", 0.01)
    release = trio.Event()

    async def held(stream: trio.abc.Stream) -> None:
        await release.wait()
        await reply()(stream)

    results: list[Page | Refusal] = []

    async def fetch() -> None:
        results.append(await upstream.fetch(QUERY))

    async with serving(held) as served, upstream_at(served.url) as upstream, trio.open_nursery() as nursery:
        for _ in range(100):
            nursery.start_soon(fetch)
        await trio.testing.wait_all_tasks_blocked(0.2)
        assert len(served.heads) == outbound.MOST_AT_ONCE < (outbound.LIMITS.max_connections or 0)
        release.set()
    assert [isinstance(result, Page) for result in results] == [True] * 100


async def test_a_new_pool_that_is_full_at_once_is_a_want_of_room_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then nothing was sent, and the source is not to blame."""
    monkeypatch.setattr(outbound, "LIMITS", outbound.httpx.Limits(max_connections=0))
    monkeypatch.setattr(outbound, "POOL_S", 0.01)
    assert await outcome(reply()) == Refusal(Status.OVERLOADED, "no connection was free")


@pytest.mark.parametrize("wanted", [1_000, pytest.param(10_000, marks=pytest.mark.slow)])
async def test_thousands_of_cancels_lose_no_slot(wanted: int) -> None:
    """Fault 15: with fewer fetches in the air than slots, cancelling at random moments leaves the pool whole."""
    seed = time.time_ns()
    chance = random.Random(seed)
    cancelled = 0

    async def slow(stream: trio.abc.Stream) -> None:
        await trio.sleep(chance.random() * 0.004)
        await reply()(stream)

    async def worker() -> None:
        nonlocal cancelled
        while cancelled < wanted:
            with trio.move_on_after(chance.random() * 0.004) as scope:
                assert isinstance(await upstream.fetch(QUERY), Page), seed
            cancelled += scope.cancelled_caught

    async with serving(slow) as served, upstream_at(served.url) as upstream:
        first = upstream._client._transport._pool  # type: ignore[attr-defined]
        async with trio.open_nursery() as nursery:
            for _ in range(10):
                nursery.start_soon(worker)
        assert isinstance(await upstream.fetch(QUERY), Page), seed
        assert pool_of(upstream) == [], seed
        assert upstream._client._transport._pool is first, seed  # type: ignore[attr-defined]
