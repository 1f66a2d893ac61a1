"""The report of a target: a printed table, and JSON and SVG with everything needed to repeat it."""

import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import orjson
from attrs import asdict, frozen

from benchmarks.table import format_table

RESULTS = Path(__file__).parent / "results"
Thing = TypeVar("Thing")


@frozen
class Options:
    """The size of a run.

    Attributes:
        rounds: each compares every server once, in rotating order.
        seconds: of load on one server per round; targets with a fixed number of requests derive it
            from this.
    """

    rounds: int = 3
    seconds: float = 3.0


@frozen
class Goal:
    """A goal and its measured value."""

    text: str
    measured: str
    met: bool


def format_report(
    title: str,
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    goals: Sequence[Goal],
    notes: Sequence[str],
) -> str:
    """Format a report for the terminal: its table, each goal, and the notes."""
    lines = [f"  {'met   ' if one.met else 'missed'}  {one.text}: {one.measured}" for one in goals]
    return "\n".join([f"\n## {title}\n", format_table(header, rows), "", *lines, "", *notes])


@frozen
class Report:
    """One target's results. `data` has every figure by round; `summary` is one line."""

    name: str
    about: str
    summary: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    goals: Sequence[Goal]
    data: dict[str, Any]
    plot: str

    def format(self) -> str:
        """Format it for the terminal."""
        title = f"{self.name}: {self.about}"
        return format_report(title, self.header, self.rows, self.goals, [self.summary])

    def save(self, command: str, options: Options) -> None:
        """Write it to the results folder."""
        RESULTS.mkdir(exist_ok=True)
        found = {
            "goals": [asdict(goal) for goal in self.goals],
            "summary": self.summary,
            "figures": self.data,
        }
        circumstances = {"command": command, "options": asdict(options), **describe_machine()}
        told = {
            **circumstances,
            "about": self.about,
            "table": format_table(self.header, self.rows).splitlines(),
            **found,
        }
        (RESULTS / f"{self.name}.json").write_bytes(
            orjson.dumps(told, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
        )
        (RESULTS / f"{self.name}.svg").write_text(self.plot, encoding="utf-8")


def describe_machine() -> dict[str, Any]:
    """Return the conditions of a run beside its command."""
    cores = os.cpu_count() or 1
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _run_git("rev-parse", "--short", "HEAD")
        + ("+changes" if _run_git("status", "--porcelain", "--untracked-files=no") else ""),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": cores,
        "placement": "servers on core 0, all else on core 1"
        if cores > 1
        else "one core for everything",
        "load_average": [round(load, 2) for load in os.getloadavg()],
    }


def rotate_order(some: Sequence[Thing], by: int) -> list[Thing]:
    """Rotate the order by the round's number, so that the same one is not always first."""
    by %= len(some)
    return [*some[by:], *some[:by]]


def print_progress(text: str) -> None:
    """Print progress to standard error."""
    print(text, file=sys.stderr, flush=True)


def _run_git(*args: str) -> str:
    done = subprocess.run(
        ["git", *args], capture_output=True, text=True, check=False, cwd=Path(__file__).parent
    )
    return done.stdout.strip()
