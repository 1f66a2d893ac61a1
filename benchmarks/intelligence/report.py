"""The report of a target: a printed table, and JSON with everything needed to repeat the run."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson
from attrs import asdict, frozen

from benchmarks.report import RESULTS, Goal, describe_machine, format_report
from benchmarks.table import format_table


@frozen
class Options:
    """The size of a run.

    Attributes:
        articles: in the archive for latencies.
        calls: of each kind.
        folder: where archives are stored for the next run.
        quick: a short trial run that stores no results.
    """

    articles: int = 1_000_000
    calls: int = 400
    folder: Path = Path(tempfile.gettempdir()) / "newsintel-bench"
    quick: bool = False


QUICK = Options(articles=20_000, calls=40, quick=True)


@frozen
class Report:
    """One target's results.

    Attributes:
        notes: what was measured, and what was skipped and why.
        data: every figure.
    """

    name: str
    about: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    goals: Sequence[Goal]
    notes: Sequence[str]
    data: dict[str, Any]

    def format(self) -> str:
        """Format it for the terminal."""
        title = f"{self.name}: {self.about}"
        return format_report(title, self.header, self.rows, self.goals, self.notes)

    def save(self, command: str, options: Options) -> None:
        """Write it to the results folder."""
        RESULTS.mkdir(exist_ok=True)
        circumstances = {
            "command": command,
            **describe_machine(),
            "placement": "client and server together on every core",
        }
        circumstances |= {"articles": options.articles, "calls": options.calls}
        told = {
            "about": self.about,
            "table": format_table(self.header, self.rows).splitlines(),
            "notes": list(self.notes),
        }
        found = {"goals": [asdict(goal) for goal in self.goals], "figures": self.data}
        body = orjson.dumps(
            {**circumstances, **told, **found},
            option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE,
        )
        (RESULTS / f"intelligence-{self.name}.json").write_bytes(body)
