"""What a target found: printed as a table, kept as JSON beside all that is needed to run it again."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson
from attrs import asdict, frozen

from benchmarks.report import RESULTS, Goal, machine
from benchmarks.table import table


@frozen
class Options:
    """How thorough a run is.

    Attributes:
        articles: in the archive that latencies are taken on.
        calls: of each kind.
        folder: where archives are kept for the next run.
        quick: see whether everything runs; keeps no results.
    """

    articles: int = 1_000_000
    calls: int = 400
    folder: Path = Path(tempfile.gettempdir()) / "newsintel-bench"
    quick: bool = False


QUICK = Options(articles=20_000, calls=40, quick=True)


@frozen
class Report:
    """One target's results. `data` has every figure; `notes` say what it was measured on and what was skipped, and why."""

    name: str
    about: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    goals: Sequence[Goal]
    notes: Sequence[str]
    data: dict[str, Any]

    def shown(self) -> str:
        """As printed."""
        goals = [f"  {'met   ' if goal.met else 'missed'}  {goal.text}: {goal.measured}" for goal in self.goals]
        return "\n".join([f"\n## {self.name}: {self.about}\n", table(self.header, self.rows), "", *goals, "", *self.notes])

    def keep(self, command: str, options: Options) -> None:
        """Write it into the results folder."""
        RESULTS.mkdir(exist_ok=True)
        circumstances = {"command": command, **machine(), "placement": "client and server together on every core"}
        circumstances |= {"articles": options.articles, "calls": options.calls}
        told = {"about": self.about, "table": table(self.header, self.rows).splitlines(), "notes": list(self.notes)}
        found = {"goals": [asdict(goal) for goal in self.goals], "figures": self.data}
        body = orjson.dumps({**circumstances, **told, **found}, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
        (RESULTS / f"intelligence-{self.name}.json").write_bytes(body)
