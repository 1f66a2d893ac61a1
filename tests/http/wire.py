"""Raw bytes against the real server: a running service and the resources that it holds."""

from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path

import trio
from attrs import field, frozen

from newsintel.http.application import create_front
from newsintel.http.server.listener import serve_http
from tests.http.world import World, settings
from tests.samples import read_counter

PATIENCE_S = 60
"""Time limit for what must end; it does not test speed."""


@frozen
class Served:
    """A running server.

    Attributes:
        at_once: the statuses of the answers of the wire path.
    """

    url: str
    world: World
    shutdown: trio.Event
    opened: AsyncExitStack
    at_once: list[int] = field(factory=list)

    @property
    def port(self):
        """The port that the operating system chose."""
        return int(self.url.rpartition(":")[2])

    async def open(self):
        """Open a raw connection, which is closed with the server at the latest."""
        return await self.opened.enter_async_context(
            await trio.open_tcp_stream("127.0.0.1", self.port)
        )

    async def exchange(self, *parts, leave=False):
        """Send parts one after the other and read until the server closes.

        With `leave`, first say that nothing follows, as a client does that leaves.
        """
        async with await trio.open_tcp_stream("127.0.0.1", self.port) as stream:
            try:
                for part in parts:
                    await stream.send_all(part)
                if leave:
                    await stream.send_eof()
            except trio.BrokenResourceError:
                pass  # the server has closed already; its answer can still be read
            return await until_closed(stream)

    async def status(self, *parts):
        """Return the status of the first answer, or None if there is none."""
        answer = await self.exchange(*parts)
        return int(answer.split()[1]) if answer else None

    def counted(self, name, **labels):
        """Return a counter's value."""
        return read_counter(self.world.metrics, name, **labels)


def noting(statuses, wire_path):
    """Return the wire path's function, which also adds the status of each answer to a list."""

    def answer_and_note(scope):
        if (answer := wire_path.answer(scope)) is not None:
            statuses.append(answer.status)
        return answer

    return answer_and_note


@asynccontextmanager
async def serving(
    world=None, prepare=lambda _: None, app=None, *, patience_s=PATIENCE_S, wire=True, **environ
):
    """Serve the whole application on a free port until the block ends.

    With `wire` it has its wire path, as in the service. An `app` of the test has none.
    """
    world = world or World()
    world.settings = settings(NEWSINTEL_BIND="127.0.0.1:0", NEWSINTEL_RATE_LIMIT="off", **environ)
    at_once, answer_at_once = [], None
    if app is None:
        front = create_front(world.services)
        app, answer_at_once = front.app, noting(at_once, front.wire_path) if wire else None
        prepare(app)
    shutdown = trio.Event()
    with trio.fail_after(patience_s):
        async with AsyncExitStack() as opened, trio.open_nursery() as nursery:
            (url,) = await nursery.start(
                partial(
                    serve_http,
                    app,
                    world.settings,
                    shutdown=shutdown,
                    metrics=world.metrics,
                    answer_at_once=answer_at_once,
                )
            )
            yield Served(url, world, shutdown, opened, at_once)
            shutdown.set()


async def until_closed(stream):
    """Return everything that arrives until the server closes; a reset ends it too."""
    received = b""
    try:
        async for chunk in stream:
            received += chunk
    except trio.BrokenResourceError:
        pass
    return received


def held():
    """Return what the process holds: the number of living tasks and of open descriptors."""
    return trio.lowlevel.current_statistics().tasks_living, len(
        list(Path("/proc/self/fd").iterdir())
    )


async def back_to(before):
    """Wait until the process holds no more than before; `serving` limits the wait."""
    while any(now > then for now, then in zip(held(), before, strict=True)):  # noqa: ASYNC110  # descriptors have no event
        await trio.sleep(0.01)


def get(target, *headers, host="localhost", method="GET"):
    """Return the bytes of a request that asks to close the connection."""
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}", "Connection: close", *headers, "", ""]
    return "\r\n".join(lines).encode("latin-1")
