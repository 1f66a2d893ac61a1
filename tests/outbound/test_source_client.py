"""A source behind a faulty network: every fault becomes a refusal in time, and nothing leaks.

The tests use the real clock and real sockets: a mock clock would jump before loopback data arrives.
Numbers refer to the service's list of faults.
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
from newsintel.domain.search.outcome import Refusal, SourcePage, Status
from newsintel.domain.search.ports import Upstream
from newsintel.domain.search.query_model import Clause, Query, Sort, Term
from newsintel.outbound import transport as outbound
from newsintel.outbound.source_client import TokenSource, open_upstream
from newsintel.outbound.sources.source import Recheck, Request, Response, Source
from tests import faults
from tests.faults import Script, reply, sequence, serving
from tests.waiting import PATIENCE_S

NOW = datetime(2026, 1, 2, tzinfo=UTC)
KEY = "planted-secret-key"
QUERY = Query(
    "blue whale",
    (Clause((Term("blue"), Term("whale"))),),
    ("plain",),
    None,
    None,
    None,
    Sort.RELEVANCE,
    "0" * 32,
)


def read(response: Response, query: Query, now: datetime) -> Sliced[SourcePage | Refusal]:
    """Read a reply like a small source: JSON with `rows`, else a refusal."""
    yield
    assert now == NOW
    if response.status == 401:
        return Refusal(Status.UNAUTHORIZED, "no", 401)
    if response.status >= 500:
        return Refusal(Status.UNREACHABLE, f"HTTP {response.status}", response.status)
    if response.headers["content-type"] != "application/json":
        return Refusal(
            Status.BAD_PAYLOAD, f"not JSON but {response.headers['content-type']}", response.status
        )
    try:
        rows: tuple[Article, ...] = tuple(json.loads(response.body).get("rows", ()))
    except ValueError:
        return Refusal(Status.BAD_PAYLOAD, "not JSON", response.status)
    return SourcePage(rows, returned=len(rows), http_status=response.status)


def request(query: Query, settings: SourceSettings, credential: str, _now: datetime) -> Request:
    """Put the key into the URL, like the Guardian, which is the worst case for leaks."""
    return Request("/search", (("q", query.text), ("api-key", credential)), (("X-Test", "1"),))


def source(*, uses_token: bool = False) -> Source:
    """A small source."""
    return Source(
        SourceOptions("plain", "https://example.org", 0, None, {}),
        request,
        read,
        lambda _: ("language",),
        uses_token,
    )


@asynccontextmanager
async def upstream_at(
    url: str, token: TokenSource | None = None, **values: object
) -> AsyncIterator[Upstream]:
    """The small source at a URL."""
    settings = SourceSettings(
        "plain", url, 1.0, 0, None, enabled=True, values={"key": Secret(KEY), **values}
    )
    async with open_upstream(
        source(uses_token=token is not None), settings, token=token, now=lambda: NOW
    ) as upstream:
        yield upstream


def pool_of(upstream: Upstream) -> list[object]:
    """The pool's connections that are not idle, and its requests."""
    pool = upstream._client._transport._pool.transport._pool  # type: ignore[attr-defined]
    return [
        *(connection for connection in pool.connections if not connection.is_idle()),
        *pool._requests,
    ]


async def outcome(script: Script, deadline_s: float = PATIENCE_S) -> SourcePage | Refusal | None:
    """Fetch once from a scripted upstream; returns None if the deadline cut it.

    Afterwards the pool must be idle.
    """
    async with serving(script) as served, upstream_at(served.url) as upstream:
        result = None
        with trio.move_on_after(deadline_s):
            result = await upstream.fetch(QUERY)
        assert pool_of(upstream) == []
        return result


async def test_good_answer_becomes_a_page() -> None:
    """The source makes the request, below the path of the base URL.

    It has our User-Agent and asks for no compression.
    """
    async with (
        serving(reply(b'{"rows": [1, 2]}')) as served,
        upstream_at(served.url + "/newsapi") as upstream,
    ):
        assert await upstream.fetch(QUERY) == SourcePage((1, 2), returned=2, http_status=200)
        assert upstream.list_ignored_parameters(QUERY) == ("language",)
        await upstream.keep_ready()
    first, *lines = served.heads[0].split("\r\n")
    assert first == f"GET /newsapi/search?q=blue+whale&api-key={KEY} HTTP/1.1"
    assert {"User-Agent: newsintel/0.1.0", "Accept-Encoding: identity", "X-Test: 1"} <= set(lines)


async def test_user_agent_of_the_source_is_sent() -> None:
    """Reddit throttles the default names of libraries."""
    async with (
        serving(reply()) as served,
        upstream_at(served.url, user_agent="web:org.example:v1 (by /u/x)") as upstream,
    ):
        await upstream.fetch(QUERY)
    assert "User-Agent: web:org.example:v1 (by /u/x)\r\n" in served.heads[0]


async def test_connections_are_reused_and_cookies_are_not() -> None:
    """Two fetches share a connection. A cookie would link the searches of different people."""
    connections = 0

    async def counting(stream: trio.abc.Stream) -> None:
        nonlocal connections
        connections += 1
        while True:
            await reply(b"{}", "200 OK", "Set-Cookie: loid=1; Path=/")(stream)
            served.heads.append(await faults._head(stream))

    async with serving(counting) as served, upstream_at(served.url) as upstream:
        for _ in range(2):
            assert isinstance(await upstream.fetch(QUERY), SourcePage)
    assert connections == 1
    assert not any("Cookie" in sent for sent in served.heads)


@pytest.mark.parametrize(
    "script", [faults.stall, faults.trickle(b" " * 100)], ids=["stall", "trickle"]
)
async def test_callers_deadline_ends_the_fetch(script: Script) -> None:
    """Faults 1 and 3: the deadline cuts silence and a trickle.

    A timeout per read could not do that.
    """
    assert await outcome(script, 0.3) is None


async def test_source_decides_about_html() -> None:
    """Fault 4: the source sees the content type, and its refusal is returned."""

    async def page(stream: trio.abc.Stream) -> None:
        await stream.send_all(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>"
        )

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
async def test_failed_connection_is_a_refusal(script: Script, expected: Refusal) -> None:
    """Fault 7: there is one attempt. A reply that is not HTTP has another status."""
    assert await outcome(script) == expected


@pytest.mark.parametrize(
    ("script", "detail"),
    [
        (reply(b'{"rows": [', "200 OK"), "not JSON"),
        (reply(b"{}", "200 OK", length=100), "reply is not HTTP, or breaks off"),
        (
            reply(b"{}", "200 OK", "Content-Encoding: gzip"),
            "body is not in the content coding it claims",
        ),
        (faults.chunked(b"{}", b"{}"), "body is not in the content coding it claims"),
        (reply(b"{}", "200 OK", "Content-Encoding: br"), "content coding is stacked or unknown"),
        (reply(b"{}", "200 OK", "Content-Length: x"), "reply is not HTTP, or breaks off"),
    ],
    ids=[
        "truncated JSON",
        "length too long",
        "bad gzip",
        "bad gzip in chunks",
        "brotli",
        "lengths differ",
    ],
)
async def test_incomplete_body_is_bad_payload(script: Script, detail: str) -> None:
    """Fault 8: a cut or wrongly encoded body is never read as a whole one."""
    result = await outcome(script)
    assert isinstance(result, Refusal)
    assert (result.status, result.detail) == (Status.BAD_PAYLOAD, detail)


async def test_unrequested_gzip_is_decompressed() -> None:
    """Some servers ignore Accept-Encoding and send gzip."""
    packed = faults._gzip([b'{"rows": [1]}'])
    assert await outcome(reply(packed, "200 OK", "Content-Encoding: gzip")) == SourcePage(
        (1,), returned=1, http_status=200
    )


async def test_endless_body_is_refused_at_the_limit() -> None:
    """The rest of the body is not read: the connection is closed."""
    refused = Refusal(Status.BAD_PAYLOAD, "body larger than 2097152 bytes")
    assert await outcome(faults.flood(1_000_000, announced=False)) == refused


PROBE = """
import sys, trio
from tests.outbound.test_source_client import QUERY, upstream_at

def peak_mb():
    # Not getrusage: its ru_maxrss starts at what the parent had.
    status = open("/proc/self/status")
    return int(next(line.split()[1] for line in status if line.startswith("VmHWM"))) / 1024

async def main():
    async with upstream_at(sys.argv[1]) as upstream:
        await upstream.fetch(QUERY)
        before = peak_mb()
        refusal = await upstream.fetch(QUERY)
        print(refusal.status, peak_mb() - before)

trio.run(main)
"""


@pytest.mark.slow
@pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="the test reads the peak memory from /proc"
)
@pytest.mark.parametrize(
    "script",
    [
        faults.flood(100, announced=True),
        faults.flood(100, announced=False),
        faults.bomb(200),
        faults.bomb(200, twice=True),
    ],
    ids=["announced", "unannounced", "bomb", "double bomb"],
)
async def test_huge_body_needs_little_memory(script: Script) -> None:
    """Faults 9 and 10: a body of 100 MB, and 200 KB that decompress to 200 MB, are refused.

    Memory grows by less than 16 MB.
    """
    async with serving(sequence(reply(), script)) as served:
        done = await trio.run_process(
            [sys.executable, "-c", PROBE, served.url], capture_stdout=True
        )
    status, growth_mb = done.stdout.split()
    assert status == b"bad_payload"
    assert float(growth_mb) < 16


async def test_unknown_certificate_is_refused(tmp_path: Path) -> None:
    """Fault 12: the refusal names the cause, and no retry without TLS follows."""
    async with (
        serving(reply(), tls=faults.self_signed(tmp_path)) as served,
        upstream_at(served.url) as upstream,
    ):
        assert await upstream.fetch(QUERY) == Refusal(
            Status.UNREACHABLE, "cannot connect: TLS, self-signed certificate"
        )
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
async def test_unusable_url_is_unreachable(url: str, detail: str) -> None:
    """Fault 12: the detail says the class of the reason and nothing more."""
    async with upstream_at(url) as upstream:
        assert await upstream.fetch(QUERY) == Refusal(Status.UNREACHABLE, detail)


async def test_redirects_are_not_followed() -> None:
    """Fault 13: no target is requested, for example a cloud's metadata address."""
    async with (
        serving(reply(b"", "302 Found", "Location: http://169.254.170.2/")) as served,
        upstream_at(served.url) as upstream,
    ):
        assert await upstream.fetch(QUERY) == Refusal(
            Status.BAD_PAYLOAD, "redirect, not followed", http_status=302
        )
    assert len(served.heads) == 1


@pytest.mark.parametrize("credential", ["news\nintel", "schlüssel"])
async def test_key_that_no_header_can_carry_is_unauthorized(credential: str) -> None:
    """A key with a line break or a non-ASCII letter is refused and not shown."""
    settings = SourceSettings(
        "plain",
        "http://127.0.0.1:1",
        1.0,
        0,
        None,
        enabled=True,
        values={"key": Secret(credential)},
    )
    in_header = evolve(
        source(),
        build_request=lambda _query, _settings, key, _now: Request("/", (), (("X-Api-Key", key),)),
    )
    async with (
        serving(reply()) as served,
        open_upstream(
            in_header, evolve(settings, url=served.url), token=None, now=lambda: NOW
        ) as upstream,
    ):
        result = await upstream.fetch(QUERY)
    assert result == Refusal(Status.UNAUTHORIZED, "a credential cannot be sent as it is written")


async def test_no_fault_shows_the_key(caplog: pytest.LogCaptureFixture) -> None:
    """Refusals and the logs at INFO do not contain the key, which is part of the URL here."""
    caplog.set_level(logging.INFO)
    results = [
        await outcome(script)
        for script in (reply(), faults.eof, faults.reset, faults.not_http, reply(b"", "302 Found"))
    ]
    assert KEY not in repr(results)
    assert KEY not in caplog.text


@define
class Tokens:
    """A token keeper in memory: it issues the tokens 1, 2, 3 and so on."""

    renewals: list[str] = field(factory=list)
    refusal: Refusal | None = None
    kept: bool = False

    async def get_token(self) -> str | Refusal:
        """The current token."""
        await trio.lowlevel.checkpoint()
        return self.refusal or str(len(self.renewals) + 1)

    async def renew_token(self, old: str) -> str | Refusal:
        """The next token."""
        self.renewals.append(old)
        return await self.get_token()

    async def keep_ready(self) -> None:
        """The renewal loop."""
        self.kept = True


async def test_refused_token_is_renewed_once() -> None:
    """Reddit may revoke a token early.

    One renewal and one more call follow; that result is final.
    """
    refused = reply(b"{}", "401 Unauthorized")
    for second, expected in (
        (reply(), SourcePage((), 0, http_status=200)),
        (refused, Refusal(Status.UNAUTHORIZED, "no", 401)),
    ):
        tokens = Tokens()
        async with (
            serving(sequence(refused, second)) as served,
            upstream_at(served.url, tokens) as upstream,
        ):
            assert await upstream.fetch(QUERY) == expected
            await upstream.keep_ready()
        assert [
            "api-key=1 " in served.heads[0],
            "api-key=2 " in served.heads[1],
            len(served.heads),
        ] == [True, True, 2]
        assert (tokens.renewals, tokens.kept) == (["1"], True)


async def test_source_without_a_key_is_asked_without_one() -> None:
    """Hacker News and GDELT need none."""
    settings = SourceSettings("plain", "", 1.0, 0, None, enabled=True, values={})
    async with (
        serving(reply()) as served,
        open_upstream(
            source(), evolve(settings, url=served.url), token=None, now=lambda: NOW
        ) as upstream,
    ):
        assert await upstream.fetch(QUERY) == SourcePage((), 0, http_status=200)
    assert "api-key= " in served.heads[0]


async def test_query_that_the_source_cannot_answer_is_not_sent() -> None:
    """The source's own refusal is returned."""
    refusal = Refusal(Status.UNSUPPORTED, "too short", query_fault=True)
    settings = SourceSettings("plain", "", 1.0, 0, None, enabled=True, values={})
    choosy = evolve(source(), build_request=lambda *_: refusal)
    async with (
        serving(reply()) as served,
        open_upstream(
            choosy, evolve(settings, url=served.url), token=None, now=lambda: NOW
        ) as upstream,
    ):
        assert await upstream.fetch(QUERY) is refusal
    assert served.heads == []


async def test_items_are_checked_with_the_token() -> None:
    """A check is a call like any other: a refused token is renewed once."""
    terms = Recheck(
        lambda ids, _, token: Request("/info", (("id", ",".join(ids)), ("t", token))),
        id_pattern=".*",
        most_ids=10,
        every_s=1.0,
    )
    checked = evolve(source(uses_token=True), recheck=terms)
    settings = SourceSettings("plain", "", 1.0, 0, None, enabled=True, values={})
    replies = sequence(reply(b"{}", "401 Unauthorized"), reply(b'{"rows": [7]}'))
    async with (
        serving(replies) as served,
        open_upstream(
            checked, evolve(settings, url=served.url), token=Tokens(), now=lambda: NOW
        ) as upstream,
    ):
        found = await upstream.recheck(["a", "b"])
    assert isinstance(found, SourcePage)
    assert found.returned == 1
    assert [head.split()[1] for head in served.heads] == [
        f"/info?id=a%2Cb&t={number}" for number in (1, 2)
    ]


async def test_source_without_a_way_to_check_is_not_asked() -> None:
    """Asking it is a bug of ours."""
    async with upstream_at("http://127.0.0.1:1") as upstream:
        with pytest.raises(ValueError, match="plain"):
            await upstream.recheck(["a"])


async def test_without_a_token_no_request_is_sent() -> None:
    """The keeper's refusal is returned, before a call and after a renewal."""
    refusal = Refusal(Status.UNAUTHORIZED, "bad secret", 401)
    async with (
        serving(reply()) as served,
        upstream_at(served.url, Tokens(refusal=refusal)) as upstream,
    ):
        assert await upstream.fetch(QUERY) is refusal
    assert served.heads == []


async def test_other_refusals_do_not_renew_the_token() -> None:
    """Only a refused credential needs a new token."""
    tokens = Tokens()
    async with (
        serving(reply(b"{}", "503 Unavailable")) as served,
        upstream_at(served.url, tokens) as upstream,
    ):
        await upstream.fetch(QUERY)
    assert tokens.renewals == []


async def test_exhausted_pool_is_replaced_without_ending_a_request(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A request that finds no slot uses a new pool, and so do later requests.

    Requests in the old pool end normally.
    """
    monkeypatch.setattr(outbound, "LIMITS", outbound.httpx.Limits(max_connections=1))
    monkeypatch.setattr(outbound, "POOL_S", 0.1)
    release = trio.Event()

    async def held(stream: trio.abc.Stream) -> None:
        await release.wait()
        await reply()(stream)

    results: dict[str, SourcePage | Refusal] = {}

    async def fetch(name: str) -> None:
        results[name] = await upstream.fetch(QUERY)

    async with (
        serving(sequence(held, reply())) as served,
        upstream_at(served.url) as upstream,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(fetch, "held")
        while not served.heads:  # noqa: ASYNC110 - the server has no other signal
            await trio.sleep(0.01)
        first = upstream._client._transport._pool  # type: ignore[attr-defined]
        async with trio.open_nursery() as crowd:
            crowd.start_soon(fetch, "waited")
            crowd.start_soon(fetch, "waited too")
        second = upstream._client._transport._pool  # type: ignore[attr-defined]
        await fetch("later")
        assert upstream._client._transport._pool is second is not first  # type: ignore[attr-defined]
        release.set()
    assert all(
        isinstance(results[name], SourcePage) for name in ("waited", "waited too", "later", "held")
    ), results
    assert first.transport._pool.connections == []


async def test_connections_are_bounded_for_many_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many people sign in at once and their provider does not answer.

    Without the bound, each request would get its own connection, in pool after pool.
    """
    monkeypatch.setattr(outbound, "POOL_S", 0.01)
    release = trio.Event()

    async def held(stream: trio.abc.Stream) -> None:
        await release.wait()
        await reply()(stream)

    results: list[SourcePage | Refusal] = []

    async def fetch() -> None:
        results.append(await upstream.fetch(QUERY))

    async with (
        serving(held) as served,
        upstream_at(served.url) as upstream,
        trio.open_nursery() as nursery,
    ):
        for _ in range(100):
            nursery.start_soon(fetch)
        await trio.testing.wait_all_tasks_blocked(0.2)
        assert len(served.heads) == outbound.MOST_AT_ONCE < (outbound.LIMITS.max_connections or 0)
        release.set()
    assert [isinstance(result, SourcePage) for result in results] == [True] * 100


async def test_new_pool_without_a_slot_is_overloaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing was sent: the cause is on our side, not at the source."""
    monkeypatch.setattr(outbound, "LIMITS", outbound.httpx.Limits(max_connections=0))
    monkeypatch.setattr(outbound, "POOL_S", 0.01)
    assert await outcome(reply()) == Refusal(Status.OVERLOADED, "no connection was free")


@pytest.mark.parametrize("wanted", [1_000, pytest.param(10_000, marks=pytest.mark.slow)])
async def test_thousands_of_cancels_leak_no_slot(wanted: int) -> None:
    """Fault 15: with fewer running fetches than slots, cancels at random moments leak nothing."""
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
                assert isinstance(await upstream.fetch(QUERY), SourcePage), seed
            cancelled += scope.cancelled_caught

    async with serving(slow) as served, upstream_at(served.url) as upstream:
        first = upstream._client._transport._pool  # type: ignore[attr-defined]
        async with trio.open_nursery() as nursery:
            for _ in range(10):
                nursery.start_soon(worker)
        assert isinstance(await upstream.fetch(QUERY), SourcePage), seed
        assert pool_of(upstream) == [], seed
        assert upstream._client._transport._pool is first, seed  # type: ignore[attr-defined]
