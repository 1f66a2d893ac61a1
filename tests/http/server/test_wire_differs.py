"""The same bytes to a service with the wire path and to one without: nothing may differ."""

import gzip
import logging
import random
import re
from contextlib import asynccontextmanager

import h11
import pytest
from structlog.testing import capture_logs

from newsintel.config.values import Quota
from newsintel.http.response import packing
from newsintel.runtime.limits.limiter import Limiter
from tests.fakes.basics import MemoryCounter
from tests.http.server.memory import serving_in_memory
from tests.http.server.odd_requests import (
    FIRST_PLAIN,
    MOMENTARY,
    PATHS,
    make_connection,
    make_plain,
)
from tests.http.world import World
from tests.samples import read_samples

OWN_ID = re.compile(rb'(x-request-id: |"request_id":"|>Request )[0-9a-f]{32}')
BODY_PARTS = (b"length:", b"encoding:", b"type:")
DATE = re.compile(rb"(?<=\r\ndate: )[^\r]+")
ENVIRON = {
    "NEWSINTEL_CORS_ORIGINS": "https://a.example",
    "NEWSINTEL_TRUSTED_PROXIES": "10.0.0.0/8",
    "NEWSINTEL_HEAD_TIMEOUT_S": "1000",
}


def build_world(calls):
    """Return a world with both limits: `calls` requests a minute and person."""
    world = World()
    counter = MemoryCounter()

    def limit(policy, number):
        quota = Quota(number, 60)
        return Limiter(policy, quota, counter, world.metrics.count, world.now.timestamp)

    world.requests, world.misses = limit("search", calls), limit("miss", 1_000)
    return world


@pytest.fixture(autouse=True)
def requests_logged(caplog):
    """Log requests, as the service does by default."""
    caplog.set_level(logging.INFO, "newsintel.http.server.log")


@pytest.fixture(autouse=True)
def short_answers_packed(monkeypatch):
    """The answers of these tests are short."""
    monkeypatch.setattr(packing, "LEAST_BYTES", 1)


def ask_coded(path, coding=None, method=b"GET", more=b""):
    """Return a request of a client that accepts this coding; None = it says nothing."""
    more += b"Accept-Encoding: %b\r\n" % coding if coding else b""
    return b"%b %b HTTP/1.1\r\nHost: localhost\r\n%b\r\n" % (method, path, more)


def read_response(data, method=b"GET"):
    """Return status, headers and body as h11's client reads them; there must be no further byte."""
    client = h11.Connection(h11.CLIENT)
    client.send(h11.Request(method=method, target="/", headers=[("Host", "localhost")]))
    client.receive_data(data)
    response, body = client.next_event(), b""
    while isinstance(event := client.next_event(), h11.Data):
        body += event.data
    assert isinstance(event, h11.EndOfMessage)
    assert client.trailing_data == (b"", False)
    headers = {}
    for name, value in response.headers:
        headers[name] = headers[name] + b", " + value if name in headers else value
    return response.status_code, headers, body


@asynccontextmanager
async def serving_both(calls=1_000_000):
    """Run a service with the wire path and one without, each with finished answers."""
    async with (
        serving_in_memory(build_world(calls), **ENVIRON) as wired,
        serving_in_memory(build_world(calls), wire=False, **ENVIRON) as plain,
    ):
        for path in PATHS:
            for service in (wired, plain):
                await service.connect().send(ask_coded(path, path not in FIRST_PLAIN and b"gzip"))
        wired.at_once.clear()
        yield wired, plain


async def converse(service, parts, peer):
    """Return what one client gets after each part, and whether the server has closed then."""
    client = service.connect(peer)
    seen = [(hide_own(await client.send(part)), client.closed) for part in parts]
    return [*seen, (hide_own(await client.leave()), client.closed)]


def hide_own(data):
    """Return responses without the values that every response has of its own."""
    return DATE.sub(b"?", OWN_ID.sub(rb"\1?", data))


def count_all(service):
    """Return the counters and histograms, without times."""
    return {
        key: value
        for key, value in read_samples(service.world.metrics).items()
        if key[0].startswith("newsintel_")
        and "seconds_" not in key[0].replace("_seconds_count", "")
    }


async def compare(seeds, calls=1_000_000):
    """Hold each conversation with both services; return the statuses of answers at once."""
    lines = []
    async with serving_both(calls) as (wired, plain):
        for seed in seeds:
            dice = random.Random(seed)
            parts, peer = (
                make_connection(dice),
                dice.choice(("192.0.2.1", "10.0.0.1", "2001:db8::1")),
            )
            with capture_logs() as first:
                ours = await converse(wired, parts, peer)
            with capture_logs() as second:
                theirs = await converse(plain, parts, peer)
            assert ours == theirs, (seed, parts)
            assert strip_log(first) == strip_log(second), (seed, parts)
            lines += first
        assert count_all(wired) == count_all(plain)
        assert sum(line["event"] == "request" for line in lines) > len(wired.at_once) > 0
        assert plain.at_once == []
        return wired.at_once


def strip_log(lines):
    """Return log lines without what each request has of its own."""
    return [
        {key: value for key, value in line.items() if key != "ms" and not is_own_id(key, value)}
        for line in lines
    ]


def is_own_id(key, value):
    """Whether a field of a log line is a request id that we made."""
    return key == "request_id" and re.fullmatch(r"[0-9a-f]{32}", value)


async def test_odd_and_hostile_connections_get_the_same(mock_clock):
    """Status, headers, body, the moment of each, the connection's fate, counters and log lines."""
    at_once = await compare(range(1_000))
    assert len(at_once) > 500
    assert {200, 304} == set(at_once)


@pytest.mark.slow
async def test_ten_thousand_connections_get_the_same(mock_clock):
    """The same at length."""
    assert len(await compare(range(1_000, 11_000))) > 5_000


async def test_over_the_limit_both_refuse_alike(mock_clock):
    """Leased calls, the lease that must be refilled, the last call and the 429 after it."""
    at_once = await compare(range(20_000, 20_200), calls=40)
    assert 0 < len(at_once) < 200


async def test_a_request_split_at_every_byte_is_answered_alike(mock_clock):
    """The parser gets what came first; the wire path must not answer the rest."""
    whole = make_plain(random.Random(1))
    async with serving_both() as (wired, plain):
        for at in range(1, len(whole)):
            parts = [whole[:at], whole[at:], whole]
            ours = await converse(wired, parts, "192.0.2.1")
            assert ours == await converse(plain, parts, "192.0.2.1"), at
            assert ours[0] == (b"", False)
        assert len(wired.at_once) == len(whole) - 1  # the second, whole request of each connection


async def test_a_request_byte_by_byte_is_answered_alike(mock_clock):
    """Each byte comes alone, twice on one connection."""
    parts = [bytes([byte]) for byte in make_plain(random.Random(2)) * 2]
    async with serving_both() as (wired, plain):
        assert await converse(wired, parts, "192.0.2.1") == await converse(
            plain, parts, "192.0.2.1"
        )
        assert wired.at_once == []


@pytest.mark.parametrize("wire", [True, False])
async def test_each_client_gets_the_form_that_it_can_read(mock_clock, wire):
    """Codings alternate on one connection. The judges are h11's client and Python's gzip."""
    async with serving_both() as services:
        service = services[0 if wire else 1]
        for path in PATHS:
            packed = path not in (*FIRST_PLAIN, *MOMENTARY)
            client, bodies = service.connect(), set()
            for coding in (b"gzip", None, b"gzip;q=0, *", b"br, gzip;q=0.1", b"x-gzip", b"GZIP"):
                for method in (b"HEAD", b"GET"):
                    data = await client.send(ask_coded(path, coding, method))
                    status, headers, body = read_response(data, method)
                    coded = packed and coding in (b"gzip", b"br, gzip;q=0.1", b"GZIP")
                    assert (status, headers.get(b"content-encoding")) == (
                        200,
                        b"gzip" if coded else None,
                    )
                    assert (b"Accept-Encoding" in headers.get(b"vary", b"")) == packed
                assert int(headers[b"content-length"]) == len(body)
                bodies.add(gzip.decompress(body) if coded else body)
            assert len(bodies) == 1, path
        assert len(service.at_once) == (len(PATHS) * 12 if wire else 0)


async def test_pipelined_codings_are_answered_alike_and_in_order(mock_clock):
    """Requests that arrive in one packet; also with the tag of what the client may hold."""
    async with serving_both() as (wired, plain):
        for path in PATHS:
            tag = b"If-None-Match: *\r\n"
            codings = ((b"gzip", b""), (None, b""), (b"gzip", tag), (None, tag), (b"gzip", b""))
            parts = [b"".join(ask_coded(path, coding, more=more) for coding, more in codings)]
            ours = await converse(wired, parts, "192.0.2.1")
            assert ours == await converse(plain, parts, "192.0.2.1"), path
            heads = re.findall(rb"HTTP/1\.1 \d.*?\r\n\r\n", ours[0][0], re.DOTALL)
            assert len(heads) == 5, path
            held = [head for head in heads if b" 304 " in head]
            assert not any(b"content-" + part in head for head in held for part in BODY_PARTS)
