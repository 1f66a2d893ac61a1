"""`newsintel export` writes the archive as lines of JSON, in the order of arrival, page by page."""

import argparse
import os
import stat
import sys
from contextlib import nullcontext
from typing import Any

from newsintel.commands.export_file import ExportFile, open_export
from newsintel.commands.progress import ProgressCounter
from newsintel.commands.setup import load_settings_and_log, write_failure
from newsintel.commands.stores import open_prepared_stores
from newsintel.config.settings import Settings
from newsintel.domain.archive.format import dump_line
from newsintel.errors import InvalidParameterError
from newsintel.runtime import command_loop
from newsintel.runtime.stopping import raise_on_signal

PAGE_ROWS = 500


def add_parser(commands: Any) -> None:
    """Declare the command."""
    command = commands.add_parser("export")
    about = (
        "output file, replaced when the export is complete, or appended to with --after; "
        "compressed if its name ends in .gz; - (default) for standard output"
    )
    command.add_argument("file", metavar="FILE", nargs="?", default="-", help=about)
    command.add_argument(
        "--after",
        metavar="ID",
        help="only articles archived after this one; an existing FILE must end with it",
    )
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Export. Returns 1 if the output cannot be written. If interrupted, says how to continue."""
    settings = load_settings_and_log(quiet=True)
    try:
        with (
            open_export(args.file, args.after) as export,
            ProgressCounter("articles", hidden=export.out.isatty()) as counter,
        ):
            if failure := command_loop.run(_export_articles, settings, export, args.after, counter):
                raise failure
    except OSError as error:
        if not isinstance(error, BrokenPipeError):
            write_failure(str(error.strerror), program="newsintel export")
        if args.file == "-":
            # Python flushes the buffer at exit, which would raise again
            # (docs.python.org/3/library/signal.html#note-on-sigpipe).
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return 0


async def _export_articles(
    settings: Settings, export: ExportFile, after: str | None, counter: ProgressCounter
) -> OSError | None:
    """Write every page. Returns a write error, because the stores would raise it in a group."""
    async with open_prepared_stores(settings) as stores:
        if after is not None and await stores.archive.articles.get_article(after) is None:
            raise InvalidParameterError(
                "after", "unknown", f"--after {after}: no such article is archived"
            )
        try:
            # The reader of a pipe may never read on, so a signal must interrupt the write. A
            # write to a regular file finishes its page.
            interruptible = (
                nullcontext
                if stat.S_ISREG(os.fstat(export.out.fileno()).st_mode)
                else raise_on_signal
            )
            while page := await stores.archive.dump.read_page(after, PAGE_ROWS):
                with interruptible():
                    export.write(b"".join(map(dump_line, page)))
                after = page[-1].article.id
                counter.add(len(page))
        except BrokenPipeError as error:
            return error  # the reader wanted no more lines
        except OSError as error:
            counter.print_line(_describe_stop(export, after))
            return error
        except BaseException:
            counter.print_line(_describe_stop(export, after))
            raise
    return None


def _describe_stop(export: ExportFile, after: str | None) -> str:
    if not after:
        return "stopped before the first article"
    waits = f", which adds to {export.path}" if export.replaces and export.size else ""
    return f"stopped; go on with --after {after}{waits}"
