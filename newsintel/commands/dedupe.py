"""`newsintel dedupe` groups the lines of a JSONL file by the rule that searches use.

It streams: it writes each line before it reads the next one, so a pipe that ends early has
delivered every line so far. It keeps in memory the titles of founders and the address of every
page, but no line. A line that cannot be used is reported and skipped. The other lines keep their
numbers, and their members are written back unchanged.
"""

import argparse
import json
import os
import re
import sys
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from typing import Any

import orjson
from attrs import define
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from newsintel.commands.lines import MAX_LINE, open_lines
from newsintel.commands.replacing import open_replacement
from newsintel.commands.setup import set_up_log_only, write_failure
from newsintel.domain.search.dedup import Deduper, Headline
from newsintel.domain.search.query_model import Dedupe
from newsintel.domain.text.json_line import read_object
from newsintel.domain.text.moments import read_moment
from newsintel.domain.text.safe_urls import sanitize_url
from newsintel.domain.text.urls import canonicalize_url
from newsintel.errors import InvalidParameterError
from newsintel.runtime.stopping import Stopped

_PROGRAM = "newsintel dedupe"
_UNUSABLE = 2
# Python's own exit code when the pipe that it writes to is closed.
_PIPE_CLOSED = 1

_OUTPUT_MEMBERS = frozenset({"cluster", "rule", "similarity"})
_DECODER = json.JSONDecoder(parse_int=str, parse_float=str)
_SEPARATORS = re.compile(r"[ \t\r\n:,]*")


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command. `run` of the parsed arguments takes them and returns the exit status."""
    parser = subparsers.add_parser(
        "dedupe",
        help="group headlines that tell one story",
        description="Groups the lines of a file by story, as searches do. Each line is written "
        "back with cluster (the number of its group's first line), rule (url, title or "
        "near_title) and similarity; both are null for the first line of a group.",
    )
    parser.add_argument(
        "file",
        metavar="FILE",
        help="lines of JSON objects with title, optional url, publisher (or source) and "
        "published_at (RFC 3339), gzip or not; - for standard input",
    )
    parser.add_argument(
        "--mode",
        choices=(Dedupe.STRICT.value, Dedupe.NORMAL.value),
        default=Dedupe.NORMAL.value,
        help="normal: titles that tell one story, of other publishers, within 72 hours; strict: "
        "titles that differ in less than a fifth of their letters (default: normal)",
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="OUT",
        default="-",
        help="replaced when every line is done; - for standard output",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Group the lines.

    Returns:
        0 on success; 1 if the reader of standard output closed the pipe; 2 if the file or a line
        cannot be used (standard error has one line for each).
    """
    set_up_log_only()
    report = _LineReport(args.file)
    try:
        with (
            open_lines(args.file) as lines,
            open_replacement(args.output) as out,
            _create_progress(hidden=out.isatty()) as progress,
        ):
            for line in _group_lines(progress.track(lines), Dedupe(args.mode), report):
                out.write(line)
                out.flush()
    except Stopped:
        with suppress(OSError):  # the terminal itself may be closed
            write_failure("stopped; run it again from the first line", program=_PROGRAM)
        raise
    except BrokenPipeError:
        # Python flushes the buffer at exit, which would raise again
        # (docs.python.org/3/library/signal.html#note-on-sigpipe).
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _PIPE_CLOSED
    except InvalidParameterError as error:
        report.write_error(str(error))
    except OSError as error:
        report.write_error(
            f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror)
        )
    else:
        if not report.used and args.output != "-":
            report.write_error(
                f"{args.file} has no line that can be used; {args.output} is not written"
            )
    return _UNUSABLE if report.refused else 0


@define
class _LineReport:
    """The result for a file: whether any line was used, and whether anything was refused."""

    file: str
    used: bool = False
    refused: bool = False

    def refuse_line(self, number: int, why: str) -> None:
        """Report a line that cannot be used. `why` continues the sentence after the line number."""
        self.write_error(f"{self.file}, line {number} {why}")

    def write_error(self, message: str) -> None:
        """Write one line to standard error."""
        self.refused = True
        write_failure(message, program=_PROGRAM)


def _group_lines(
    lines: Iterable[tuple[int, bytes | None]], mode: Dedupe, report: _LineReport
) -> Iterator[bytes]:
    """Yield each usable line with its cluster, rule and similarity."""
    deduper, founders = Deduper(mode), dict[int, int]()
    try:
        for number, line in lines:
            if line is None:
                report.refuse_line(number, f"is longer than {MAX_LINE:,} bytes")
                continue
            try:
                record = read_object(line)
                written = _strip_closing_brace(line, record)
            except (ValueError, RecursionError) as error:
                report.refuse_line(
                    number, f"is {error if isinstance(error, ValueError) else 'nested too deeply'}"
                )
                continue
            if why := _find_fault(record):
                report.refuse_line(number, why)
                continue
            report.used = True
            url = sanitize_url(record.get("url") or "")
            match = deduper.add(_read_headline(record), canonicalize_url(url) if url else None)
            if match.rule is None:
                founders[match.founder] = number
            found = {
                "cluster": founders[match.founder],
                "rule": match.rule,
                "similarity": match.similarity,
            }
            yield written + b"," + orjson.dumps(found, option=orjson.OPT_APPEND_NEWLINE)[1:]
    except InvalidParameterError as error:
        report.write_error(str(error))


def _find_fault(record: dict[str, Any]) -> str | None:
    if not isinstance(record.get("title"), str):
        return "has no title, or one that is not text"
    return None if isinstance(record.get("url"), str | None) else "has a url that is not text"


def _read_headline(record: dict[str, Any]) -> Headline:
    """Return what a line says of its article; a publisher or time that is not usable is unknown."""
    publisher = record.get("publisher") or record.get("source")
    written = record.get("published_at")
    at = None
    if isinstance(written, str):
        with suppress(ValueError, OverflowError):
            at = read_moment(written)
    return Headline(
        record["title"],
        publisher if isinstance(publisher, str) else "",
        at if at is not None and at.tzinfo else None,
    )


def _strip_closing_brace(line: bytes, record: dict[str, Any]) -> bytes:
    """Return a line's object as written, without the last brace and an earlier run's members."""
    text = line.strip()
    if record.keys() & _OUTPUT_MEMBERS:
        text = _remove_members(text.decode(), _OUTPUT_MEMBERS).encode()
    return text[:-1].rstrip()


def _remove_members(text: str, names: Collection[str]) -> str:
    """Return an object's text without some members.

    The other members stay byte for byte. Parsing and serialising would change their spelling.
    """
    kept = []
    at = _skip_separators(text, 1)
    while text[at] != "}":
        start = at
        name, end = _DECODER.raw_decode(text, at)
        _, end = _DECODER.raw_decode(text, _skip_separators(text, end))
        if name not in names:
            kept.append(text[start:end])
        at = _skip_separators(text, end)
    return "{" + ",".join(kept) + "}"


def _skip_separators(text: str, at: int) -> int:
    """Return the next position that is not white space, a colon or a comma."""
    match = _SEPARATORS.match(text, at)
    return match.end() if match else at


def _create_progress(*, hidden: bool) -> Progress:
    """Return a live count of lines for standard error.

    It shows nothing if `hidden` (the terminal shows the lines) or if standard error is no terminal.
    """
    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.completed:,.0f} lines"), TimeElapsedColumn())
    return Progress(
        *columns, console=console, transient=True, disable=hidden or not console.is_terminal
    )
