"""Whatever a server says about its cluster, it is at most an outage of Redis, within bounds.

A proxy, a server of another make or a broken one may redirect for ever, or name slots and servers
that no cluster has. The redirections and the replies to all other commands are those of a real
cluster: see test_cluster.
"""

from contextlib import asynccontextmanager
from functools import partial
from itertools import cycle

import pytest
import trio

from newsintel.config.values import Secret
from newsintel.errors import UnavailableError
from newsintel.storage.redis.link import open_redis
from tests.storage.redis.test_odd_replies import ODD, Messages
from tests.storage.support import run_command
from tests.waiting import PATIENCE_S

SPELLINGS = ("localhost", "127.1", "127.0.1", "2130706433", "0x7f000001", "0177.0.0.1")
"""Hosts that all lead to the same server."""


def bulk(text):
    """A text in Redis' protocol."""
    return b"$%d\r\n%b\r\n" % (len(text), text)


def several(*replies):
    """A list in Redis' protocol."""
    return b"*%d\r\n" % len(replies) + b"".join(replies)


def slots(first, last, port, host=b"127.0.0.1"):
    """A part of a reply to CLUSTER SLOTS."""
    port = b":%d\r\n" % port if isinstance(port, int) else port
    return several(b":%d\r\n" % first, b":%d\r\n" % last, several(bulk(host), port))


ODD_SLOTS = ODD | {
    "more slots than there are": several(slots(0, 2**20, 1)),
    "slots below 0": several(slots(-5, 16_383, 1)),
    "slots that end before they begin": several(slots(9, 3, 1), slots(0, 16_383, 1)),
    "the same slots again": several(*[slots(0, 16_383, 1)] * 20),
    "a port that is a list": several(slots(0, 16_383, several(b":1\r\n"))),
    "a port that is a text": several(slots(0, 16_383, bulk(b"6379"))),
    "a host that is no text": several(slots(0, 16_383, 1, b"\xff\xfe")),
    "a server for each slot": several(*(slots(one, one, 1 + one) for one in range(16_384))),
}


class Redirector:
    """A server that redirects each command, to each of some hosts in turn.

    Attributes:
        port: its own.
        told: what it says about the slots.
        asked: how often it was asked about them.
    """

    def __init__(self, told, hosts):
        self.port, self.told, self._hosts = 0, told, cycle(hosts)
        self.asked = 0

    async def serve(self, client):
        """Answer one connection."""
        try:
            async with client:
                commands = Messages(client)
                while command := await commands.read():
                    await client.send_all(self._answer(command))
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass

    def _answer(self, command):
        if b"CLUSTER" in command:
            self.asked += 1
            return self.told
        if b"ASKING" in command:
            return b"+OK\r\n"
        return b"-MOVED 1 %b:%d\r\n" % (next(self._hosts).encode(), self.port)


@asynccontextmanager
async def redirecting(told, hosts=("127.0.0.1",)):
    """Run a redirector; give it and its URL."""
    server = Redirector(told, hosts)
    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(partial(trio.serve_tcp, server.serve, 0, host="127.0.0.1"))
        server.port = listeners[0].socket.getsockname()[1]
        yield server, f"redis://127.0.0.1:{server.port}"
        nursery.cancel_scope.cancel()


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """A long timeout, because the machine may be busy, and no breaker."""
    monkeypatch.setattr("newsintel.storage.redis.server.SOCKET_S", PATIENCE_S)
    monkeypatch.setattr("newsintel.storage.redis.breaker.FAILURES", 10**9)


@pytest.mark.parametrize("odd", ODD_SLOTS)
async def test_odd_slots_are_an_outage(bridge, odd):
    """They are not used, and no operation meets an unforeseen error."""
    async with (
        redirecting(ODD_SLOTS[odd]) as (_, url),
        open_redis(bridge, Secret(url), None) as link,
    ):
        with trio.fail_after(PATIENCE_S), pytest.raises(UnavailableError):
            await link.call("k", run_command, "GET", "k")
        assert link.servers.list_servers() == [link.servers.first]
        assert link.servers.ping_keys == ("ping",)


async def test_redirections_to_ever_new_servers_fill_no_memory(bridge, monkeypatch):
    """There are no more than a cluster has."""
    monkeypatch.setattr("newsintel.storage.redis.servers.MOST_SERVERS", 3)
    async with (
        redirecting(b"-ERR unknown command\r\n", SPELLINGS) as (_, url),
        open_redis(bridge, Secret(url), None) as link,
    ):
        for _ in range(4):
            with trio.fail_after(PATIENCE_S), pytest.raises(UnavailableError):
                await link.call("k", run_command, "GET", "k")
        assert len(link.servers.list_servers()) == 1 + 3


async def test_a_load_asks_few_servers(bridge, monkeypatch):
    """Otherwise an operation would ask each of a thousand, again after each redirection."""
    monkeypatch.setattr("newsintel.storage.redis.servers.MOST_ASKED", 2)
    monkeypatch.setattr("newsintel.storage.redis.servers.LOAD_PAUSE_S", 0)
    asked = []

    async def ask(server):
        asked.append(server)
        return {}

    monkeypatch.setattr("newsintel.storage.redis.servers._ask_slots", ask)
    async with (
        redirecting(b"*0\r\n", SPELLINGS) as (_, url),
        open_redis(bridge, Secret(url), None) as link,
    ):
        with pytest.raises(UnavailableError):
            await link.call("k", run_command, "GET", "k")
        assert len(link.servers.list_servers()) == 1 + len(SPELLINGS)
        assert len(asked) < 2 * 16
        assert len(set(asked)) > 2


@pytest.mark.parametrize("told", [b"-ERR unknown command\r\n", b"*0\r\n", None])
async def test_endless_redirections_read_the_slots_once_in_a_while(bridge, monkeypatch, told):
    """Whether or not the server says who has them. Reading them again would change nothing."""
    monkeypatch.setattr("newsintel.storage.redis.servers.LOAD_PAUSE_S", PATIENCE_S)
    async with (
        redirecting(told) as (server, url),
        open_redis(bridge, Secret(url), None) as link,
    ):
        server.told = told or several(slots(0, 16_383, server.port))
        for _ in range(5):
            with trio.fail_after(PATIENCE_S), pytest.raises(UnavailableError):
                await link.call("k", run_command, "GET", "k")
        assert server.asked == 1
