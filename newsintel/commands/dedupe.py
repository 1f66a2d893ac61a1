"""`newsintel dedupe`: groups the lines of a JSONL file by the rule that searches use. Lines flow through one by one.

Kept in memory are the titles of founders and the address of every page, never a line. Each line is decided when it is read, so it is
written before the next one is awaited, and a pipe that ends early has given all it could.
"""

import argparse
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

import orjson
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from newsintel.dedup import Deduper
from newsintel.model import Dedupe
from newsintel.stopping import Stopped
from newsintel.urls import canonical, usable

_UNUSABLE = 2
# What Python itself exits with when a pipe it writes to is closed.
_PIPE_CLOSED = 1


class _BadLineError(Exception):
    """A line cannot be used. The message says which and why."""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command; its parsed arguments have `run`, which takes them and returns the exit status."""
    parser = subparsers.add_parser("dedupe")
    parser.add_argument("file", metavar="FILE", help="lines of JSON objects with title, optional url; - for standard input")
    parser.add_argument("--mode", choices=(Dedupe.STRICT.value, Dedupe.NORMAL.value), default=Dedupe.NORMAL.value, help="default: normal")
    parser.add_argument("-o", "--output", metavar="OUT", default="-", help="replaced once every line is done; - for standard output")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Group the lines.

    Returns:
        0; 2 if a file or a line cannot be used, said in one line on standard error; 1 if the reader of standard output went away.
    """
    try:
        with _reading(args.file) as lines, _writing(args.output) as out, _progress(hidden=out.isatty()) as progress:
            for line in _grouped(progress.track(lines), Dedupe(args.mode)):
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
    except OSError as error:
        return _refuse(f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror))
    except _BadLineError as error:
        return _refuse(f"{args.file}, {error}")
    return 0


def _grouped(lines: Iterable[bytes], mode: Dedupe) -> Iterator[bytes]:
    """Each line with its cluster, rule and similarity. Raises _BadLineError on the first bad one."""
    deduper = Deduper(mode)
    for number, line in enumerate(lines, start=1):
        record = _record(number, line)
        url = usable(record.get("url") or "")
        match = deduper.add(record["title"], canonical(url) if url else None)
        found = {"cluster": match.founder + 1, "rule": match.rule, "similarity": match.similarity}
        yield orjson.dumps(record | found, option=orjson.OPT_APPEND_NEWLINE)


def _record(number: int, line: bytes) -> dict[str, Any]:
    """The object of one line. An empty line is a bad one: skipping it would make the numbers in `cluster` ambiguous."""
    try:
        record = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise _BadLineError(f"line {number} is not JSON: {error.msg} at column {error.colno}") from error
    if not isinstance(record, dict):
        raise _BadLineError(f"line {number} is not a JSON object")
    if not isinstance(record.get("title"), str):
        raise _BadLineError(f"line {number} has no title, or one that is not text")
    if not isinstance(record.get("url"), str | None):
        raise _BadLineError(f"line {number} has a url that is not text")
    return record


@contextmanager
def _reading(file: str) -> Iterator[BinaryIO]:
    if file == "-":
        yield sys.stdin.buffer
    else:
        with Path(file).open("rb") as lines:
            yield lines


@contextmanager
def _writing(file: str) -> Iterator[BinaryIO]:
    """Standard output, or a file that appears whole or not at all: a bad line leaves an older one as it was, FILE itself included."""
    path = Path(file)
    if file == "-":
        yield sys.stdout.buffer
    elif path.exists() and not path.is_file():  # a device or a pipe cannot be replaced
        with path.open("wb") as out:
            yield out
    else:
        whole = path.resolve()
        part = whole.with_name(f".{whole.name}.{os.getpid()}.part")
        try:
            with part.open("wb") as out:
                yield out
            part.replace(whole)
        finally:
            part.unlink(missing_ok=True)


def _progress(*, hidden: bool) -> Progress:
    """A count of lines on standard error, if that is a terminal and the lines themselves are not seen there."""
    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.completed:,.0f} lines"), TimeElapsedColumn())
    return Progress(*columns, console=console, transient=True, disable=hidden or not console.is_terminal)


def _refuse(message: str) -> int:
    sys.stderr.write(f"newsintel dedupe: {message}\n")
    return _UNUSABLE
