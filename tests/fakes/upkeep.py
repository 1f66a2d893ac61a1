"""The ports of pruning, checks and files, in memory."""

import trio

from newsintel.domain.archive.ports import DueCheck
from newsintel.errors import UnavailableError


class MemoryChecks:
    """A `ports.ArticleChecks` and a `ports.ArticlePruning`.

    `due` has the articles that are due, by source; `finished` what was reported; `pruned` the calls
    of a sweep.
    """

    def __init__(self, **due: list[DueCheck]) -> None:
        self.due = due
        self.finished: list[dict[str, list[str]]] = []
        self.pruned: list[tuple[str, object]] = []
        self.old = 0
        self.away = False

    async def _answer(self) -> None:
        await trio.lowlevel.checkpoint()
        if self.away:
            raise UnavailableError("postgresql is away")

    async def take_due(self, source, limit):
        await self._answer()
        taken = self.due.get(source, [])[:limit]
        self.due[source] = self.due.get(source, [])[limit:]
        return taken

    async def finish(self, *, kept, anonymous, gone):
        await self._answer()
        self.finished.append({"kept": list(kept), "anonymous": list(anonymous), "gone": list(gone)})

    async def prune_source(self, source, before):
        await self._answer()
        self.pruned.append((source, before))
        went, self.old = self.old, 0
        return went


class MemoryBulkFiles:
    """A `bulk.BulkFiles`; leases end by trio's clock."""

    def __init__(self) -> None:
        self.leases: dict[str, float] = {}
        self.done: set[str] = set()
        self.away = False

    async def take(self, name, lease_s):
        await trio.lowlevel.checkpoint()
        if self.away:
            raise UnavailableError("postgresql is away")
        now = trio.current_time()
        if name in self.done or self.leases.get(name, 0.0) > now:
            return False
        self.leases[name] = now + lease_s
        return True

    async def finish(self, name):
        await trio.lowlevel.checkpoint()
        self.done.add(name)


class EmptyBulk:
    """A `bulk.BulkSource` that lists no files."""

    async def list_files(self):
        await trio.lowlevel.checkpoint()
        return []

    async def read_file(self, file):
        raise AssertionError(f"{file} was not listed")
