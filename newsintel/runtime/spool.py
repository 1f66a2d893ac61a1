"""The spool: where articles and searches wait while PostgreSQL is away.

It tries its places in order, Redis and then a file. Only if no place has room are they lost,
counted and logged.
"""

from collections.abc import Sequence
from math import inf

from newsintel.domain.archive.batch import ArchiveBatch, FetchedArticle
from newsintel.domain.archive.ports import SpoolEntry, SpoolPlace
from newsintel.domain.archive.spooled import Spooled, dump_spooled
from newsintel.domain.ports import Count
from newsintel.domain.search.history import SearchRecord
from newsintel.errors import SpoolFullError, UnavailableError
from newsintel.runtime.halving import save_halving
from newsintel.runtime.losses import LossLog
from newsintel.runtime.telemetry.logs import get_logger
from newsintel.runtime.turns import run_in_turns

log = get_logger(__name__)

PAIRS = 2_000
"""Pairs of one entry, some 200 kB. They follow the entries with their articles."""


class Spool:
    """All places of the spool.

    Args:
        places: in the order in which they are tried.
        count: counts `spooled_rows`, `spool_refusals`, `lost_articles`, `refused_pairs` and, for
            searches, `refusals`.

    Attributes:
        losses: logs the articles that no place had room for.
        urgent_from: the time of trio's clock from which the sinks spool without an attempt to save,
            because a shutdown's time for saving is over; inf until a shutdown begins.
    """

    def __init__(self, places: Sequence[SpoolPlace], count: Count) -> None:
        self._places = places
        self._count = count
        self.losses = LossLog(count)
        self.urgent_from = inf

    async def put_piece(
        self, batch: ArchiveBatch, number: int, *, may_lose: bool = True
    ) -> ArchiveBatch:
        """Add the first `number` rows of a batch, and its pairs if no other row is left.

        What is added or lost is removed from the batch, so after a cancel the batch holds the rest.

        Args:
            batch: what waits.
            number: of its rows.
            may_lose: whether what no place has room for is lost; otherwise it stays.

        Returns:
            The rows and pairs that were added.
        """
        others = len(batch.rows) - number
        added = ArchiveBatch()

        async def put(some: Sequence[FetchedArticle]) -> None:
            await self._put(Spooled(some), "articles")
            added.rows += some
            del batch.rows[: len(some)]

        async def lose(_row: FetchedArticle, reason: str) -> None:
            del batch.rows[0]
            self.losses.note_loss(1, reason)

        try:
            await save_halving(batch.rows[:number], put, lose)
            while batch.pairs and not batch.rows:
                some = batch.pairs[:PAIRS]
                await self._put(Spooled(pairs=some), "articles")
                added.pairs += some
                del batch.pairs[: len(some)]
        except UnavailableError as error:
            if may_lose:
                self._lose(batch, others, str(error))
        else:
            self.losses.note_success()
        return added

    def _lose(self, batch: ArchiveBatch, others: int, reason: str) -> None:
        """Remove all but the last `others` rows, and the pairs if there are none."""
        lost = len(batch.rows) - others
        del batch.rows[:lost]
        if not batch.rows:
            self._count("refused_pairs", len(batch.pairs))
            batch.pairs.clear()
        self.losses.note_loss(lost, reason)

    async def put_searches(self, searches: Sequence[SearchRecord]) -> None:
        """Add searches of the history, or count them as refused."""
        try:
            await self._put(Spooled(searches=searches), "searches")
        except UnavailableError as error:
            log.debug("searches_not_recorded", searches=len(searches), reason=str(error))
            self._count("refusals", len(searches), inbox="history")

    async def take(self) -> SpoolEntry | None:
        """Take an entry from the first place that has one; None if no reachable place has."""
        for place in self._places:
            try:
                if (entry := await place.take()) is not None:
                    return entry
            except UnavailableError as error:
                log.debug("spool_away", place=place.name, reason=str(error))
        return None

    def read_sizes(self) -> dict[tuple[str, ...], float]:
        """Return the bytes that wait at each place, as last seen, for the gauge."""
        return {(place.name,): place.size_bytes for place in self._places}

    async def _put(self, spooled: Spooled, kind: str) -> None:
        data = await run_in_turns(dump_spooled(spooled))
        reasons = []
        for place in self._places:
            try:
                await place.add(data)
            except UnavailableError as error:
                full = isinstance(error, SpoolFullError)
                self._count("spool_refusals", place=place.name, reason="full" if full else "away")
                reasons.append(f"{place.name}: {error}")
            else:
                self._count("spooled_rows", len(spooled), kind=kind, place=place.name)
                return
        raise UnavailableError("; ".join(reasons) or "no spool")
