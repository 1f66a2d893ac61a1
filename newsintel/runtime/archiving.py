"""Saves batches in the archive, for the persister and the drainer."""

from collections.abc import Callable, Sequence

from newsintel.domain.archive.batch import ArchiveBatch, FetchedArticle
from newsintel.domain.archive.ports import Archive
from newsintel.domain.ports import Count
from newsintel.domain.search.article import Pair
from newsintel.errors import PoisonedBatchError
from newsintel.runtime.halving import never, save_halving
from newsintel.runtime.telemetry.logs import get_logger

log = get_logger(__name__)


async def save_rows(
    batch: ArchiveBatch,
    number: int,
    archive: Archive,
    count: Count,
    is_hopeless: Callable[[FetchedArticle], bool] = never,
) -> None:
    """Save the first `number` rows of a batch; store each refused row as a dead letter.

    Each row is removed from the batch when it is saved or stored, so after a failure or a cancel
    the batch holds the others.

    Raises:
        UnavailableError: PostgreSQL is unavailable or too slow.
    """

    async def save(some: Sequence[FetchedArticle]) -> None:
        await archive.save_articles(some, [])
        del batch.rows[: len(some)]
        count("archived_articles", len(some))

    async def bury(row: FetchedArticle, reason: str) -> None:
        article = row[0]
        try:
            await archive.store_dead_letter(article, reason)
        except PoisonedBatchError as error:
            # PostgreSQL takes neither the row nor its text: a retry would block all rows behind it.
            log.error("articles_lost", articles=1, article=article.id, reason=str(error))  # noqa: TRY400 - the content is at fault
            count("lost_articles")
        else:
            log.warning("article_refused", article=article.id, source=article.source, reason=reason)
            count("dead_letters")
        del batch.rows[0]

    if number:
        await save_halving(batch.rows[:number], save, bury, is_hopeless)


async def save_pairs(batch: ArchiveBatch, archive: Archive, count: Count) -> None:
    """Save the pairs of a batch whose rows are saved, and remove them from it.

    A refused pair is skipped, since a later merge can find it again. For example, one of its
    articles was deleted in the meantime.

    Raises:
        UnavailableError: PostgreSQL is unavailable or too slow.
    """

    async def save(some: Sequence[Pair]) -> None:
        await archive.save_articles([], some)
        del batch.pairs[: len(some)]

    async def leave_out(pair: Pair, reason: str) -> None:
        del batch.pairs[0]
        log.warning("pair_refused", member=pair.member_id, reason=reason)
        count("refused_pairs")

    if batch.pairs:
        await save_halving(list(batch.pairs), save, leave_out)
