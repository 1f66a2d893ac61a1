"""The GDELT reader: archives the pages of GDELT's 15-minute files, with GDELT_BULK=1.

It has no inbox that could end, so the composition root cancels it when requests have ended. The
database says which files are done and who reads one, so a restart continues, and several processes
never read the same file. A file whose articles could not all be saved is read again after its
lease; saving is idempotent.
"""

from collections.abc import Sequence

import trio

from newsintel.domain.archive.batch import ArchiveBatch
from newsintel.domain.archive.bulk import BulkFile, BulkFiles, BulkSource
from newsintel.domain.archive.ports import Archive
from newsintel.domain.ports import Count, WallClock
from newsintel.domain.search.outcome import Refusal, SourcePage, Status
from newsintel.errors import UnavailableError
from newsintel.runtime.archiving import save_rows
from newsintel.runtime.heartbeats import beat
from newsintel.runtime.periodic import repeat
from newsintel.runtime.telemetry.logs import get_logger

log = get_logger(__name__)

FIRST_S = 20.0
"""Pause before the first look, shortened by up to half at random."""
EVERY_S = 300.0
"""Pause between looks at the list, shortened by up to half at random. It changes every 15 minutes,
and each file is listed for 15 minutes."""
LOOK_LEASE_S = 120.0
"""After one process has looked, no other looks for this long."""
FILE_LEASE_S = 900.0
"""How long one process has to read a file and to save its pages."""
DOWNLOAD_S = 45.0
"""Time limit of a download, below the time after which an actor counts as silent."""
BUSY_S = 0.05
"""Pause between batches of articles. It leaves most of the time to other work."""
LOOK = "list"
"""The name of the lease on looking."""


async def run(
    *, source: BulkSource, files: BulkFiles, archive: Archive, count: Count, now: WallClock
) -> None:
    """Read until cancelled.

    Args:
        source: GDELT's files.
        files: which of them were read.
        archive: gets the articles.
        count: counts `bulk_files`, `bulk_failures`, `dropped_articles`, and what the archive
            counts.
        now: the time of day.
    """

    async def look() -> None:
        try:
            if await files.take(LOOK, LOOK_LEASE_S):
                await _read_new_files(source, files, archive, count, now)
        except UnavailableError as error:
            log.debug("bulk_read_failed", reason=str(error))
            count("bulk_failures")

    await repeat(look, every_s=EVERY_S, first_s=FIRST_S)


async def _read_new_files(
    source: BulkSource, files: BulkFiles, archive: Archive, count: Count, now: WallClock
) -> None:
    listed = await _list_files(source)
    if isinstance(listed, Refusal):
        _note_refusal(LOOK, listed, count)
        return
    for file in listed:
        beat()
        if not await files.take(file.name, FILE_LEASE_S):
            continue
        page = await _read_file(source, file)
        if isinstance(page, Refusal):
            _note_refusal(file.name, page, count)
            continue
        for reason, rows in page.dropped.items():
            count("dropped_articles", rows, source="gdelt", reason=reason)
        await _save_page(page, archive, count, now)
        await files.finish(file.name)
        count("bulk_files")
        log.info("bulk_file_read", file=file.name, articles=len(page.articles))


async def _list_files(source: BulkSource) -> Sequence[BulkFile] | Refusal:
    with trio.move_on_after(DOWNLOAD_S):
        return await source.list_files()
    return Refusal(Status.TIMEOUT, f"not listed within {DOWNLOAD_S:g} s")


async def _read_file(source: BulkSource, file: BulkFile) -> SourcePage | Refusal:
    beat()
    with trio.move_on_after(DOWNLOAD_S):
        return await source.read_file(file)
    return Refusal(Status.TIMEOUT, f"not read within {DOWNLOAD_S:g} s")


async def _save_page(page: SourcePage, archive: Archive, count: Count, now: WallClock) -> None:
    """Save all articles in pieces; the first failure ends it."""
    fetched_at = now()
    batch = ArchiveBatch([(article, fetched_at) for article in page.articles])
    while batch.rows:
        beat()
        await save_rows(batch, batch.count_piece(), archive, count)
        await trio.sleep(BUSY_S)


def _note_refusal(name: str, refusal: Refusal, count: Count) -> None:
    log.warning("bulk_file_refused", file=name, status=refusal.status, detail=refusal.detail)
    count("bulk_failures")
