"""The ports whose backlog an actor works off, in memory."""

import trio

from newsintel.errors import UnavailableError


class MemoryBacklog:
    """A backlog with `waiting` entries, of which each call takes ten."""

    def __init__(self, waiting=0) -> None:
        self.waiting = waiting
        self.away = False

    async def take(self):
        """Take up to ten entries and return their number."""
        await trio.lowlevel.checkpoint()
        if self.away:
            raise UnavailableError("postgresql is away")
        taken = min(10, self.waiting)
        self.waiting -= taken
        return taken


class MemoryStories(MemoryBacklog):
    """A `ports.StoryGroups` with articles to place."""

    place_batch = MemoryBacklog.take


class MemoryTextIndex(MemoryBacklog):
    """A `ports.TextIndex` with articles to read."""

    index_batch = MemoryBacklog.take


class MemoryTerms(MemoryBacklog):
    """A `ports.TermCounts` with changes to add up."""

    apply_changes = MemoryBacklog.take
