"""Bytes that no server library would send, from a source and from a sign-in provider.

Each reply is one refusal and does not block other tasks.
"""

import random

import httpx
import pytest
import trio

from newsintel.config.settings import SourceSettings
from newsintel.config.values import Secret
from newsintel.domain.accounts.model import SignInAttempt
from newsintel.domain.search.outcome import Refusal, SourcePage, Status
from newsintel.errors import DeniedError, InvalidParameterError, SignInUnavailableError
from newsintel.outbound.oauth.app_token import open_app_token
from newsintel.outbound.oauth.reddit import Reddit
from newsintel.outbound.oauth.replies import MAX_REPLY_BYTES
from newsintel.outbound.source_client import open_upstream
from newsintel.outbound.sources import newsapi
from newsintel.outbound.transport import FORESEEN, Transport, make_refusal
from tests.faults import serving
from tests.outbound.sources.replies import NOW, QUERY
from tests.steps import ALLOWED, LONGEST_MS, measured
from tests.waiting import PATIENCE_S

TYPE = b"Content-Type: application/json\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\n" + TYPE + b"Transfer-Encoding: chunked\r\n\r\n"
OK = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 12\r\nX-A: b\r\n\r\n"
    b'{"status":1}'
)

BUSY = {
    "chunks of one byte": CHUNKED + b"1\r\n \r\n" * 100_000,
    "100 Continue": b"HTTP/1.1 100 \r\n\r\n" * 30_000,
    "100 Continue, bare": b"HTTP/1.1 100\n\n" * 30_000,
    "103": b"HTTP/1.1 103 x\r\na:b\r\n\r\n" * 30_000,
    "headers": b"HTTP/1.1 200 OK\r\n" + TYPE + b"a:b\r\n" * 20_000 + b"Content-Length: 2\r\n\r\n{}",
    "headers, bare": b"HTTP/1.1 200 OK\n" + b"a:\n" * 20_000 + b"Content-Length: 2\n\n{}",
    "headers within the bound": b"HTTP/1.1 200 OK\r\n"
    + TYPE
    + b"a:\n" * 120
    + b"Content-Length: 2\r\n\r\n{}",
    "a long header": b"HTTP/1.1 200 OK\r\na:" + b"x" * 500_000 + b"\r\n\r\n",
    "empty lines": b"\r\n" * 200_000,
    "trailers": CHUNKED + b"2\r\n{}\r\n0\r\n" + b"a:\n" * 30_000 + b"\r\n",
    "trailers in one read": CHUNKED + b"2\r\n{}\r\n0\r\n" + b"a:\n" * 1_350 + b"\r\n",
    "trailers after a false length": b"HTTP/1.1 200 OK\r\nContent-Length: 90000\r\n"
    + CHUNKED.partition(b"\r\n")[2]
    + b"2\r\n{}\r\n0\r\n"
    + b"a:\n" * 20_000
    + b"\r\n",
    "a chunk's extension": CHUNKED + b"1;" + b"x" * 200_000 + b"\r\n \r\n",
    "no HTTP": b"x" * 500_000,
}


def sending(raw):
    """A script that sends bytes and closes the connection."""

    async def script(stream):
        await stream.send_all(raw)
        await stream.aclose()

    return script


def source_at(url):
    """NewsAPI at a URL."""
    at = SourceSettings("newsapi", url, 1.0, 0, None, enabled=True, values={"key": Secret("key")})
    return open_upstream(newsapi.SOURCE, at, token=None, now=lambda: NOW)


async def longest_ms(work):
    """Run network work in its own task; returns its longest step in ms."""
    with measured(lambda name: name != "measured") as steps:
        async with trio.open_nursery() as nursery:  # noqa: ASYNC112 - for the name
            nursery.start_soon(work, name="measured")
    return steps.longest_ms()[0]


@pytest.mark.slow
@pytest.mark.parametrize("case", BUSY)
async def test_small_framing_is_read_in_short_steps(case):
    """Data outside the body is read in short steps and for a bounded time, at any size.

    This holds for a source and for a provider.
    """

    async def fetch():
        with trio.fail_after(PATIENCE_S):
            assert isinstance(await upstream.fetch(QUERY), SourcePage | Refusal)

    async def sign_in():
        with pytest.raises(SignInUnavailableError):
            await reddit(served.url, transport).finish_sign_in("code", ATTEMPT)

    async with (
        serving(sending(BUSY[case])) as served,
        source_at(served.url) as upstream,
        Transport(MAX_REPLY_BYTES) as transport,
    ):
        for work in (fetch, sign_in):
            assert await longest_ms(work) < ALLOWED * LONGEST_MS


LOCATIONS = [
    b"http://xn--/", b"http://xn--a/", b"//xn--/", b"http://[bad", b"http://a b/\xff", b"//",
    b"http://:99999/", b"http:", b"http:///x",
    b"\xf0\x9f\x92\xa9", b"javascript:x", b"", b"http://" + b"a" * 70 + b".com",
    b"http://\xc3\x9f.com", b"?" + b"a" * 20_000,
    b"http://a" * 10, b"http://\xed\xa0\x80/", b"https://xn--zz--/", b"http://999.999.999.999/",
    b"http://[::1%25eth0]/",
]  # fmt: skip
ATTEMPT = SignInAttempt("reddit", "state", b"", "v" * 43, "nonce", "/me")


def settings(url):
    """The settings of Reddit at a URL."""
    values = {
        "client_id": "id",
        "client_secret": Secret("secret"),
        "user_agent": "test/1",
        "auth_url": url,
    }
    return SourceSettings("reddit", url, 1.0, 0, None, enabled=True, values=values)


def reddit(url, transport):
    """Reddit as a sign-in provider at a URL."""
    return Reddit(settings(url), "http://localhost/auth/reddit/callback", transport, lambda: NOW)


@pytest.mark.slow
@pytest.mark.parametrize("location", LOCATIONS)
@pytest.mark.parametrize("status", [b"301", b"302", b"303", b"307", b"308"])
async def test_location_of_a_redirect_is_never_parsed(location, status):
    """No redirect is followed, so a wrong location cannot fail.

    This holds for a source, for a provider and for the token endpoint, where a bug would end the
    renewal loop.
    """
    raw = b"HTTP/1.1 " + status + b" X\r\nLocation: " + location + b"\r\nContent-Length: 0\r\n\r\n"
    async with serving(sending(raw)) as served:
        async with source_at(served.url) as upstream:
            assert await upstream.fetch(QUERY) == Refusal(
                Status.BAD_PAYLOAD, "redirect, not followed", int(status)
            )
        async with Transport(MAX_REPLY_BYTES) as transport:
            with pytest.raises(SignInUnavailableError):
                await reddit(served.url, transport).finish_sign_in("code", ATTEMPT)
        async with (
            open_app_token(settings(served.url)) as app_token,
            trio.open_nursery() as nursery,
        ):
            nursery.start_soon(app_token.keep_ready)
            assert isinstance(await app_token.get_token(), Refusal)
            nursery.cancel_scope.cancel()


@pytest.mark.parametrize(
    "url",
    [
        *(
            "http://xn--/",
            "http://xn--a/",
            "http://127.0.0.1:1/\ud800",
            "http://127.0.0.1:1/\x00",
            "http://[::1/",
            "http:///",
            "ftp://x/",
            "x",
        ),
        *(
            "http://" + "a" * 64 + "/",
            "http://.invalid/",
            "http://a..invalid/",
            "http://\ud800/",
            "http://" + "é" * 70 + "/",
        ),
    ],
)
async def test_every_url_raises_expected_exceptions_only(url):
    """The URL may come from a setting or from a provider."""
    async with httpx.AsyncClient(transport=Transport(), trust_env=False) as client:
        with pytest.raises(FORESEEN) as raised:
            await client.get(url)
    assert make_refusal(raised.value).detail


PIECES = [
    *(
        b"\r\n",
        b"\n",
        b"\r",
        b"\x00",
        b"\xff",
        b":",
        b" ",
        b"\t",
        b"0",
        b"9" * 5000,
        b"-1",
        b"chunked",
        b"gzip",
        b"\xc2\xb2",
        b"HTTP/1.1 200 OK\r\n",
    ),
    *(
        b"Content-Length: 5\r\n",
        b"Content-Length: \xd9\xa5\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: x\r\n",
        b"Location: http://xn--/\r\n",
    ),
    *(
        b"Content-Encoding: gzip, gzip\r\n",
        b"Content-Encoding: \xff\r\n",
        b"Content-Type: \xff\xfe; charset=x\r\n",
        b"Retry-After: 99999999999999\r\n",
    ),
    *(
        b"HTTP/1.1 101 X\r\nUpgrade: x\r\n\r\n",
        b"HTTP/1.1 304 X\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n\r\n",
        b"HTTP/2 200\r\n\r\n",
        b"Connection: upgrade\r\n",
    ),
    *(
        b"Set-Cookie: a=\xff; expires=x\r\n",
        b"Set-Cookie2: a=b; version=x\r\n",
        b"WWW-Authenticate: Digest \xff\r\n",
        b"Link: <http://xn--/>\r\n",
        b"ffffffffffffffffffff\r\n",
    ),
]


@pytest.mark.parametrize("seed", range(8))
async def test_random_bytes_are_a_page_or_a_refusal(seed):
    """Each seed makes 60 replies, cut, joined and filled with bytes that break parsers.

    httpx, httpcore, h11 and idna raise expected exceptions only.
    """
    dice = random.Random(seed)

    async def script(stream):
        raw = bytearray(
            dice.choice(
                [
                    OK,
                    CHUNKED + b'c\r\n{"rows":[1]}\r\n0\r\n\r\n',
                    b"HTTP/1.1 302 F\r\nLocation: /\r\n\r\n",
                    b"",
                ]
            )
        )
        for _ in range(dice.randrange(5)):
            at = dice.randrange(len(raw) + 1)
            raw[at : at + dice.choice([0, 0, 1, 9])] = dice.choice(PIECES)
        await stream.send_all(bytes(raw))
        await stream.aclose()

    async with (
        serving(script) as served,
        source_at(served.url) as upstream,
        Transport(MAX_REPLY_BYTES) as transport,
    ):
        for _ in range(60):
            with trio.fail_after(PATIENCE_S):
                assert isinstance(await upstream.fetch(QUERY), SourcePage | Refusal)
                with pytest.raises((SignInUnavailableError, InvalidParameterError, DeniedError)):
                    await reddit(served.url, transport).finish_sign_in("code", ATTEMPT)
