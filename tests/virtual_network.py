"""A network in memory, on trio's virtual clock.

httpx, httpcore, h11 and TLS are the real ones; under autojump hours pass at once.

Only the function that opens a TCP connection is replaced, so every timeout that httpcore would set
is set, on the virtual clock.
"""

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any

import httpcore
import pytest
import trio
from attrs import define, field
from trio.testing import memory_stream_pair

from newsintel.config.reading import read_settings
from newsintel.config.settings import Settings
from newsintel.demo import server
from newsintel.demo.api import Clocks
from newsintel.demo.corpus import build_corpus
from newsintel.demo.wire import serve_connection
from newsintel.outbound.sources import REGISTRY

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
"""The time at which the simulated news is built."""

Simulated = Callable[..., AbstractAsyncContextManager[Settings]]
Serve = Callable[[trio.abc.Stream], Awaitable[None]]


@define
class Network:
    """What is slow in the network, in seconds, and the server at the other end."""

    serve: Serve
    nursery: trio.Nursery
    connect_s: float = 0.0
    tls_s: float = 0.0
    send_s: float = 0.0
    tls: ssl.SSLContext | None = None
    opened: int = 0

    async def open_tcp_stream(self, **_: Any) -> trio.abc.Stream:
        """Replaces trio's function of this name."""
        await trio.sleep(self.connect_s)
        ours, theirs = memory_stream_pair()
        self.opened += 1
        self.nursery.start_soon(self._answer, theirs)
        return _Sending(ours, self.send_s) if self.send_s else ours

    async def _answer(self, stream: trio.abc.Stream) -> None:
        try:
            if self.tls is not None:
                stream = trio.SSLStream(stream, self.tls, server_side=True, https_compatible=True)
                await trio.sleep(self.tls_s)
            await self.serve(stream)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            return  # the client has left


@define
class _Sending(trio.abc.Stream):
    """A stream with slow sends, as to a peer that reads slowly."""

    inner: trio.abc.Stream
    takes_s: float
    sent: int = field(default=0)

    async def send_all(self, data: Any) -> None:
        await trio.sleep(self.takes_s)
        await self.inner.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        await self.inner.wait_send_all_might_not_block()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        return await self.inner.receive_some(max_bytes)

    async def aclose(self) -> None:
        await self.inner.aclose()


@asynccontextmanager
async def virtual_network(monkeypatch: pytest.MonkeyPatch, serve: Serve) -> AsyncIterator[Network]:
    """Connect every connection opened during the block to `serve`, one task each."""
    asked = httpcore._backends.trio.TrioStream.get_extra_info

    def extra_info(stream: Any, name: str) -> Any:
        # A memory stream has no socket to inspect. Nothing unexpected arrives on an idle stream
        # here.
        return False if name == "is_readable" else asked(stream, name)

    async with trio.open_nursery() as nursery:
        network = Network(serve, nursery)
        with monkeypatch.context() as patch:
            patch.setattr(trio, "open_tcp_stream", network.open_tcp_stream)
            patch.setattr(httpcore._backends.trio.TrioStream, "get_extra_info", extra_info)
            yield network
        nursery.cancel_scope.cancel()


@pytest.fixture
def simulated(monkeypatch: pytest.MonkeyPatch) -> Simulated:
    """The simulated upstreams on a network in memory.

    The function takes the latency of each source in seconds and yields settings with its URLs.
    """

    @asynccontextmanager
    async def run(
        environ: Mapping[str, str] | None = None, *, limited: bool = False, **latencies_s: float
    ) -> AsyncIterator[Settings]:
        upstreams = server._build_upstreams(
            build_corpus(NOON, 1),
            Clocks(NOON, trio.current_time),
            1,
            lambda api: api,
            limited=limited,
        )
        for name, upstream in upstreams.items():
            upstream.behaviour = upstream.behaviour.change_settings(
                {"latency_ms": 1000 * latencies_s.get(name, 0), "jitter_ms": 0}
            )
        respond = partial(server._answer_request, upstreams, "http://simulated", None)
        async with virtual_network(monkeypatch, partial(serve_connection, respond=respond)):
            base_urls = {
                name: "http://simulated" + prefix for name, prefix in server.PREFIXES.items()
            }
            given = (
                server._build_environ(base_urls)
                | server._build_feed_environ(None)
                | {"NEWSINTEL_SECRET_KEYS": "A" * 43}
                | (environ or {})
            )
            yield read_settings([one.options for one in REGISTRY.values()], given)

    return run
