"""GET /articles/stream, read by httpx-sse, a parser of another project."""

from functools import partial

import httpx
import pytest
import trio
from httpx_sse import EventSource
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from trio.testing import wait_all_tasks_blocked

from newsintel.config.values import Quota
from newsintel.domain.bounds.slices import run_all
from newsintel.domain.search import merging
from newsintel.domain.search.dedup import Grouping
from newsintel.domain.search.harvest import Via
from newsintel.domain.search.merging import GroupedHarvest
from newsintel.domain.search.outcome import Status
from newsintel.domain.search.query_model import Dedupe
from newsintel.errors import FlightBugError, OverloadedError, RateLimitedError
from newsintel.http.application import create_app
from newsintel.runtime.limits.limiter import Limiter
from newsintel.runtime.search.flight import Failed, Flight, Landed, SourceReported
from tests.fakes.basics import Counts, MemoryCounter
from tests.http.newsroom import NAMES, newsroom, parse_events
from tests.http.personal_world import Person
from tests.http.wire import back_to, get, held, serving
from tests.http.world import Desk, World, answer, article, outcome, stale
from tests.make import NOON, query
from tests.samples import read_counter

PATH = "/articles/stream?q=flood"
SAME = "/articles?q=flood"


async def read_stream(world, path=PATH, **more):
    """Return the events of a whole stream."""
    response = await create_app(world.services).test_client().get(path, **more)
    assert response.status_code == 200
    assert response.content_type == "text/event-stream"
    return parse_events(await response.get_data())


def iterate(response):
    """Iterate over the events of a running stream."""
    return EventSource(response).aiter_sse()


def flown(*events):
    """Return a flight with these events."""
    flight = Flight(query(sources=NAMES), 10.0, on_answer=lambda *_: None)
    for event in events:
        flight.append(event)
    return flight


def reported(*outcomes):
    """Return the event of the last outcome, after the others."""
    found = answer(query(sources=("a", "b", "c")), *outcomes).harvest
    groups = run_all(Grouping(Dedupe.NORMAL).add(found.articles))
    return SourceReported(outcomes[-1], GroupedHarvest(found, groups))


async def test_events_come_as_the_sources_answer():
    """A source that hangs holds back no event of another; `done` is the answer of /articles."""
    async with (
        newsroom() as room,
        serving(room.world) as served,
        httpx.AsyncClient(base_url=served.url, timeout=60, trust_env=False) as client,
        client.stream("GET", PATH) as response,
    ):
        events = iterate(response)
        await room.report("guardian", Status.OK, "Waters rise", "A comet passes")
        first, merged = await anext(events), await anext(events)
        assert (first.event, first.id) == ("source", "1")
        assert first.json() == {
            "name": "guardian",
            "status": "ok",
            "latency_ms": None,
            "returned": 2,
            "kept": 2,
        }
        assert (merged.event, merged.id, merged.json()["total"]) == ("merge", "2", 2)
        shown = {one["title"] for one in merged.json()["articles"]}
        assert shown == {"Waters rise", "A comet passes"}
        await room.report("newsapi", Status.TIMEOUT)
        second, done = await anext(events), await anext(events)
        assert (second.event, second.json()["status"]) == ("source", "timeout")
        assert (done.event, done.id) == ("done", "end")
        with pytest.raises(StopAsyncIteration):  # the server has ended the stream
            await anext(events)
        assert done.json() == (await client.get(SAME)).json()
        assert response.headers["X-Accel-Buffering"] == "no"
        assert response.headers["Cache-Control"] == "no-store"


VIEWS = st.builds(
    "&limit={}&page={}&dedupe={}&explain={}&sort={}".format,
    st.integers(1, 3),
    st.integers(1, 3),
    st.sampled_from(["normal", "strict", "off"]),
    st.sampled_from([0, 1]),
    st.sampled_from(["relevance", "newest", "popular"]),
)
TITLES = st.lists(
    st.sampled_from(
        ["Flood waters rise", "Flood waters rose", "A comet passes", "Überflutung\u2028"]
    ),
    max_size=4,
    unique=True,
)


@given(
    order=st.permutations(NAMES),
    statuses=st.tuples(
        *[st.sampled_from([Status.OK, Status.EMPTY, Status.TIMEOUT, Status.UNAUTHORIZED])] * 2
    ),
    titles=st.tuples(TITLES, TITLES),
    view=VIEWS,
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_done_is_the_answer_of_articles(order, statuses, titles, view):
    """For any outcomes, order of arrival and view; a failure is the same problem."""

    async def compare():
        async with newsroom() as room, trio.open_nursery() as nursery:
            client = create_app(room.world.services).test_client()
            got = []

            async def ask(path):
                got.append(await client.get(path + view))

            nursery.start_soon(ask, PATH)
            for name, status, found in zip(order, statuses, titles, strict=True):
                await room.report(name, status, *(found if status is Status.OK else ()))
                await wait_all_tasks_blocked()
            nursery.start_soon(ask, SAME)
            if Status.OK not in statuses and Status.EMPTY not in statuses:  # nothing is cached
                for name, status in zip(order, statuses, strict=True):
                    await room.report(name, status)
        stream, plain = got
        *_, last = events = parse_events(await stream.get_data())
        expected = await plain.get_json()
        sent = last.json()
        if plain.status_code != 200:
            assert last.event == "problem"
            for document in (sent, expected):
                del document["request_id"], document["instance"]
        assert (last.id, sent) == ("end", expected)
        assert [one.json()["name"] for one in events if one.event == "source"] == [*order]
        assert len({one.id for one in events}) == len(events)

    trio.run(compare)


async def test_a_cached_answer_is_one_event():
    """No source is reported: none was asked. Stream and /articles share the finished page."""
    world = World(desk=Desk())
    client = create_app(world.services).test_client()
    plain = await (await client.get(SAME)).get_json()
    (done,) = await read_stream(world)
    assert (done.event, done.json()) == ("done", plain)


@pytest.mark.parametrize("via", Via)
@pytest.mark.parametrize("refused", [(), (Status.TIMEOUT,), (Status.TIMEOUT, Status.UNREACHABLE)])
async def test_an_older_answer_is_the_same_as_by_articles(via, refused):
    """While it is renewed, and after a renewal that failed."""
    world = World(desk=Desk(via=via, made_by=lambda asked: stale(asked, *refused)))
    plain = await create_app(world.services).test_client().get(SAME)
    (done,) = await read_stream(world)
    assert (done.event, done.json()) == ("done", await plain.get_json())
    assert done.json()["origin"] == "stale"


async def test_a_person_gets_their_own_view():
    """Preferences apply to each page, no cache keeps it, and the history can be off."""
    world = World(desk=Desk(flight=flown()))
    found = tuple(article(number) for number in (1, 2, 3))
    some = outcome(articles=found, returned=3)
    world.desk.flight.append(reported(some))
    alice = await Person.of(world)
    await alice.put("/me/preferences/default_limit", value=1)
    await alice.put("/me/preferences/record_history", value=False)
    async with trio.open_nursery() as nursery:
        responses = []

        async def read():
            responses.append(await alice.ask("GET", PATH))

        nursery.start_soon(read)
        await wait_all_tasks_blocked()
        world.desk.flight.append(Landed(answer(query(sources=NAMES)), asked=True))
    assert responses[0].headers["Cache-Control"] == "private, no-store"
    events = parse_events(await responses[0].get_data())
    assert [one.event for one in events] == ["source", "merge", "done"]
    assert [len(one.json()["articles"]) for one in events[1:]] == [1, 1]
    assert events[-1].json()["personal"]["applied"] == ["default_limit"]
    assert world.inbox[1].statistics().current_buffer_used == 0


async def test_a_stream_is_recorded_as_one_search():
    """A stream and the same search within a minute are one row; a later page is none."""
    world = World()
    client = create_app(world.services).test_client()
    await client.get(PATH)
    assert world.inbox[1].statistics().current_buffer_used == 1
    for path in (SAME, PATH + "&page=2"):
        await client.get(path)
    assert world.inbox[1].receive_nowait().query == "flood"
    assert world.inbox[1].statistics().current_buffer_used == 0
    assert read_counter(world.metrics, "searches", via="miss") == 2
    assert read_counter(world.metrics, "searches", via="hit") == 1  # the stream's finished page


async def test_a_failed_search_is_not_recorded():
    """Its problem is the last event."""
    world = World(desk=Desk(made_by=partial(answer, articles=0)))
    world.desk.made_by = lambda asked: answer(asked, outcome(Status.TIMEOUT), articles=0)
    (problem,) = await read_stream(world)
    assert (problem.event, problem.json()["code"]) == ("problem", "sources_timed_out")
    assert problem.json()["sources"]["guardian"]["status"] == "timeout"
    assert world.inbox[1].statistics().current_buffer_used == 0


@pytest.mark.parametrize(
    ("raised", "status"),
    [(OverloadedError("full"), 503), (RateLimitedError(7), 429)],
)
async def test_what_refuses_a_search_has_its_status(raised, status):
    """An EventSource does not retry then; the document is that of /articles."""
    client = create_app(World(desk=Desk(raises=raised)).services).test_client()
    stream, plain = await client.get(PATH), await client.get(SAME)
    assert stream.status_code == plain.status_code == status
    assert stream.content_type == "application/problem+json"
    assert stream.headers["Retry-After"] == plain.headers["Retry-After"]


async def test_the_limits_are_those_of_articles(autojump_clock):
    """A new flight takes one of MAX_FLIGHTS and a miss of its caller; joining takes none."""
    count = MemoryCounter()
    misses = Limiter("miss", Quota(2, 86_400), count, Counts(), NOON.timestamp)
    async with newsroom(max_flights=1, misses=misses) as room, trio.open_nursery() as nursery:
        room.world.misses = misses
        room.world.requests = Limiter("search", Quota(9, 60), count, Counts(), NOON.timestamp)
        client = create_app(room.world.services).test_client()
        got = []

        async def ask(path):
            got.append(await client.get(path))

        nursery.start_soon(ask, PATH)
        await wait_all_tasks_blocked()
        full = await client.get("/articles/stream?q=other")
        assert (full.status_code, (await full.get_json())["code"]) == (503, "busy")
        nursery.start_soon(ask, PATH + "&limit=1")
        await wait_all_tasks_blocked()
        for name in NAMES:
            await room.report(name, Status.OK, f"Story of {name}")
    assert [response.status_code for response in got] == [200, 200]
    assert '"miss";r=1;' in got[0].headers["RateLimit"]
    assert room.rig.counts["flight_bugs"] == 0


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/articles/stream", {}, 400),
        (PATH + "&limit=0", {}, 400),
        (PATH + "&page=1&page=2", {}, 400),
        (PATH + "&sources=nobody", {}, 400),
        (PATH + "&from=2026-03-02&to=2026-03-01", {}, 400),
        (PATH, {"Host": "evil.example"}, 421),
        (PATH, {"Authorization": "Bearer ni_" + "A" * 43}, 401),
    ],
)
async def test_bad_requests_are_refused_as_by_articles(path, headers, status):
    """No search runs."""
    world = World()
    response = await create_app(world.services).test_client().get(path, headers=headers)
    assert (response.status_code, world.desk.asked) == (status, [])


async def test_a_bug_in_the_flight_is_a_problem():
    """The status is sent already, so the problem is an event. It ends the stream."""
    first = outcome(source="newsapi")
    world = World(desk=Desk(flight=flown(reported(first), Failed(FlightBugError("f00d")))))
    events = await read_stream(world)
    assert [one.event for one in events] == ["problem"]
    assert (events[0].json()["code"], events[0].id) == ("internal", "end")


async def test_a_client_that_has_all_is_told_to_stop():
    """EventSource reconnects after every end; a 204 makes it stop. No search runs for it."""
    world = World()
    client = create_app(world.services).test_client()
    again = await client.get(PATH, headers={"Last-Event-ID": "end"})
    assert (again.status_code, await again.get_data(), world.desk.asked) == (204, b"", [])
    cut = await read_stream(world, headers={"Last-Event-ID": "2"})
    assert [one.event for one in cut] == ["done"]


async def test_head_has_the_headers_of_a_stream_and_asks_nobody():
    """It costs no upstream call."""
    async with serving() as served:
        answers = [await served.exchange(get(PATH, method=method)) for method in ("HEAD", "GET")]
    heads = [answered.partition(b"\r\n\r\n")[0].splitlines() for answered in answers]
    moving = (b"x-request-id", b"date")
    head, whole = ([line for line in one if not line.startswith(moving)] for one in heads)
    assert head == whole
    assert answers[0].endswith(b"\r\n\r\n")
    assert len(served.world.desk.asked) == 1


async def test_a_slow_reader_gets_each_source_and_the_newest_merge():
    """What was ranked meanwhile is skipped; nothing is queued for the reader."""
    ok = [outcome(source=name, articles=(article(n),)) for n, name in enumerate("ab", 1)]
    several = flown(reported(ok[0]), reported(*ok))
    world = World(desk=Desk(flight=several))
    async with trio.open_nursery() as nursery:
        events = []

        async def read():
            events.extend(await read_stream(world, PATH))

        nursery.start_soon(read)
        await wait_all_tasks_blocked()
        several.append(Landed(answer(several.query), asked=True))
    assert [one.event for one in events] == ["source", "source", "merge", "done"]
    assert events[2].json()["total"] == 2


async def test_after_the_last_source_only_the_answer_is_ranked():
    """A merge would delay it and show the same."""
    ok = [outcome(source=name, articles=(article(n),)) for n, name in enumerate("abc", 1)]
    landing = flown(reported(*ok[:2]), reported(*ok))
    async with trio.open_nursery() as nursery:
        events = []

        async def read():
            events.extend(await read_stream(World(desk=Desk(flight=landing))))

        nursery.start_soon(read)
        await wait_all_tasks_blocked()
        landing.append(Landed(answer(landing.query), asked=True))
    assert [one.event for one in events] == ["source", "source", "done"]


async def test_only_streams_rank_before_the_landing(monkeypatch):
    """A flight that nobody streams is ranked once, at its landing."""
    ranked = []
    rank = merging.rank_groups
    monkeypatch.setattr(merging, "rank_groups", lambda *given: [ranked.append(1), rank(*given)][1])
    for path, times in ((SAME, 1), (PATH, 2)):
        ranked.clear()
        async with newsroom() as room, trio.open_nursery() as nursery:
            client = create_app(room.world.services).test_client()
            nursery.start_soon(client.get, path)
            for name in NAMES:
                await room.report(name, Status.OK, f"Story of {name}")
                await wait_all_tasks_blocked()
        assert len(ranked) == times, path


async def test_a_comment_is_sent_while_nothing_happens(autojump_clock):
    """Every 15 s: balancers cut connections that are idle for 60 s."""
    async with newsroom() as room, trio.open_nursery() as nursery:
        bodies = []

        async def read():
            response = await create_app(room.world.services).test_client().get(PATH)
            bodies.append(await response.get_data())

        nursery.start_soon(read)
        await trio.sleep(50)
        for name in NAMES:
            await room.report(name, Status.OK, "Waters rise")
    before, _, rest = bodies[0].partition(b"event: ")
    assert before == b":\n\n" * (1 + 3)  # one opens the stream
    assert b":\n\n:" not in rest
    assert parse_events(bodies[0])[-1].event == "done"


async def test_a_client_that_leaves_frees_everything_and_cancels_nobody():
    """Another caller of the same flight gets the answer."""
    async with (
        newsroom() as room,
        serving(room.world) as served,
        httpx.AsyncClient(base_url=served.url, timeout=60, trust_env=False) as client,
    ):
        await room.rig.no_job("newsapi")
        before = held()
        leaver = await served.open()
        await leaver.send_all(get(PATH))
        await room.report("guardian", Status.OK, "Waters rise")
        received = b""
        while b"event: merge" not in received:
            received += await leaver.receive_some()
        got = []
        async with trio.open_nursery() as nursery:

            async def wait():
                got.append((await client.get(SAME)).json())

            nursery.start_soon(wait)
            await leaver.aclose()
            await room.report("newsapi", Status.OK, "A comet passes")
        assert got[0]["total"] == 2
        await client.aclose()
        await back_to(before)


async def test_a_shutdown_lets_a_stream_end():
    """It gets `done` within the drain; then the connection closes."""
    async with newsroom() as room, serving(room.world) as served:
        stream = await served.open()
        await stream.send_all(get(PATH).replace(b"Connection: close\r\n", b""))
        await room.report("guardian", Status.OK, "Waters rise")
        received = b""
        while b"event: merge" not in received:
            received += await stream.receive_some()
        served.shutdown.set()
        await room.report("newsapi", Status.EMPTY)
        async for data in stream:
            received += data
        assert b"event: done" in received
