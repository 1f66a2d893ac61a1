"""The persister: receives landed answers and writes their articles to the archive in batches.

An article that was saved or spooled in the last minute, and has not changed, is dropped. While more
answers wait than half of what the inbox may hold, articles are spooled: it takes less time.

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
from newsintel.domain.search.harvest import Answer
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
    inbox: trio.MemoryReceiveChannel[Answer],
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
    batch, writer = ArchiveBatch(), _Writer(inbox, room, archive, spool, count)
    with inbox:
        try:
            async for answer in inbox:
                with at_work():
                    batch.add(answer)
                    size_bytes = answer.size_bytes + await _fill(inbox, batch)
                    await writer.write(batch)
                room.release(size_bytes)
        finally:
            _empty(inbox, batch)
            with trio.move_on_after(LAST_SPOOL_S, shield=True):
                await _spool_rest(batch, spool)
            if batch.rows:
                reason = f"not spooled within {LAST_SPOOL_S:g} s"
                spool.losses.note_loss(len(batch.rows), reason)
            spool.losses.flush()


class _Writer:
    def __init__(
        self,
        inbox: trio.MemoryReceiveChannel[Answer],
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

    async def write(self, batch: ArchiveBatch) -> None:
        """Save or spool all rows of a batch, then all pairs.

        After a row was spooled, the pairs are spooled too: they need both of their articles.
        """
        spooled = self._recent.drop_known(batch, trio.current_time())
        while batch.rows or batch.pairs:
            number = batch.count_piece()
            others = len(batch.rows) - number
            save = partial(self._save, batch, number, pairs=not spooled)
            if (spooled and not number) or self._is_behind() or not await self._attempts.save(save):
                spooled = True
                rows = await self._spool.put_piece(batch, len(batch.rows) - others)
                self._recent.note_spooled((row[0] for row in rows), trio.current_time())

    async def _save(self, batch: ArchiveBatch, number: int, *, pairs: bool) -> None:
        articles = [row[0] for row in batch.rows[:number]]
        await save_rows(batch, number, self._archive, self._count)
        self._recent.note_saved(articles, trio.current_time())
        if not batch.rows and pairs:
            last = tuple(batch.pairs)
            await save_pairs(batch, self._archive, self._count)
            self._recent.note_saved(last, trio.current_time())

    def _is_behind(self) -> bool:
        """Whether so much waits that the next answers might find no room."""
        waiting = self._inbox.statistics()
        return self._room.is_half_used or waiting.current_buffer_used > waiting.max_buffer_size / 2


async def _fill(inbox: trio.MemoryReceiveChannel[Answer], batch: ArchiveBatch) -> int:
    """Add answers until the batch is full, BATCH_S is over or the inbox has ended.

    Returns:
        The size of these answers in bytes.
    """
    size_bytes = 0
    with trio.move_on_after(BATCH_S):
        while len(batch.rows) < BATCH_ROWS and size_bytes < BATCH_BYTES:
            try:
                answer = await inbox.receive()
            except trio.EndOfChannel:
                break
            batch.add(answer)
            size_bytes += answer.size_bytes
    return size_bytes


def _empty(inbox: trio.MemoryReceiveChannel[Answer], batch: ArchiveBatch) -> None:
    """Add the answers in the inbox to a batch: closing the inbox would discard them."""
    while True:
        try:
            batch.add(inbox.receive_nowait())
        except (trio.WouldBlock, trio.EndOfChannel):
            break


async def _spool_rest(batch: ArchiveBatch, spool: Spool) -> None:
    """Spool what is accepted and not saved."""
    while batch.rows:
        await spool.put_piece(batch, batch.count_piece())
