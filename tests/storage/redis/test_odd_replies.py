"""Whatever Redis replies, in any step of any operation, is at most an outage of Redis.

A proxy, a server of another make or a broken one may reply what no command of ours expects. The
commands and the other replies here are those of a real Redis.
"""

from contextlib import asynccontextmanager, suppress
from functools import partial

import pytest
import trio
from structlog.testing import capture_logs

from newsintel.config.values import Secret
from newsintel.errors import UnavailableError
from newsintel.storage.redis.link import open_redis
from newsintel.storage.redis.server import CONNECTIONS
from newsintel.storage.redis.spool import RedisSpool
from tests.storage.redis.test_foreign_values import World
from tests.waiting import PATIENCE_S

ODD = {
    "nothing": b"$-1\r\n",
    "no list": b"*-1\r\n",
    "an empty list": b"*0\r\n",
    "a word": b"+OK\r\n",
    "text": b"$3\r\nabc\r\n",
    "a number": b":7\r\n",
    "a number below 0": b":-5\r\n",
    "a number too long to read": b":" + b"9" * 5_000 + b"\r\n",
    "a list of words": b"*4\r\n+a\r\n+b\r\n+c\r\n+d\r\n",
    "lists in a list": b"*2\r\n*1\r\n*2\r\n:1\r\n$-1\r\n$1\r\nx\r\n",
    "lists in lists in lists": b"*1\r\n" * 2_000 + b":1\r\n",
    "a length that is no number": b"$abc\r\n",
    "another protocol": b"HTTP/1.1 400 Bad Request\r\n",
    "bytes": b"\x00\xff\r\n\r\n",
}
MOST_STEPS = 60
"""More commands than any operation sends."""


class Liar:
    """Replaces one reply of a real Redis.

    Attributes:
        replies: those that it has passed on since it was told to lie.
        at: the number of the reply that it replaces.
        reply: what it sends instead; None = it tells the truth.
    """

    def __init__(self):
        self.replies, self.at, self.reply = 0, 0, None

    def lie(self, at, reply):
        """Replace the reply of this number from now on."""
        self.replies, self.at, self.reply = 0, at, reply

    async def serve(self, path, client):
        """Forward one connection, command by command."""
        try:
            async with client, await trio.open_unix_socket(path) as server:
                commands, replies = Messages(client), Messages(server)
                while command := await commands.read():
                    await server.send_all(command)
                    reply = await replies.read()
                    if self.reply is not None and self.replies == self.at:
                        reply = self.reply
                    self.replies += 1
                    await client.send_all(reply)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass


class Messages:
    """Reads whole messages of Redis' protocol from a stream."""

    def __init__(self, stream):
        self._stream, self._received = stream, b""

    async def read(self):
        """Return the next message; nothing at the end of the stream."""
        while (size := _measure(self._received, 0)) is None:
            if not (data := await self._stream.receive_some()):
                return b""
            self._received += data
        message, self._received = self._received[:size], self._received[size:]
        return message


def _measure(data, start):
    """Return where the message that begins at `start` ends; None if it is not whole."""
    end = data.find(b"\r\n", start)
    if end < 0:
        return None
    kind, number = data[start : start + 1], data[start + 1 : end]
    end += 2
    if kind == b"$" and int(number) >= 0:
        end += int(number) + 2
    for _ in range(int(number) if kind == b"*" else 0):
        if (end := _measure(data, end)) is None:
            return None
    return end if end <= len(data) else None


@asynccontextmanager
async def lying(redis_url):
    """Run a liar before a Redis; give it and its address."""
    liar = Liar()
    path = redis_url.removeprefix("unix://").partition("?")[0]
    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(
            partial(trio.serve_tcp, partial(liar.serve, path), 0, host="127.0.0.1")
        )
        yield liar, f"redis://127.0.0.1:{listeners[0].socket.getsockname()[1]}"
        nursery.cancel_scope.cancel()


@pytest.fixture
async def liar_and_link(bridge, servers, monkeypatch, redis_reply_s):
    """A liar before an empty Redis, and a link to it whose breaker never opens."""
    monkeypatch.setattr("newsintel.storage.redis.server.SOCKET_S", redis_reply_s)
    monkeypatch.setattr("newsintel.storage.redis.breaker.FAILURES", 10**9)
    async with (
        lying(servers.redis_url) as (liar, url),
        open_redis(bridge, Secret(url), None) as link,
    ):
        await bridge.add_lane("test", 1).run(link.servers.first.redis.flushall)
        yield liar, link


@pytest.mark.slow
@pytest.mark.parametrize("odd", ODD)
async def test_an_odd_reply_in_any_step_is_an_outage(liar_and_link, odd):
    """It ends no actor and no request with an unforeseen error, and costs no connection."""
    liar, link = liar_and_link
    world = World(link)
    lies = 0
    for operation in (*world.list_writes().values(), *world.list_others().values()):
        for step in range(MOST_STEPS):
            liar.lie(step, ODD[odd])
            try:
                with trio.fail_after(PATIENCE_S):
                    await operation()
            except UnavailableError:
                pass
            told = liar.replies > step
            liar.lie(0, None)
            if not told:
                break
            lies += 1
        else:
            pytest.fail("it has more steps than MOST_STEPS")
    assert lies > 2 * CONNECTIONS
    await link.ping()


@pytest.mark.parametrize("odd", ODD)
async def test_an_odd_reply_leaves_a_spool_that_can_be_used(liar_and_link, odd):
    """What it said is not used for the next command."""
    liar, link = liar_and_link
    spool = RedisSpool(link, 10_000)
    for step in range(5):
        await spool.add(b"lost")
        liar.lie(step, ODD[odd])
        with suppress(UnavailableError):
            await spool.take()
        liar.lie(0, None)
        await spool.add(b"entry")
        with trio.fail_after(PATIENCE_S):
            while (entry := await spool.take()) is not None and entry.data != b"entry":
                await entry.remove()
        assert entry is not None
        await entry.remove()


async def test_an_odd_reply_is_logged_with_its_traceback(liar_and_link):
    """It may also be a bug of ours."""
    liar, link = liar_and_link
    liar.lie(0, ODD["a length that is no number"])
    with capture_logs() as lines, pytest.raises(UnavailableError):
        await link.ping()
    (line,) = [line for line in lines if line["event"] == "redis_reply_unreadable"]
    assert line["log_level"] == "error"
    assert line["exc_info"]
