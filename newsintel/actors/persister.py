"""The persister: receives landed answers and writes their articles to the archive in batches.

An article or a pair that was saved or spooled in the last minute, and has not changed, is dropped.
While more answers wait than half of what the inbox may hold, articles are spooled: it takes less
time.

An answer is *accepted* once the inbox has taken it. From then on each of its articles is saved,
stored as a dead letter with the reason, or spooled; the drainer saves what is spooled. An article
is lost only if the spool has no place for it, and then it is counted and logged. Saving and
spooling an article twice is harmless, because saving is idempotent.
"""

from functools import partial

import trio

from newsintel.domain.archive.batch import BATCH_BYTES, BATCH_ROWS, ArchiveBatch
from newsintel.domain.archive.ports import Archive
from newsintel.domain.archive.recent_saves import RecentSaves
from newsintel.domain.bounds.room import ByteBudget
from newsintel.domain.ports import Count
from newsintel.domain.search.harvest import Answer, ArchiveWrite
from newsintel.domain.search.sizes import articles_bytes
from newsintel.domain.tracing import Span
from newsintel.runtime.archiving import save_pairs, save_rows
from newsintel.runtime.attempts import Attempts
from newsintel.runtime.heartbeats import at_work
from newsintel.runtime.spool import Spool

BATCH_S = 0.25
"""A batch is written when it has BATCH_ROWS rows or BATCH_BYTES, or BATCH_S after its first answer.
"""
LAST_SPOOL_S = 1.0
"""Time for spooling the rest after a cancel or a bug."""


async def run(
    inbox: trio.MemoryReceiveChannel[ArchiveWrite],
    *,
    room: ByteBudget,
    archive: Archive,
    spool: Spool,
    count: Count,
) -> None:
    """Write until the inbox ends and everything is saved or spooled.

    If it is cancelled earlier, or ends by a bug, it spools what it holds.

    Owns: its inbox.

    Args:
        inbox: landed answers.
        room: the bytes that the answers take from the moment they are sent until they are saved or
            spooled.
        archive: the archive.
        spool: takes what PostgreSQL does not take in time.
        count: counts `archived_articles`, `dead_letters` and `refused_pairs`.
    """
    persister = _Persister(inbox, room, archive, spool, count)
    with inbox:
        try:
            async for first in inbox:
                with at_work():
                    taken_bytes = await persister.fill(first)
                    await persister.write()
                room.release(taken_bytes)
        finally:
            with trio.move_on_after(LAST_SPOOL_S, shield=True):
                await persister.spool_rest()
            persister.log_losses()


class _Persister:
    def __init__(
        self,
        inbox: trio.MemoryReceiveChannel[ArchiveWrite],
        room: ByteBudget,
        archive: Archive,
        spool: Spool,
        count: Count,
    ) -> None:
        self._inbox = inbox
        self._room = room
        self._archive = archive
        self._spool = spool
        self._count = count
        self._attempts = Attempts(spool)
        self._recent = RecentSaves()
        self._batch = ArchiveBatch()
        self._spans: list[Span] = []
        """Of the answers in the batch; no more than the inbox held, and those of BATCH_S."""
        self._need_spool = False
        """Whether a pair of the batch may need an article that only the spool has."""

    async def fill(self, first: ArchiveWrite) -> int:
        """Add answers until the batch is full, BATCH_S is over or the inbox has ended.

        Most of an answer is known where searches come fast. That part needs no room any more.

        Returns:
            The bytes that the rest takes.
        """
        taken_bytes = self._take(first)
        with trio.move_on_after(BATCH_S):
            while len(self._batch.rows) < BATCH_ROWS and taken_bytes < BATCH_BYTES:
                try:
                    taken_bytes += self._take(await self._inbox.receive())
                except trio.EndOfChannel:
                    break
        return taken_bytes

    async def write(self) -> None:
        """Save or spool all rows of the batch, then all pairs.

        After a row was spooled, the pairs are spooled too: they need both of their articles.
        """
        batch = self._batch
        batch.drop_repeats()
        while batch.rows or batch.pairs:
            number = batch.count_piece()
            others = len(batch.rows) - number
            if self._is_behind():
                await self._put(number, may_lose=False)
                number = len(batch.rows) - others  # more than 0 if the spool has no room
            if (self._need_spool and not number) or not (
                await self._attempts.save(partial(self._save, number))
            ):
                await self._put(len(batch.rows) - others, may_lose=True)
        self._end_spans(spooled=self._need_spool)
        self._need_spool = False
        self._recent.end_batch()

    async def spool_rest(self) -> None:
        """Spool what is accepted and not saved."""
        while True:  # closing the inbox would discard what it holds
            try:
                self._add(self._inbox.receive_nowait().answer)
            except (trio.WouldBlock, trio.EndOfChannel):
                break
        while self._batch.rows or self._batch.pairs:
            await self._spool.put_piece(self._batch, self._batch.count_piece())
        self._end_spans(spooled=True)

    def log_losses(self) -> None:
        """Log all losses, also of what could not be spooled at the end."""
        losses = self._spool.losses
        if self._batch.rows:
            losses.note_loss(len(self._batch.rows), f"not spooled within {LAST_SPOOL_S:g} s")
        losses.flush()

    async def _put(self, number: int, *, may_lose: bool) -> None:
        """Spool the first rows of the batch."""
        self._need_spool = True
        added = await self._spool.put_piece(self._batch, number, may_lose=may_lose)
        articles, now_s = (row[0] for row in added.rows), trio.current_time()
        self._recent.note((*articles, *added.pairs), now_s, spooled=True)

    def _take(self, write: ArchiveWrite) -> int:
        """Add an answer, and release the room of what is known; return the bytes that it keeps."""
        answer = write.answer
        self._spans.append(write.span.begin_child("persist"))
        kept_bytes = min(self._add(answer), answer.size_bytes)
        self._room.release(answer.size_bytes - kept_bytes)
        return kept_bytes

    def _add(self, answer: Answer) -> int:
        """Add what is not known of an answer to the batch; return its size in bytes."""
        new = ArchiveBatch()
        new.add(answer)
        if self._recent.drop_known(new, trio.current_time()):
            self._need_spool = True
        self._batch.rows += new.rows
        self._batch.pairs += new.pairs
        return articles_bytes(article for article, _ in new.rows)

    async def _save(self, number: int) -> None:
        batch = self._batch
        articles = [row[0] for row in batch.rows[:number]]
        await save_rows(batch, number, self._archive, self._count)
        self._recent.note(articles, trio.current_time(), spooled=False)
        if not batch.rows and not self._need_spool:
            pairs = tuple(batch.pairs)
            await save_pairs(batch, self._archive, self._count)
            self._recent.note(pairs, trio.current_time(), spooled=False)

    def _end_spans(self, *, spooled: bool) -> None:
        for span in self._spans:
            span.set({"newsintel.spooled": spooled})
            span.end()
        self._spans.clear()

    def _is_behind(self) -> bool:
        """Whether so much waits that the next answers might find no room."""
        waiting = self._inbox.statistics()
        return self._room.is_half_used or waiting.current_buffer_used > waiting.max_buffer_size / 2
