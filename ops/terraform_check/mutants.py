"""Mutants: for every scenario a line that must make it fail, and it alone. A scenario that no mutant breaks has no teeth.

Planning each mutant by itself takes a quarter of an hour, so they are laid out in a grid and planned a row, then a column at a time:
exactly the scenarios of that line must fail. Two mutants may share a row or a column, never both, so one that breaks another's scenario, or
leaves its own whole, shows in at least one of its two plans. The mutants of a line that goes wrong are then planned one by one, which names
the culprit.
"""

import math
import re
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Mutant:
    """One line of mutants.toml.

    Attributes:
        scenario: its name, unique among all features.
        file: relative to the configuration.
        old: what stands there once, its spaces of any number; empty to add `new` at the end.
        new: what stands there instead.
    """

    scenario: str
    file: str
    old: str
    new: str

    def apply(self, folder: Path) -> None:
        """Change a copy of the configuration.

        Raises:
            ValueError: `old` does not stand there exactly once.
        """
        path = folder / self.file
        text = path.read_text(encoding="utf-8")
        if not self.old:
            path.write_text(f"{text}\n{self.new}\n", encoding="utf-8")
            return
        pattern = re.sub(r"(?:\\ )+", " +", re.escape(self.old))
        changed, count = re.subn(pattern, lambda _: self.new, text)
        if count != 1:
            raise ValueError(f"the mutant of {self.scenario!r} finds its line {count} times in {self.file}")
        path.write_text(changed, encoding="utf-8")


def load_mutants(table: Path) -> list[Mutant]:
    """Every mutant, by feature."""
    features = tomllib.loads(table.read_text(encoding="utf-8"))
    return [Mutant(scenario, *line) for feature in features.values() for scenario, line in feature.items()]


def load_scenarios(folder: Path) -> list[str]:
    """The names of every scenario."""
    names = []
    for feature in sorted(folder.glob("*.feature")):
        names += re.findall(r"^\s*Scenario: (.+?)\s*$", feature.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return names


def lines(mutants: Sequence[Mutant]) -> list[tuple[Mutant, ...]]:
    """The rows and columns of the grid: every mutant is in two lines, every two mutants share at most one."""
    width = math.isqrt(len(mutants) - 1) + 1 if mutants else 0
    rows = [tuple(mutants[start : start + width]) for start in range(0, len(mutants), width or 1)]
    columns = [tuple(mutants[start::width]) for start in range(width)]
    return rows + [column for column in columns if column]


def complaint(mutants: Iterable[Mutant], failed: Iterable[str]) -> str:
    """What is wrong with the scenarios that failed when these mutants were planned together; empty if nothing is."""
    wanted, found = {mutant.scenario for mutant in mutants}, set(failed)
    parts = []
    if missing := wanted - found:
        parts.append(f"survived: {'; '.join(sorted(missing))}")
    if beyond := found - wanted:
        parts.append(f"broke as well: {'; '.join(sorted(beyond))}")
    return ", ".join(parts)
