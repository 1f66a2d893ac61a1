"""Crowds of clients that hold connections: what another client gets, and what it costs the loop.

The work is counted in turns of the event loop, alone and beside the crowd; no test reads a clock.
"""

import resource
import socket
from contextlib import ExitStack, suppress
from itertools import count

import pytest
import trio
import trio.testing
from attrs import frozen

from tests.http.wire import back_to, held, serving

HELLO = b"GET /articles?q=fair HTTP/1.1\r\nHost: localhost\r\n\r\n"
HEAD = b"GET /health HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
BODY = b"POST /auth/logout HTTP/1.1\r\nHost: localhost\r\nContent-Length: 60000\r\n\r\n"
LARGE = b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n" * 40
REQUESTS = 40
PER_ADDRESS = 250
SPARE_DESCRIPTORS = 500


@frozen
class Crowd:
    """Many clients that do the same.

    Attributes:
        number: how many.
        says: what each sends when it has connected.
        drips: what each sends again and again.
        window: bytes that each would receive; None = the system's default.
    """

    number: int
    says: bytes = b""
    drips: bytes = b""
    window: int | None = None

    async def gather(self, opened, port):
        """Connect all clients, from as many addresses as they need; return their sockets."""
        most = (resource.getrlimit(resource.RLIMIT_NOFILE)[0] - SPARE_DESCRIPTORS) // 2
        clients = []
        for number in range(min(self.number, most)):
            client = opened.enter_context(trio.socket.socket())
            if self.window:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.window)
            await client.bind((f"127.0.1.{1 + number // PER_ADDRESS}", 0))
            await client.connect(("127.0.0.1", port))
            await self.say(client, self.says)
            clients.append(client)
        return clients

    async def say(self, client, data):
        """Send bytes, if the server still has the connection open."""
        with suppress(OSError):
            while data:
                data = data[await client.send(data) :]


CROWDS = {
    "idle connections": Crowd(5_000),
    "slow heads": Crowd(1_000, HEAD, drips=b"x"),
    "slow bodies": Crowd(1_000, BODY, drips=b"x"),
    "slow readers": Crowd(200, LARGE, window=2_048),
}


class Turns(trio.abc.Instrument):
    """Counts the turns of the event loop."""

    def __init__(self):
        self.number = 0

    def after_io_wait(self, timeout):
        """Count one."""
        self.number += 1


async def ask_fairly(served, before_each=None):
    """Send requests on one connection; return the status of each, and the turns that it took."""
    stream = await served.open()
    statuses, turns = [], Turns()
    for _ in range(REQUESTS):
        if before_each:
            await before_each()
        trio.lowlevel.add_instrument(turns)
        await stream.send_all(HELLO)
        received = b""
        while b"\r\n\r\n" not in received or not received.endswith(b"}"):
            received += (await stream.receive_some(65_536)) or b"}"
        trio.lowlevel.remove_instrument(turns)
        statuses.append(received[:12])
    await stream.aclose()
    return statuses, turns.number


@pytest.mark.slow
@pytest.mark.parametrize("crowd", CROWDS.values(), ids=CROWDS)
async def test_a_crowd_takes_nothing_from_another_client(crowd):
    """All its requests are answered, in as many turns of the loop as without the crowd.

    When the crowd has left, nothing of it stays.
    """
    limits = {"NEWSINTEL_MAX_CONNECTIONS": "6000", "NEWSINTEL_HEAD_TIMEOUT_S": "1000"}
    async with serving(patience_s=300, **limits) as served:
        _, alone = await ask_fairly(served)
        before = held()
        with ExitStack() as opened:
            clients = await crowd.gather(opened, served.port)
            await trio.testing.wait_all_tasks_blocked(0.05)

            turn = count()

            async def drip():
                """Let a tenth of the crowd send, another one each time."""
                for client in clients[next(turn) % 10 :: 10] if crowd.drips else ():
                    await crowd.say(client, crowd.drips)
                await trio.testing.wait_all_tasks_blocked()

            statuses, beside = await ask_fairly(served, drip)
        assert set(statuses) == {b"HTTP/1.1 200"}
        assert beside <= 2 * alone
        assert served.counted("connections_refused", limit="address") == 0
        await back_to(before)
