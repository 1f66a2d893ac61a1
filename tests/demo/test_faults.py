"""Every fault, as a client meets it."""

import gzip
import json
import random
import zlib

import httpx
import pytest
import trio

from newsintel.demo import sabotage
from newsintel.demo.behaviour import FAULTS, Behaviour
from newsintel.demo.control import Upstream
from newsintel.demo.server import Simulated
from tests.demo.conftest import Get

BY_STATUS = {"401": 401, "403_html": 403, "429": 429, "429_html": 429, "500": 500, "502": 502, "503": 503, "redirect": 302}
BAD_BODIES = ("html", "truncated", "zero_bytes", "deep", "latin1")
BROKEN = {
    "reset": httpx.ReadError,
    "eof": httpx.RemoteProtocolError,
    "wrong_length": httpx.RemoteProtocolError,
}
SLOW = ("hang", "drip", "slow_headers")
FLOODS = ("huge", "huge_length")
PACKED = ("bad_gzip",)
BOMBS = ("gzip_bomb", "double_gzip")
ODD = ("bom", "no_token", "nan", "big_int", "error_200", "bad_row")


def test_every_fault_is_tested() -> None:
    """A fault that no test below produces would be a promise."""
    assert {"none", *BY_STATUS, *BAD_BODIES, *BROKEN, *SLOW, *FLOODS, *PACKED, *BOMBS, *ODD} == set(FAULTS)


@pytest.mark.parametrize(("fault", "status"), BY_STATUS.items())
async def test_statuses(news: Get, control, fault: str, status: int) -> None:
    """Refusals and failures have the status of their name, and still say that they are simulated."""
    await control("newsapi", fault=fault)
    reply = await news(q="climate")
    assert reply.status_code == status
    assert reply.headers["x-simulated"] == "newsintel-demo"
    assert "retry-after" not in reply.headers


async def test_refusals_are_in_each_api_s_own_words(news: Get, paper: Get, posts: Get, control) -> None:
    """401, 429 and 500 have the envelope of the API that is asked."""
    answers = {}
    for fault in ("401", "429", "500"):
        for name in ("newsapi", "guardian", "reddit"):
            await control(name, fault=fault)
        for name, get in (("newsapi", news), ("guardian", paper), ("reddit", posts)):
            answers[name, fault] = await get(q="climate")
    assert [answers["newsapi", fault].json()["code"] for fault in ("401", "429", "500")] == [
        "apiKeyInvalid",
        "rateLimited",
        "unexpectedError",
    ]
    assert answers["guardian", "401"].json() == {"message": "Unauthorized"}
    assert answers["guardian", "500"].json()["response"]["status"] == "error"
    assert answers["reddit", "401"].json() == {"message": "Unauthorized", "error": 401}
    assert answers["reddit", "429"].json() == {"message": "Too Many Requests", "error": 429}
    assert answers["reddit", "500"].content == b""


@pytest.mark.parametrize("value", [30, -1, 10**9, 0.5, "soon", "Wed, 21 Oct 2015 07:28:00 GMT", ""])
async def test_retry_after(news: Get, control, value) -> None:
    """Retry-After is sent as it was set, with sense or without."""
    await control("newsapi", fault="429", retry_after=value)
    assert (await news(q="climate")).headers["retry-after"] == str(value)


@pytest.mark.parametrize("fault", BAD_BODIES)
async def test_bodies_that_are_no_json(news: Get, control, fault: str) -> None:
    """A 200 whose body cannot be read as JSON."""
    await control("newsapi", fault=fault)
    reply = await news(q="climate")
    assert reply.status_code == 200
    with pytest.raises((ValueError, RecursionError)):
        json.loads(reply.content)


async def test_odd_values(news: Get, control) -> None:
    """A 200 of good syntax, more or less, with values that no client should take."""
    await control("newsapi", fault="bom")
    assert (await news(q="climate")).content.startswith(b"\xef\xbb\xbf{")
    await control("newsapi", fault="nan")
    assert b"NaN" in (await news(q="climate")).content
    await control("newsapi", fault="big_int")
    assert len((await news(q="climate")).content) > 5000
    await control("newsapi", fault="error_200")
    assert (await news(q="climate")).json()["status"] == "error"


async def test_bad_row(news: Get, paper: Get, posts: Get, control) -> None:
    """One broken article before the good ones, in each API's envelope; a refusal stays a refusal."""
    for name in ("newsapi", "guardian", "reddit"):
        await control(name, fault="bad_row")
    assert (await news(q="climate")).json()["articles"][0]["title"] is None
    assert (await paper(q="climate")).json()["response"]["results"][0]["webTitle"] is None
    assert (await posts(q="climate")).json()["data"]["children"][0]["data"]["title"] is None
    assert (await news(key="nonsense", q="climate")).status_code == 401


@pytest.mark.parametrize(("fault", "error"), BROKEN.items())
async def test_broken_connections(news: Get, control, fault: str, error: type[Exception]) -> None:
    """The response never completes; the next connection is fine."""
    await control("newsapi", fault=fault)
    with pytest.raises(error):
        await news(q="climate")
    await control("newsapi", fault="none")
    assert (await news(q="climate")).status_code == 200


@pytest.mark.parametrize("fault", SLOW)
async def test_slowness(news: Get, control, fault: str) -> None:
    """Only a deadline for the whole ends it: bytes may come, the end does not."""
    await control("newsapi", fault=fault)
    with trio.move_on_after(1.2) as scope:
        await news(q="climate")
    assert scope.cancelled_caught


async def test_drip_keeps_a_read_timeout_happy(simulated: Simulated, client: httpx.AsyncClient, control, monkeypatch) -> None:
    """The bytes of a dripped body come one by one, the headers at once."""
    monkeypatch.setattr(sabotage, "DRIP_S", 0.02)
    await control("guardian", fault="drip")
    async with client.stream("GET", simulated.base_urls["guardian"] + "/search?api-key=nonsense") as reply:
        chunks = [chunk async for chunk in reply.aiter_raw()]
    assert max(map(len, chunks)) == 1
    assert json.loads(b"".join(chunks)) == {"message": "Unauthorized"}


@pytest.mark.parametrize("fault", FLOODS)
async def test_floods(simulated: Simulated, client: httpx.AsyncClient, control, fault: str) -> None:
    """A body of 100 MB, with its length told or not; the client may leave."""
    await control("guardian", fault=fault)
    stream = await trio.open_tcp_stream("127.0.0.1", httpx.URL(simulated.control_url).port)
    async with stream:
        await stream.send_all(b"GET /guardian/search HTTP/1.1\r\nHost: a\r\n\r\n")
        got = await stream.receive_some(65_536)
        assert (b"Content-Length: 100000000" in got) == (fault == "huge_length")
        size = 0
        while size < 4_000_000:
            size += len(await stream.receive_some(65_536))
    await control("guardian", fault="none")
    assert (await client.get(simulated.base_urls["guardian"] + "/search?api-key=test")).status_code == 200


async def test_bad_gzip(simulated: Simulated, client: httpx.AsyncClient, control) -> None:
    """A body that is not the gzip that its header promises."""
    await control("guardian", fault="bad_gzip")
    async with client.stream("GET", simulated.base_urls["guardian"] + "/search?api-key=test") as reply:
        assert reply.headers["content-encoding"] == "gzip"
        packed = b"".join([chunk async for chunk in reply.aiter_raw()])
    with pytest.raises(gzip.BadGzipFile):
        gzip.decompress(packed)


@pytest.mark.parametrize("fault", BOMBS)
async def test_bombs(simulated: Simulated, client: httpx.AsyncClient, control, fault: str) -> None:
    """A small gzip body that unpacks to 200 MB."""
    await control("guardian", fault=fault)
    async with client.stream("GET", simulated.base_urls["guardian"] + "/search?api-key=test") as reply:
        packed = b"".join([chunk async for chunk in reply.aiter_raw()])
    assert len(packed) < 300_000
    if fault == "double_gzip":
        packed = gzip.decompress(packed)
    unpacker, size = zlib.decompressobj(zlib.MAX_WBITS + 16), 0
    while not unpacker.eof:
        size += len(unpacker.decompress(packed, 16_777_216))
        packed = unpacker.unconsumed_tail
    assert size == 200 * 1_048_576


async def test_rate_and_counting(simulated: Simulated, client: httpx.AsyncClient, control, news: Get) -> None:
    """A fault befalls its share of the calls; all of them are counted."""
    await control("newsapi", fault="500", fault_rate=0.5)
    statuses = [(await news(q="zyzzyvax")).status_code for _ in range(40)]
    assert 8 < statuses.count(500) < 32
    assert set(statuses) == {200, 500}
    assert (await client.get(f"{simulated.control_url}/newsapi")).json()["calls"] == 40


async def test_latency(control, news: Get) -> None:
    """An answer takes as long as it was set to, give or take the jitter."""
    await control("newsapi", latency_ms=300, jitter_ms=50)
    before = trio.current_time()
    await news(q="climate")
    assert trio.current_time() - before >= 0.25


async def test_slow_calls(control, news: Get) -> None:
    """A share of the calls takes slow_ms in place of latency_ms."""
    await control("newsapi", latency_ms=0, slow_ms=200, slow_rate=1)
    before = trio.current_time()
    await news(q="zyzzyvax")
    assert trio.current_time() - before >= 0.2
    behaviour = Behaviour(latency_ms=0, jitter_ms=0, slow_ms=200, slow_rate=0.5)
    upstream = Upstream(None, behaviour, random.Random(1))  # no API is asked
    drawn = [upstream.latency_s() for _ in range(1000)]
    assert set(drawn) == {0.0, 0.2}
    assert 400 < drawn.count(0.2) < 600


async def test_latency_counts_from_the_request(control, news: Get) -> None:
    """The time that finding the articles takes is part of it."""
    await control("newsapi", latency_ms=250)
    times = []
    for _ in range(3):
        before = trio.current_time()
        await news(q="climate OR energy OR health OR economy", pageSize=100)
        times.append(trio.current_time() - before)
    assert all(one >= 0.25 for one in times)
