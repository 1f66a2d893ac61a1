"""The ports for many people's searches in memory.

They behave like the real ones without a server. Each can be set to be away.
"""

import trio

from newsintel.errors import UnavailableError


class _Memory:
    def __init__(self) -> None:
        self.away = False

    async def _answer(self) -> None:
        await trio.lowlevel.checkpoint()
        if self.away:
            raise UnavailableError("postgresql is away")


class MemorySearchMarks(_Memory):
    """A `ports.SearchMarks`.

    `closed` has the days that were closed, with their floors.
    """

    def __init__(self) -> None:
        super().__init__()
        self.kept = []
        self.closed = []

    async def add(self, searches):
        await self._answer()
        self.kept += searches

    async def forget_person(self, marks_of):
        await self._answer()
        self.kept = [one for one in self.kept if one.mark not in marks_of(one.day, one.query)]

    async def close_days(self, today, floor):
        await self._answer()
        self.closed.append((today, floor))
        return 0


class MemoryTrending(_Memory):
    """A `ports.Trending` with lists ranked from `observed`.

    `refreshed` has every refresh.
    """

    def __init__(self) -> None:
        super().__init__()
        self.observed = {}
        self.lists = {}
        self.refreshed = []
        self.reads = 0

    async def rebuild_list(self, span, now, floor, rank):
        await self._answer()
        self.refreshed.append((span, floor))
        self.lists[span] = rank([one for one in self.observed.get(span, ()) if one.people >= floor])
        return True

    async def list_top(self, span, floor, limit):
        self.reads += 1
        await self._answer()
        return [trend for trend in self.lists.get(span, ()) if trend.people >= floor][:limit]


class MemoryRelatedSearches(_Memory):
    """A `ports.RelatedSearches` with the relations that the test set.

    A seed below the floor has none, unless it is the caller's own.
    """

    def __init__(self) -> None:
        super().__init__()
        self.known = []
        self.asked = []

    async def find_related(self, seeds, today, floor, *, own):
        self.asked.append((list(seeds), own))
        await self._answer()
        return [
            kin
            for kin in self.known
            if kin.seed in seeds and kin.people >= floor and (own or kin.seed_people >= floor)
        ]
