"""A world for streams: the real desk and merger, and sources that the test plays."""

from contextlib import asynccontextmanager

import httpx
import trio
from attrs import define
from httpx_sse import EventSource

from newsintel.domain.search.outcome import Status
from newsintel.runtime.search.desk import Desk
from tests.actors.test_merger import WINDOWS, Rig
from tests.fakes.basics import MemoryArchive
from tests.http.world import SOURCES, World
from tests.make import article, outcome

NAMES = tuple(source.name for source in SOURCES)


@define
class Newsroom:
    """The world of the routes around a real desk, and the actor behind it."""

    rig: Rig
    world: World

    async def report(self, name, status=Status.OK, *titles):
        """Play one source: answer its next job with articles of these titles."""
        found = tuple(
            article(f"{name}-{title}", source=name, title=title, canonical_url=f"https://x/{title}")
            for title in titles
        )
        with await self.rig.jobs[name].receive() as job:
            job.outbox.send_nowait(
                outcome(name, status, self.rig.now(), articles=found, returned=len(found))
            )


@asynccontextmanager
async def newsroom(*, deadline_s=1000.0, misses=None, max_flights=8):
    """Run a merger during the block."""
    rig = Rig(sources=NAMES)
    world = World(now=rig.now())
    world.desk = Desk(
        rig.to_merger,
        MemoryArchive(),
        rig.cache,
        windows=WINDOWS,
        max_flights=max_flights,
        search_deadline_s=deadline_s,
        misses=misses,
        sources_held_from=lambda _: frozenset(),
        now=rig.now,
    )
    async with trio.open_nursery() as nursery:
        nursery.start_soon(rig.run)
        yield Newsroom(rig, world)
        nursery.cancel_scope.cancel()


def parse_events(body):
    """The events of a whole stream, as httpx-sse reads them."""
    headers = {"Content-Type": "text/event-stream"}
    return list(EventSource(httpx.Response(200, headers=headers, content=body)).iter_sse())
