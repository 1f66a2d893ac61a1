"""The hypercorn internals that http1 relies on, and the inbox that replaces its queue."""

import hashlib
import inspect

import hypercorn.config
import hypercorn.protocol.h11
import hypercorn.protocol.http_stream
import pytest
import trio
import trio.testing
from hypercorn.config import Config
from hypercorn.events import Closed, RawData
from hypercorn.trio.worker_context import WorkerContext

from newsintel.http.server.http1 import Http1
from newsintel.http.server.inbox import MAX_QUEUED_MESSAGES, Inbox
from newsintel.http.server.log import ServerLog
from newsintel.http.server.request_runner import RequestRunner

RELIED_ON = {
    hypercorn.protocol.h11.H11Protocol: (
        "b32a61e0a8ca2127c7e1cb133281521f6cc73fdefb94b188fb6944e80b175b43"
    ),
    hypercorn.config.Config.response_headers: (
        "5a637c3d48180e55020523bbe601bbffbaae225baf265cd61f88efbe8171a9ca"
    ),
    hypercorn.protocol.http_stream.HTTPStream: (
        "e0f656feb55ab89c407631368d7a00f3e1b9ab4eb5ade4a639771150bbc6cfa5"
    ),
}
"""What `http1` and `wire` build on, with the SHA-256 of the source that was last reviewed."""


@pytest.mark.parametrize("base", RELIED_ON, ids=lambda base: base.__name__)
def test_hypercorns_internals_are_unchanged(base):
    """A newer hypercorn can fail here.

    Read what changed, adapt newsintel/http/server/http1.py and wire.py, then put the new hash here.
    """
    assert hashlib.sha256(inspect.getsource(base).encode()).hexdigest() == RELIED_ON[base]


def part(number):
    """Return a message with a part of a body."""
    return {"type": "http.request", "body": b"%d" % number, "more_body": True}


async def test_messages_come_out_in_order_then_the_disconnect(autojump_clock):
    """Messages that were put before the end are still received."""
    inbox = Inbox()
    for number in range(3):
        await inbox.put(part(number))
    await inbox.put({"type": "http.disconnect"})
    received = [await inbox.receive() for _ in range(5)]
    assert received == [
        *map(part, range(3)),
        {"type": "http.disconnect"},
        {"type": "http.disconnect"},
    ]


async def test_a_full_inbox_blocks_its_sender_until_there_is_room(autojump_clock):
    """At most MAX_QUEUED_MESSAGES messages wait, and none is lost."""
    inbox, sent = Inbox(), []

    async def send():
        for number in range(10):
            await inbox.put(part(number))
            sent.append(number)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(send)
        await trio.testing.wait_all_tasks_blocked()
        assert len(sent) == MAX_QUEUED_MESSAGES
        assert [await inbox.receive() for _ in range(10)] == [*map(part, range(10))]


@pytest.mark.parametrize(
    "end",
    [Inbox.end, lambda inbox: inbox.put({"type": "http.disconnect"})],
    ids=["ended", "disconnected"],
)
async def test_the_end_frees_a_sender_that_waits_for_room(autojump_clock, end):
    """Otherwise a blocked sender could never report that its client left."""
    inbox, done = Inbox(), trio.Event()

    async def send():
        for number in range(10):
            await inbox.put(part(number))
        done.set()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(send)
        await trio.testing.wait_all_tasks_blocked()
        assert not done.is_set()
        if (waiting := end(inbox)) is not None:
            await waiting
        await done.wait()


async def test_the_end_wakes_a_receiver(autojump_clock):
    """The receiver gets a disconnect."""
    inbox = Inbox()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.sleep, 0)
        await trio.testing.wait_all_tasks_blocked()

        async def receive():
            assert await inbox.receive() == {"type": "http.disconnect"}

        nursery.start_soon(receive)
        await trio.testing.wait_all_tasks_blocked()
        inbox.end()


POST = b"POST / HTTP/1.1\r\nHost: localhost\r\n"
SIZED = POST + b"Content-Length: %d\r\n\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
NEXT = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


def build_posts():
    """Return requests whose body has more reads than the inbox has room, as their reads."""
    for more in (1, 2):
        pieces = [b"x" * 10] * (MAX_QUEUED_MESSAGES + more)
        chunks = [b"a\r\n%b\r\n" % piece for piece in pieces]
        sized = SIZED % len(b"".join(pieces))
        yield pytest.param([sized, *pieces], id=f"sized-{more}")
        yield pytest.param([sized, *pieces[:-1], pieces[-1] + NEXT], id=f"pipelined-{more}")
        yield pytest.param([CHUNKED, *chunks, b"0\r\n\r\n"], id=f"chunked-{more}")
        yield pytest.param(
            [CHUNKED, *chunks[:-1], chunks[-1] + b"0\r\n\r\n"], id=f"chunked-end-{more}"
        )


TOO_LARGE = (
    {"type": "http.response.start", "status": 413, "headers": [(b"content-length", b"0")]},
    {"type": "http.response.body", "body": b"", "more_body": False},
)


async def exchange(app, reads):
    """Give reads to the protocol of one connection; return what it sent, and whether it closed."""
    sent = []

    async def send(event):
        await trio.lowlevel.checkpoint()
        sent.append(event)
        if isinstance(event, Closed):
            protocol.stop()

    async with trio.open_nursery() as nursery:
        protocol = Http1(
            RequestRunner(nursery, app, ServerLog(lambda *_, **__: None)),
            Config(),
            WorkerContext(None),
            client=None,
            server=None,
            send=send,
            refused=lambda *_: None,
        )
        for read in reads:
            await protocol.handle(RawData(read))
    answers = b"".join(event.data for event in sent if isinstance(event, RawData))
    return answers, any(isinstance(event, Closed) for event in sent)


@pytest.mark.parametrize("reads", [*build_posts()])
@pytest.mark.parametrize("taken", range(4))
async def test_a_response_may_end_while_the_rest_of_the_body_waits_for_room(reads, taken):
    """The rest is dropped. If the whole request had arrived, the connection serves the next one.

    The application takes some messages, and answers when the connection waits for it.
    """
    requests = []

    async def refuse(scope, receive, send):
        requests.append(scope["method"])
        for _ in range(taken if scope["method"] == "POST" else 0):
            await receive()
        await trio.testing.wait_all_tasks_blocked()
        for message in TOO_LARGE:
            await send(message)

    answers, closed = await exchange(refuse, reads)
    assert requests == (["POST"] if closed or NEXT not in reads[-1] else ["POST", "GET"])
    assert answers.count(b"HTTP/1.1 413 ") == len(requests)
