"""`newsintel import` archives lines of JSON. It streams, and can be repeated safely from any line.

It archives lines in batches, in their order. It reports a line that is not an article with its
number, and skips it.
"""

import argparse
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import trio
from attrs import define, field

from newsintel.commands.lines import MAX_LINE, Lines, open_lines
from newsintel.commands.progress import ProgressCounter
from newsintel.commands.setup import load_settings_and_log
from newsintel.commands.stores import open_prepared_stores
from newsintel.config.settings import Settings
from newsintel.domain.archive.format import parse_line
from newsintel.domain.archive.model import Hit
from newsintel.domain.archive.ports import Archive
from newsintel.errors import InvalidParameterError
from newsintel.runtime import command_loop
from newsintel.runtime.halving import save_halving
from newsintel.runtime.stopping import raise_on_signal

BATCH_ROWS = 200
BATCH_BYTES = 2**20
"""A batch is archived when it has this many articles or bytes: indexing more text at once could
exceed PostgreSQL's statement timeout (1.5 s)."""

NumberedHit = tuple[int, Hit]
"""A line number and its article."""


def add_parser(commands: Any) -> None:
    """Declare the command."""
    command = commands.add_parser("import")
    command.add_argument(
        "file",
        metavar="FILE",
        help="lines as in docs/archive-format.md, plain or gzip; - for standard input",
    )
    command.add_argument(
        "--from-line",
        metavar="N",
        type=_parse_line_number,
        default=1,
        help="skip the lines before line N (default 1)",
    )
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Import. Returns 0 if every line was archived, 1 if some were refused.

    An interrupted import says how to continue.
    """
    settings = load_settings_and_log(quiet=True)
    with open_lines(args.file) as lines, ProgressCounter("lines") as counter:
        report = _ImportReport(counter, settled=args.from_line - 1)
        found = ((number, line) for number, line in lines if number >= args.from_line)
        try:
            command_loop.run(_import_lines, settings, found, report)
        except BaseException:
            report.counter.print_line(f"stopped; go on with --from-line {report.settled + 1}")
            raise
    report.counter.print_line(
        f"{report.counter.total:,} lines: {report.new:,} new articles, "
        f"{report.refused:,} lines refused"
    )
    return 1 if report.refused else 0


@define
class _ImportReport:
    """The result for the lines so far.

    Attributes:
        settled: number of the last line that, with all lines before it, is archived or reported.
    """

    counter: ProgressCounter
    settled: int
    new: int = 0
    refused: int = 0

    def refuse_line(self, number: int, reason: str) -> None:
        """Report why a line is skipped."""
        self.refused += 1
        self.counter.print_line(f"line {number}: {reason}")


@define
class _Batch:
    """Lines that are read but not yet archived."""

    rows: list[NumberedHit] = field(factory=list)
    size_bytes: int = 0
    last: int = 0

    @property
    def is_full(self) -> bool:
        return len(self.rows) >= BATCH_ROWS or self.size_bytes >= BATCH_BYTES

    def add_line(self, number: int, line: bytes | None, report: _ImportReport) -> None:
        """Add the article of a line, or report the line if it has none."""
        self.last = number
        if line is None:
            report.refuse_line(number, f"longer than {MAX_LINE:,} bytes")
            return
        try:
            self.rows.append((number, parse_line(line, datetime.now(UTC))))
            self.size_bytes += len(line)
        except ValueError as error:
            report.refuse_line(number, str(error))


async def _import_lines(settings: Settings, lines: Lines, report: _ImportReport) -> None:
    async with open_prepared_stores(settings) as stores:
        batches = _split_batches(lines, report)
        while (batch := _read_batch(batches)) is not None:
            await _save_rows(stores.archive.articles, batch.rows, report)
            report.counter.add(batch.last - report.settled)
            report.settled = batch.last


def _read_batch(batches: Iterator[_Batch]) -> _Batch | None:
    with (
        raise_on_signal()
    ):  # the writer of a pipe may never write, so a signal must interrupt the read
        return next(batches, None)


def _split_batches(lines: Lines, report: _ImportReport) -> Iterator[_Batch]:
    """Yield the lines in batches and report refused lines.

    If the file is damaged, the error is raised after the last whole line.
    """
    batch, damage = _Batch(), None
    try:
        for number, line in lines:
            batch.add_line(number, line, report)
            if batch.is_full:
                yield batch
                batch = _Batch()
    except InvalidParameterError as error:
        damage = error
    if batch.last:
        yield batch
    if damage is not None:
        raise damage


async def _save_rows(archive: Archive, rows: Sequence[NumberedHit], report: _ImportReport) -> None:
    """Archive rows, and report each row that PostgreSQL refuses.

    A signal waits for the running statement, which has its own timeout, so the report is exact.
    """

    async def save(some: Sequence[NumberedHit]) -> None:
        # The archive keeps the earliest and the latest fetch of an article. Saving with both times
        # stores the line's own times.
        saves = [
            (hit.article, moment)
            for _, hit in some
            for moment in dict.fromkeys((hit.first_seen_at, hit.fetched_at))
        ]
        with trio.CancelScope(shield=True):
            report.new += await archive.save_articles(saves, [])

    async def refuse(row: NumberedHit, reason: str) -> None:
        report.refuse_line(row[0], reason)

    await save_halving(rows, save, refuse)


def _parse_line_number(raw: str) -> int:
    if not raw.isascii() or not raw.isdigit() or int(raw) < 1:
        raise argparse.ArgumentTypeError("must be a whole number from 1")
    return int(raw)
