"""The GDELT reader archives each listed file once, over all processes and restarts."""

import pytest
import trio
from attrs import define, field

from newsintel.actors import gdelt_reader
from newsintel.domain.archive.bulk import BulkFile
from newsintel.domain.search.outcome import Refusal, SourcePage, Status
from tests.fakes.basics import Clock, Counts, MemoryArchive
from tests.fakes.upkeep import MemoryBulkFiles
from tests.make import article

QUARTER_S = 900.0
LOST = Refusal(Status.UNREACHABLE, "connection lost")


@define
class Gdelt:
    """A `BulkSource` with a new file every quarter of an hour."""

    broken: set[str] = field(factory=set)
    list_fails: bool = False
    read: list[str] = field(factory=list)
    listed: int = 0
    takes_s: float = 0.0

    async def list_files(self):
        await trio.lowlevel.checkpoint()
        self.listed += 1
        name = f"file{trio.current_time() // QUARTER_S:.0f}"
        return LOST if self.list_fails else [BulkFile(name, 10, "0" * 32)]

    async def read_file(self, file):
        await trio.sleep(self.takes_s)
        if file.name in self.broken:
            return LOST
        self.read.append(file.name)
        pages = tuple(article(f"{file.name}-{number}") for number in range(250))
        return SourcePage(pages, 252, {"no_title": 2}, 200)


async def run_for(time_s, gdelt, files=None, archive=None, processes=1):
    """Run the actor in some processes until it is cancelled; return the counts."""
    counts, archive = Counts(), archive or MemoryArchive()
    files = files or MemoryBulkFiles()
    with trio.move_on_after(time_s):
        async with trio.open_nursery() as nursery:
            for _ in range(processes):
                nursery.start_soon(
                    lambda: gdelt_reader.run(
                        source=gdelt, files=files, archive=archive, count=counts, now=Clock()
                    )
                )
    return counts


async def test_each_file_is_archived_once(autojump_clock):
    """Its articles are saved in batches, and its refused lines are counted."""
    gdelt, archive = Gdelt(), MemoryArchive()
    counts = await run_for(2 * QUARTER_S - 1, gdelt, archive=archive)
    assert gdelt.read == ["file0", "file1"]
    assert len(archive.kept) == 500
    assert max(archive.calls) <= 200
    assert counts["bulk_files"] == 2
    assert counts["archived_articles"] == 500
    assert counts["dropped_articles gdelt no_title"] == 4


async def test_processes_share_the_files(autojump_clock):
    """Five processes read a file as often as one does, and look little more often."""
    gdelt = Gdelt(takes_s=30)
    await run_for(4 * QUARTER_S - 1, gdelt, processes=5)
    assert gdelt.read == ["file0", "file1", "file2", "file3"]
    assert gdelt.listed <= 4 * QUARTER_S / gdelt_reader.LOOK_LEASE_S + 1


async def test_a_restart_continues(autojump_clock):
    """A finished file is not read again; one that was cut is, after its lease."""
    gdelt, files, archive = Gdelt(), MemoryBulkFiles(), MemoryArchive()
    await run_for(300, gdelt, files, archive)
    await run_for(300, gdelt, files, archive)
    assert gdelt.read == ["file0"]
    gdelt, files = Gdelt(takes_s=40), MemoryBulkFiles()
    await run_for(gdelt_reader.FIRST_S + 5, gdelt, files)
    assert (gdelt.read, files.done) == ([], set())
    assert gdelt.listed == 1


async def test_a_broken_file_is_counted_and_others_are_read(autojump_clock):
    """It is tried again when its lease ends, as long as it is listed."""
    gdelt = Gdelt(broken={"file0"})
    counts = await run_for(2 * QUARTER_S - 1, gdelt)
    assert gdelt.read == ["file1"]
    assert counts["bulk_failures"] >= 1


async def test_a_list_that_fails_is_counted(autojump_clock):
    """The next look tries again."""
    gdelt = Gdelt(list_fails=True)
    counts = await run_for(QUARTER_S, gdelt)
    assert counts["bulk_failures"] == gdelt.listed >= 3


async def test_a_download_has_a_time_limit(autojump_clock):
    """A file that takes too long is left for the next lease."""
    gdelt = Gdelt(takes_s=gdelt_reader.DOWNLOAD_S + 1)
    counts = await run_for(QUARTER_S, gdelt)
    assert gdelt.read == []
    assert counts["bulk_failures"] >= 1


@pytest.mark.parametrize("away", ["files", "archive"])
async def test_a_database_that_is_away_loses_nothing(autojump_clock, away):
    """A file is finished only when its articles are saved."""
    gdelt, files, archive = Gdelt(), MemoryBulkFiles(), MemoryArchive()
    store = {"files": files, "archive": archive}[away]
    store.away = True
    counts = await run_for(QUARTER_S / 2, gdelt, files, archive)
    assert counts["bulk_failures"] >= 1
    assert not files.done
    store.away = False
    await run_for(2 * QUARTER_S, gdelt, files, archive)
    assert files.done


async def test_an_article_that_cannot_be_saved_is_set_aside(autojump_clock):
    """The others are saved, and the file is done."""
    archive, files = MemoryArchive(), MemoryBulkFiles()
    archive.poisoned = {"a_file0-7"}
    await run_for(300, Gdelt(), files, archive)
    assert len(archive.kept) == 249
    assert set(archive.buried) == {"a_file0-7"}
    assert files.done == {"file0"}


async def test_a_bug_ends_the_actor(autojump_clock):
    """An unexpected exception is not swallowed."""
    gdelt = Gdelt()
    gdelt.read = None
    with pytest.raises(BaseExceptionGroup):
        await run_for(300, gdelt)
