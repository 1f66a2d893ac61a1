"""`newsintel import`: lines of JSON into the archive. Streams; may be run again, from any line, without harm.

Lines are archived in batches, in their order. A line that cannot be an article is reported with its number and passed over.
"""

import argparse
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import trio
from attrs import define, field

from newsintel.commands.lines import MAX_LINE, Lines, reading
from newsintel.commands.progress import Counter
from newsintel.commands.setup import begin
from newsintel.commands.stores import prepared_stores
from newsintel.config.settings import Settings
from newsintel.domain.archive.format import parse
from newsintel.domain.archive.model import Hit
from newsintel.domain.archive.ports import Archive
from newsintel.errors import InvalidParameterError
from newsintel.runtime import command_loop
from newsintel.runtime.halving import save_halving
from newsintel.runtime.stopping import raising

BATCH_ROWS = 200
BATCH_BYTES = 2**20
"""A batch is archived when it has so many articles, or so many bytes of lines: indexing more text at once could outlast the time that
PostgreSQL gives a statement (1.5 s)."""

Row = tuple[int, Hit]
"""An article with the number of its line."""


def add_parser(commands: Any) -> None:
    """Declare the command."""
    command = commands.add_parser("import")
    command.add_argument(
        "file", metavar="FILE", help="lines as docs/archive-format.md has them, compressed with gzip or not; - for standard input"
    )
    command.add_argument("--from-line", metavar="N", type=_line_number, default=1, help="pass over the lines before (default 1)")
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Import; 0 if every line was archived, 1 if some were refused. However it ends, it says where to go on."""
    settings = begin(quiet=True)
    with reading(args.file) as lines, Counter("lines") as counter:
        report = _Report(counter, settled=args.from_line - 1)
        found = ((number, line) for number, line in lines if number >= args.from_line)
        try:
            command_loop.run(_import, settings, found, report)
        except BaseException:
            report.counter.say(f"stopped; go on with --from-line {report.settled + 1}")
            raise
    report.counter.say(f"{report.counter.total:,} lines: {report.new:,} new articles, {report.refused:,} lines refused")
    return 1 if report.refused else 0


@define
class _Report:
    """What became of the lines so far.

    Attributes:
        settled: the last line that is archived or reported, and all before it.
    """

    counter: Counter
    settled: int
    new: int = 0
    refused: int = 0

    def refuse(self, number: int, reason: str) -> None:
        """Say why a line is passed over."""
        self.refused += 1
        self.counter.say(f"line {number}: {reason}")


@define
class _Batch:
    """Lines read and not yet archived."""

    rows: list[Row] = field(factory=list)
    size_bytes: int = 0
    last: int = 0

    @property
    def full(self) -> bool:
        return len(self.rows) >= BATCH_ROWS or self.size_bytes >= BATCH_BYTES

    def take(self, number: int, line: bytes | None, report: _Report) -> None:
        """Add the article of a line; one that has none is reported."""
        self.last = number
        if line is None:
            report.refuse(number, f"longer than {MAX_LINE:,} bytes")
            return
        try:
            self.rows.append((number, parse(line, datetime.now(UTC))))
            self.size_bytes += len(line)
        except ValueError as error:
            report.refuse(number, str(error))


async def _import(settings: Settings, lines: Lines, report: _Report) -> None:
    async with prepared_stores(settings) as stores:
        batches = _batches(lines, report)
        while (batch := _next(batches)) is not None:
            await _save(stores.archive.articles, batch.rows, report)
            report.counter.add(batch.last - report.settled)
            report.settled = batch.last


def _next(batches: Iterator[_Batch]) -> _Batch | None:
    with raising():  # whoever is to write to a pipe may never do so
        return next(batches, None)


def _batches(lines: Lines, report: _Report) -> Iterator[_Batch]:
    """The lines in batches; refused ones are reported on the way. What the file cannot be read for is raised after the last whole line."""
    batch, damage = _Batch(), None
    try:
        for number, line in lines:
            batch.take(number, line, report)
            if batch.full:
                yield batch
                batch = _Batch()
    except InvalidParameterError as error:
        damage = error
    if batch.last:
        yield batch
    if damage is not None:
        raise damage


async def _save(archive: Archive, rows: Sequence[Row], report: _Report) -> None:
    """Archive rows; one that PostgreSQL refuses is reported.

    A signal waits for the statement that runs, which has its own limit, so that what is said of the lines is what became of them.
    """

    async def save(some: Sequence[Row]) -> None:
        # The archive keeps the earliest and the latest of an article's fetches: given both, it has the line's own times.
        saves = [(hit.article, moment) for _, hit in some for moment in dict.fromkeys((hit.first_seen_at, hit.fetched_at))]
        with trio.CancelScope(shield=True):
            report.new += await archive.save(saves, [])

    async def refuse(row: Row, reason: str) -> None:
        report.refuse(row[0], reason)

    await save_halving(rows, save, refuse)


def _line_number(raw: str) -> int:
    if not raw.isascii() or not raw.isdigit() or int(raw) < 1:
        raise argparse.ArgumentTypeError("must be a whole number from 1")
    return int(raw)
