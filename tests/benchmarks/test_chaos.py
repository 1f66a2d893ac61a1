"""The chaos run's own parts: what it allows, and the faults of its network."""

import pytest
import trio

from benchmarks.chaos.history import AFTER_S, LATE_S, History, Part, Route
from benchmarks.chaos.meters import MemoryTrend, Reading, list_growth
from benchmarks.chaos.proxy import Mode, open_proxy

ROUTE = Route("search", frozenset({Part.SOURCES}), 1.5)
RETRY = {"retry-after": "1"}


def kinds(history):
    """The kinds of what was violated."""
    return [one.kind for one in history.violations]


@pytest.mark.parametrize(
    ("status", "headers", "took_s", "expected"),
    [
        (200, {}, 1.5 + LATE_S, []),
        (200, {}, 1.51 + LATE_S, ["late"]),
        (404, {}, 0.1, []),
        (500, RETRY, 0.1, ["status"]),
        (503, RETRY, 0.1, ["status"]),
        (504, {}, 0.1, ["status"]),
    ],
)
def test_without_a_fault_no_answer_fails_or_is_late(status, headers, took_s, expected):
    """A 4xx is the caller's."""
    history = History()
    history.note_answer(ROUTE, status, headers, 100, 100 + took_s)
    assert kinds(history) == expected


@pytest.mark.parametrize(
    ("part", "status", "headers", "began", "expected"),
    [
        (Part.SOURCES, 504, {}, 5, []),
        (Part.SOURCES, 503, RETRY, 5, []),
        (Part.SOURCES, 503, {}, 5, ["status"]),
        (Part.SOURCES, 500, {}, 5, ["status"]),
        (Part.POSTGRES, 504, {}, 5, ["status"]),
        (Part.SOURCES, 504, {}, 9.9 + AFTER_S, []),
        (Part.SOURCES, 504, {}, 10 + AFTER_S, ["status"]),
    ],
)
def test_a_fault_excuses_what_needs_it_for_its_time(part, status, headers, began, expected):
    """It runs from 0 to 10 s."""
    history = History()
    history.begin_fault("fault", part, 0)
    if began > 10:
        history.end_fault(part, 10)
    history.note_answer(ROUTE, status, headers, began, began)
    assert kinds(history) == expected


@pytest.mark.parametrize(
    ("after", "said"),
    [
        (Reading(101, 11, {"a": 0}, 0, 0), []),
        (Reading(200, 11, {"a": 0}, 0, 0), ["memory grew from 100 to 200 MiB"]),
        (Reading(101, 43, {"a": 0}, 0, 0), ["open files grew from 10 to 43"]),
        (Reading(101, 11, {"a": 2}, 0, 0), ["a is 2"]),
    ],
)
def test_what_does_not_come_back_is_told(after, said):
    """Memory and files have some room, slots and searches none."""
    assert list_growth(Reading(100, 10, {"a": 3}, 0, 0), after) == said


@pytest.fixture
async def echo(tmp_path):
    """A proxy before a server that sends everything back."""
    path = tmp_path / "socket"
    listener = trio.socket.socket(trio.socket.AF_UNIX)
    await listener.bind(str(path))
    listener.listen(5)

    async def send_back(stream):
        async for some in stream:
            await stream.send_all(some)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.serve_listeners, send_back, [trio.SocketListener(listener)])
        async with open_proxy(str(path)) as proxy:
            yield proxy
        nursery.cancel_scope.cancel()


async def ask(proxy):
    """Return what comes back over a new connection."""
    async with await trio.open_tcp_stream("127.0.0.1", proxy.port) as stream:
        await stream.send_all(b"x")
        return await stream.receive_some(1)


async def test_the_network_fails_in_each_way_and_works_again(echo):
    """An open connection survives a black hole, and a refusal ends it."""
    assert await ask(echo) == b"x"
    async with await trio.open_tcp_stream("127.0.0.1", echo.port) as old:
        await old.send_all(b"a")
        assert await old.receive_some(1) == b"a"
        await echo.set_mode(Mode.SWALLOW)
        await old.send_all(b"b")
        await echo.set_mode(Mode.WORK)
        assert await old.receive_some(1) == b"b"
        await echo.set_mode(Mode.REFUSE)
        with pytest.raises(trio.BrokenResourceError):
            await old.receive_some(1)
    with pytest.raises(OSError, match="failed"):
        await ask(echo)
    await echo.set_mode(Mode.RESET)
    with pytest.raises(trio.BrokenResourceError):
        await ask(echo)
    await echo.set_mode(Mode.SLOW)
    assert await ask(echo) == b"x"
    await echo.set_mode(Mode.FLAP)
    await echo.set_mode(Mode.WORK)
    assert await ask(echo) == b"x"


def test_the_trend_of_the_memory_is_judged_after_half_an_hour():
    """By its second half: 10 MiB an hour are too much."""
    for minutes, mib_h, said in ((40, 10, 1), (40, 5, 0), (20, 100, 0)):
        samples = [(second, 100 + mib_h * second / 3600) for second in range(0, minutes * 60, 10)]
        trend = MemoryTrend(samples)
        assert trend.slope_mib_h() == pytest.approx(mib_h)
        assert len(trend.list_growth()) == said
