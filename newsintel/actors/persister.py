"""The persister: receives landed answers and writes their articles to the archive in batches.

An answer is *accepted* once the inbox has taken it. From then on each of its articles is saved,
stored as a dead letter with the reason, or counted as lost (if the archive is unavailable for
longer than shutdown allows). A retry is safe because saving is idempotent.
"""

import random
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

import trio
from attrs import define, field

from newsintel.domain.archive.ports import Archive
from newsintel.domain.bounds.room import ByteBudget
from newsintel.domain.ports import Count
from newsintel.domain.search.article import Article, Pair
from newsintel.domain.search.harvest import Answer
from newsintel.domain.search.merging import build_pairs
from newsintel.errors import UnavailableError
from newsintel.runtime.halving import save_halving
from newsintel.runtime.telemetry.logs import get_logger

log = get_logger(__name__)

BATCH_ROWS = 200
BATCH_S = 0.25
"""A batch is written when it has BATCH_ROWS rows, or BATCH_S after its first answer.

More rows would not be faster: the tests of the storage measured it.
"""
PAUSE_S = 0.2
MAX_PAUSE_S = 10.0
"""Pauses between retries double from PAUSE_S to MAX_PAUSE_S.

Each is shortened by up to half at random, so that processes do not retry together.
"""

FetchedArticle = tuple[Article, datetime]


@define
class _Batch:
    """Articles and pairs that are accepted but not saved yet."""

    rows: list[FetchedArticle] = field(factory=list)
    pairs: list[Pair] = field(factory=list)
    size_bytes: int = 0

    def add(self, answer: Answer) -> None:
        """Add a landed answer's articles, and the pairs that its merge found."""
        self.rows += [
            (article, outcome.fetched_at)
            for outcome in answer.harvest.outcomes
            for article in outcome.articles
        ]
        self.pairs += build_pairs(answer.merge)
        self.size_bytes += answer.size_bytes


async def run(
    inbox: trio.MemoryReceiveChannel[Answer], *, room: ByteBudget, archive: Archive, count: Count
) -> None:
    """Write until the inbox ends and everything is saved.

    If it is cancelled earlier, it counts the accepted articles that are not saved.

    Owns: its inbox.

    Args:
        inbox: landed answers.
        room: the bytes that the answers take from the moment they are sent until they are saved.
        archive: the archive.
        count: counts `archived_articles`, `dead_letters`, `refused_pairs`, `archive_retries` and
            `lost_articles`.
    """
    batch = _Batch()
    with inbox:
        try:
            async for answer in inbox:
                batch.add(answer)
                await _fill(inbox, batch)
                await _write(batch, archive, count)
                room.release(batch.size_bytes)
                batch.size_bytes = 0
        finally:
            _count_lost(inbox, batch, count)


async def _fill(inbox: trio.MemoryReceiveChannel[Answer], batch: _Batch) -> None:
    """Add answers until the batch is full, BATCH_S is over or the inbox has ended."""
    with trio.move_on_after(BATCH_S):
        while len(batch.rows) < BATCH_ROWS:
            try:
                batch.add(await inbox.receive())
            except trio.EndOfChannel:
                return


async def _write(batch: _Batch, archive: Archive, count: Count) -> None:
    """Save a batch in pieces of at most BATCH_ROWS.

    Pairs are saved last, when both of their articles are saved.
    """
    while batch.rows:
        piece = batch.rows[:BATCH_ROWS]
        await _save_rows(piece, archive, count)
        del batch.rows[: len(piece)]
    if batch.pairs:
        await _save_pairs(batch.pairs, archive, count)
        batch.pairs.clear()


async def _save_rows(rows: Sequence[FetchedArticle], archive: Archive, count: Count) -> None:
    """Save rows; store each refused row as a dead letter."""

    async def save(some: Sequence[FetchedArticle]) -> None:
        await _retry_until_available(lambda: archive.save_articles(some, []), count)
        count("archived_articles", len(some))

    async def bury(row: FetchedArticle, reason: str) -> None:
        article = row[0]
        log.warning("article_refused", article=article.id, source=article.source, reason=reason)
        await _retry_until_available(lambda: archive.store_dead_letter(article, reason), count)
        count("dead_letters")

    await save_halving(rows, save, bury)


async def _save_pairs(pairs: Sequence[Pair], archive: Archive, count: Count) -> None:
    """Save pairs; skip each refused pair, since a later merge can find it again.

    For example, one of its articles was deleted in the meantime.
    """

    async def save(some: Sequence[Pair]) -> None:
        await _retry_until_available(lambda: archive.save_articles([], some), count)

    async def leave_out(pair: Pair, reason: str) -> None:
        log.warning("pair_refused", member=pair.member_id, reason=reason)
        count("refused_pairs")

    await save_halving(pairs, save, leave_out)


async def _retry_until_available(operation: Callable[[], Awaitable[object]], count: Count) -> None:
    """Retry until the archive succeeds.

    Meanwhile the inbox fills. When it is full, the merger counts refusals.
    """
    pause_s = PAUSE_S
    while True:
        try:
            await operation()
        except UnavailableError as error:
            log.debug("archive_retry", reason=str(error), pause_s=pause_s)
            count("archive_retries")
        else:
            return
        await trio.sleep(pause_s * random.uniform(0.5, 1.0))  # noqa: S311 - spreads load
        pause_s = min(pause_s * 2, MAX_PAUSE_S)


def _count_lost(inbox: trio.MemoryReceiveChannel[Answer], batch: _Batch, count: Count) -> None:
    """Count accepted articles that are not saved.

    Closing the inbox discards its buffer, so the buffer is emptied first.
    """
    while True:
        try:
            batch.add(inbox.receive_nowait())
        except (trio.WouldBlock, trio.EndOfChannel):
            break
    if batch.rows:
        log.error("articles_lost", articles=len(batch.rows))
        count("lost_articles", len(batch.rows))
