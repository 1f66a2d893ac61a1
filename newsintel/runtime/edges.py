"""The long-lived channels of the pipeline, and the limits of their contents."""

from collections.abc import Mapping

import trio
from attrs import frozen

from newsintel.config.settings import Settings
from newsintel.domain.bounds.room import ByteBudget
from newsintel.domain.search.harvest import ArchiveWrite, CacheWrite
from newsintel.domain.search.history import SearchRecord
from newsintel.runtime.search.flight import FetchJob, Flight

PERSISTER_INBOX = 512
"""Answers accepted, and neither saved nor spooled yet: more than arrive while the persister waits
for PostgreSQL, half a second. Full: the merger counts and logs their articles as lost.
"""
SINK_BYTES = 32 * 2**20
"""Memory for the answers queued for each sink, the persister and the cache writer.

It holds 64 answers of 250 articles, which take longer to merge than the persister waits for
PostgreSQL. Full: the merger counts a refusal.
"""
FLIGHTS_BYTES = 64 * 2**20
"""Memory for the replies of sources in all running flights.

Full: the source is `overloaded` in that answer.
"""
RECORDER_INBOX = 1_000
"""Searches answered and not yet recorded: about a second of hits. Full: HTTP counts a refusal."""


@frozen
class Rooms:
    """The memory limits of flights and of the two sinks' queues."""

    flights: ByteBudget
    to_cache: ByteBudget
    to_persister: ByteBudget


@frozen
class Edges:
    """Send end and inbox of every long-lived channel, and the memory limits of their contents."""

    to_merger: trio.MemorySendChannel[Flight]
    flights: trio.MemoryReceiveChannel[Flight]
    to_fetchers: Mapping[str, trio.MemorySendChannel[FetchJob]]
    jobs: Mapping[str, trio.MemoryReceiveChannel[FetchJob]]
    to_cache: trio.MemorySendChannel[CacheWrite]
    cache_writes: trio.MemoryReceiveChannel[CacheWrite]
    to_persister: trio.MemorySendChannel[ArchiveWrite]
    answers: trio.MemoryReceiveChannel[ArchiveWrite]
    to_recorder: trio.MemorySendChannel[SearchRecord]
    searches: trio.MemoryReceiveChannel[SearchRecord]
    rooms: Rooms

    @classmethod
    def open(cls, settings: Settings) -> "Edges":
        """Open all channels. Each end has one owner, which closes it."""
        jobs = {
            name: trio.open_memory_channel[FetchJob](settings.max_flights)
            for name in settings.enabled_sources
        }
        return cls(
            *trio.open_memory_channel[Flight](settings.max_flights),
            {name: to_fetcher for name, (to_fetcher, _) in jobs.items()},
            {name: inbox for name, (_, inbox) in jobs.items()},
            *trio.open_memory_channel[CacheWrite](settings.max_flights),
            *trio.open_memory_channel[ArchiveWrite](PERSISTER_INBOX),
            *trio.open_memory_channel[SearchRecord](RECORDER_INBOX),
            Rooms(
                flights=ByteBudget(FLIGHTS_BYTES),
                to_cache=ByteBudget(SINK_BYTES),
                to_persister=ByteBudget(SINK_BYTES),
            ),
        )

    @property
    def inboxes(self) -> Mapping[str, trio.MemoryReceiveChannel[object]]:
        """The inbox of each actor, for the gauges."""
        sinks = {
            "cache_writer": self.cache_writes,
            "persister": self.answers,
            "recorder": self.searches,
        }
        return {
            "merger": self.flights,
            **sinks,
            **{f"fetcher {name}": inbox for name, inbox in self.jobs.items()},
        }
