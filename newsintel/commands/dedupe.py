"""`newsintel dedupe`: groups the lines of a JSONL file by the rule that searches use. Lines flow through one by one.

Kept in memory are the titles of founders and the address of every page, never a line. Each line is decided when it is read, so it is
written before the next one is awaited, and a pipe that ends early has given all it could. A line that cannot be used is reported and
passed over; the others keep their numbers, and whatever they hold is written back as it stood.
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

from newsintel.commands.lines import MAX_LINE, reading
from newsintel.commands.replacing import replacing
from newsintel.domain.search.dedup import Deduper
from newsintel.domain.search.query_model import Dedupe
from newsintel.domain.text.json_line import read_object
from newsintel.domain.text.urls import canonical, usable
from newsintel.errors import InvalidParameterError
from newsintel.runtime.stopping import Stopped

_UNUSABLE = 2
# What Python itself exits with when a pipe it writes to is closed.
_PIPE_CLOSED = 1

_FOUND = frozenset({"cluster", "rule", "similarity"})
_DECODER = json.JSONDecoder(parse_int=str, parse_float=str)
_BETWEEN = re.compile(r"[ \t\r\n:,]*")


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command; its parsed arguments have `run`, which takes them and returns the exit status."""
    parser = subparsers.add_parser("dedupe")
    parser.add_argument("file", metavar="FILE", help="lines of JSON objects with title, optional url, gzip or not; - for standard input")
    parser.add_argument("--mode", choices=(Dedupe.STRICT.value, Dedupe.NORMAL.value), default=Dedupe.NORMAL.value, help="default: normal")
    parser.add_argument("-o", "--output", metavar="OUT", default="-", help="replaced once every line is done; - for standard output")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Group the lines.

    Returns:
        0; 2 if a file or a line cannot be used, said in one line each on standard error; 1 if the reader of standard output went away.
    """
    report = _Report(args.file)
    try:
        with reading(args.file) as lines, replacing(args.output) as out, _progress(hidden=out.isatty()) as progress:
            for line in _grouped(progress.track(lines), Dedupe(args.mode), report):
                out.write(line)
                out.flush()
    except Stopped:
        with suppress(OSError):  # the terminal may be what went away
            sys.stderr.write("newsintel dedupe: stopped; run it again from the first line\n")
        raise
    except BrokenPipeError:
        # What is left in the buffer would raise again at exit (docs.python.org/3/library/signal.html#note-on-sigpipe).
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _PIPE_CLOSED
    except InvalidParameterError as error:
        report.say(str(error))
    except OSError as error:
        report.say(f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror))
    else:
        if not report.used and args.output != "-":
            report.say(f"{args.file} has no line that can be used; {args.output} is not written")
    return _UNUSABLE if report.refused else 0


@define
class _Report:
    """What became of a file: whether some of it was used, and whether some could not be."""

    file: str
    used: bool = False
    refused: bool = False

    def refuse(self, number: int, why: str) -> None:
        """Say what is wrong with a line; `why` goes on where its number ends."""
        self.say(f"{self.file}, line {number} {why}")

    def say(self, message: str) -> None:
        """One line on standard error."""
        self.refused = True
        sys.stderr.write(f"newsintel dedupe: {message}\n")


def _grouped(lines: Iterable[tuple[int, bytes | None]], mode: Dedupe, report: _Report) -> Iterator[bytes]:
    """Each line that can be used, with its cluster, rule and similarity."""
    deduper, founders = Deduper(mode), dict[int, int]()
    try:
        for number, line in lines:
            if line is None:
                report.refuse(number, f"is longer than {MAX_LINE:,} bytes")
                continue
            try:
                record = read_object(line)
                written = _without_end(line, record)
            except (ValueError, RecursionError) as error:
                report.refuse(number, f"is {error if isinstance(error, ValueError) else 'nested too deeply'}")
                continue
            if why := _unusable(record):
                report.refuse(number, why)
                continue
            report.used = True
            url = usable(record.get("url") or "")
            match = deduper.add(record["title"], canonical(url) if url else None)
            if match.rule is None:
                founders[match.founder] = number
            found = {"cluster": founders[match.founder], "rule": match.rule, "similarity": match.similarity}
            yield written + b"," + orjson.dumps(found, option=orjson.OPT_APPEND_NEWLINE)[1:]
    except InvalidParameterError as error:
        report.say(str(error))


def _unusable(record: dict[str, Any]) -> str | None:
    if not isinstance(record.get("title"), str):
        return "has no title, or one that is not text"
    return None if isinstance(record.get("url"), str | None) else "has a url that is not text"


def _without_end(line: bytes, record: dict[str, Any]) -> bytes:
    """A line's object as it was written, without its last brace and without the members that an earlier run has added."""
    text = line.strip()
    if record.keys() & _FOUND:
        text = _without(text.decode(), _FOUND).encode()
    return text[:-1].rstrip()


def _without(text: str, names: Collection[str]) -> str:
    """An object's text without some members; the others stay as they were written, which no parser and writer together would give."""
    kept = []
    at = _past(text, 1)
    while text[at] != "}":
        start = at
        name, end = _DECODER.raw_decode(text, at)
        _, end = _DECODER.raw_decode(text, _past(text, end))
        if name not in names:
            kept.append(text[start:end])
        at = _past(text, end)
    return "{" + ",".join(kept) + "}"


def _past(text: str, at: int) -> int:
    """The next place that is neither white space nor a colon or comma."""
    match = _BETWEEN.match(text, at)
    return match.end() if match else at


def _progress(*, hidden: bool) -> Progress:
    """A count of lines on standard error, if that is a terminal and the lines themselves are not seen there."""
    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.completed:,.0f} lines"), TimeElapsedColumn())
    return Progress(*columns, console=console, transient=True, disable=hidden or not console.is_terminal)
