"""Every fault, as a client sees it."""

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

BY_STATUS = {
    "401": 401,
    "403_html": 403,
    "429": 429,
    "429_html": 429,
    "500": 500,
    "502": 502,
    "503": 503,
    "redirect": 302,
}
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
    """Each fault has a test below."""
    assert {"none", *BY_STATUS, *BAD_BODIES, *BROKEN, *SLOW, *FLOODS, *PACKED, *BOMBS, *ODD} == set(
        FAULTS
    )


@pytest.mark.parametrize(("fault", "status"), BY_STATUS.items())
async def test_fault_has_the_status_of_its_name(
    news: Get, control, fault: str, status: int
) -> None:
    """Refusals and failures have the status of their name and the simulation's header."""
    await control("newsapi", fault=fault)
    reply = await news(q="climate")
    assert reply.status_code == status
    assert reply.headers["x-simulated"] == "newsintel-demo"
    assert "retry-after" not in reply.headers


async def test_refusals_have_the_envelope_of_their_api(
    news: Get, paper: Get, posts: Get, control
) -> None:
    """401, 429 and 500 have the envelope of the API."""
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
async def test_retry_after_is_sent_as_set(news: Get, control, value) -> None:
    """Retry-After is sent exactly as set, valid or not."""
    await control("newsapi", fault="429", retry_after=value)
    assert (await news(q="climate")).headers["retry-after"] == str(value)


@pytest.mark.parametrize("fault", BAD_BODIES)
async def test_bad_bodies_are_not_json(news: Get, control, fault: str) -> None:
    """A 200 whose body cannot be parsed as JSON."""
    await control("newsapi", fault=fault)
    reply = await news(q="climate")
    assert reply.status_code == 200
    with pytest.raises((ValueError, RecursionError)):
        json.loads(reply.content)


async def test_odd_bodies_have_unusable_values(news: Get, control) -> None:
    """A 200 with mostly valid syntax and values that no client should accept."""
    await control("newsapi", fault="bom")
    assert (await news(q="climate")).content.startswith(b"\xef\xbb\xbf{")
    await control("newsapi", fault="nan")
    assert b"NaN" in (await news(q="climate")).content
    await control("newsapi", fault="big_int")
    assert len((await news(q="climate")).content) > 5000
    await control("newsapi", fault="error_200")
    assert (await news(q="climate")).json()["status"] == "error"


async def test_bad_row_precedes_valid_rows(news: Get, paper: Get, posts: Get, control) -> None:
    """One broken article before the valid ones, in each API's envelope; a refusal stays one."""
    for name in ("newsapi", "guardian", "reddit"):
        await control(name, fault="bad_row")
    assert (await news(q="climate")).json()["articles"][0]["title"] is None
    assert (await paper(q="climate")).json()["response"]["results"][0]["webTitle"] is None
    assert (await posts(q="climate")).json()["data"]["children"][0]["data"]["title"] is None
    assert (await news(key="nonsense", q="climate")).status_code == 401


@pytest.mark.parametrize(("fault", "error"), BROKEN.items())
async def test_broken_connection_affects_one_response(
    news: Get, control, fault: str, error: type[Exception]
) -> None:
    """The response never completes; the next connection works."""
    await control("newsapi", fault=fault)
    with pytest.raises(error):
        await news(q="climate")
    await control("newsapi", fault="none")
    assert (await news(q="climate")).status_code == 200


@pytest.mark.slow
@pytest.mark.parametrize("fault", SLOW)
async def test_slow_response_ends_only_by_a_total_deadline(news: Get, control, fault: str) -> None:
    """Bytes may arrive, but the response does not end: only a total deadline stops it."""
    await control("newsapi", fault=fault)
    with trio.move_on_after(1.2) as scope:
        await news(q="climate")
    assert scope.cancelled_caught


async def test_drip_sends_the_body_byte_by_byte(
    simulated: Simulated, client: httpx.AsyncClient, control, monkeypatch
) -> None:
    """The headers arrive at once, then the body byte by byte."""
    monkeypatch.setattr(sabotage, "DRIP_S", 0.02)
    await control("guardian", fault="drip")
    async with client.stream(
        "GET", simulated.base_urls["guardian"] + "/search?api-key=nonsense"
    ) as reply:
        chunks = [chunk async for chunk in reply.aiter_raw()]
    assert max(map(len, chunks)) == 1
    assert json.loads(b"".join(chunks)) == {"message": "Unauthorized"}


@pytest.mark.parametrize("fault", FLOODS)
async def test_flood_sends_a_huge_body(
    simulated: Simulated, client: httpx.AsyncClient, control, fault: str
) -> None:
    """A body of 100 MB, with or without Content-Length; the client may leave."""
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
    assert (
        await client.get(simulated.base_urls["guardian"] + "/search?api-key=test")
    ).status_code == 200


async def test_bad_gzip_cannot_be_decompressed(
    simulated: Simulated, client: httpx.AsyncClient, control
) -> None:
    """The header says gzip; the body is not."""
    await control("guardian", fault="bad_gzip")
    async with client.stream(
        "GET", simulated.base_urls["guardian"] + "/search?api-key=test"
    ) as reply:
        assert reply.headers["content-encoding"] == "gzip"
        packed = b"".join([chunk async for chunk in reply.aiter_raw()])
    with pytest.raises(gzip.BadGzipFile):
        gzip.decompress(packed)


@pytest.mark.parametrize("fault", BOMBS)
async def test_gzip_bomb_inflates_to_200_mib(
    simulated: Simulated, client: httpx.AsyncClient, control, fault: str
) -> None:
    """A small gzip body that inflates to 200 MiB."""
    await control("guardian", fault=fault)
    async with client.stream(
        "GET", simulated.base_urls["guardian"] + "/search?api-key=test"
    ) as reply:
        packed = b"".join([chunk async for chunk in reply.aiter_raw()])
    assert len(packed) < 300_000
    if fault == "double_gzip":
        packed = gzip.decompress(packed)
    unpacker, size = zlib.decompressobj(zlib.MAX_WBITS + 16), 0
    while not unpacker.eof:
        size += len(unpacker.decompress(packed, 16_777_216))
        packed = unpacker.unconsumed_tail
    assert size == 200 * 1_048_576


async def test_fault_rate_affects_a_share_of_calls(
    simulated: Simulated, client: httpx.AsyncClient, control, news: Get
) -> None:
    """A fault affects its share of the calls; all calls are counted."""
    await control("newsapi", fault="500", fault_rate=0.5)
    statuses = [(await news(q="zyzzyvax")).status_code for _ in range(40)]
    assert 8 < statuses.count(500) < 32
    assert set(statuses) == {200, 500}
    assert (await client.get(f"{simulated.control_url}/newsapi")).json()["calls"] == 40


async def test_answer_takes_the_set_latency(control, news: Get) -> None:
    """An answer takes latency_ms, plus or minus the jitter."""
    await control("newsapi", latency_ms=300, jitter_ms=50)
    before = trio.current_time()
    await news(q="climate")
    assert trio.current_time() - before >= 0.25


async def test_slow_rate_slows_a_share_of_calls(control, news: Get) -> None:
    """A share of the calls takes slow_ms instead of latency_ms."""
    await control("newsapi", latency_ms=0, slow_ms=200, slow_rate=1)
    before = trio.current_time()
    await news(q="zyzzyvax")
    assert trio.current_time() - before >= 0.2
    behaviour = Behaviour(latency_ms=0, jitter_ms=0, slow_ms=200, slow_rate=0.5)
    upstream = Upstream(None, behaviour, random.Random(1))  # no API is called
    drawn = [upstream.draw_latency_s() for _ in range(1000)]
    assert set(drawn) == {0.0, 0.2}
    assert 400 < drawn.count(0.2) < 600


async def test_latency_counts_from_the_request(control, news: Get) -> None:
    """The latency includes the time to find the articles."""
    await control("newsapi", latency_ms=250)
    times = []
    for _ in range(3):
        before = trio.current_time()
        await news(q="climate OR energy OR health OR economy", pageSize=100)
        times.append(trio.current_time() - before)
    assert all(one >= 0.25 for one in times)
