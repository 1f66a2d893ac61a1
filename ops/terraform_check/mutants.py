"""Mutants: for every scenario a changed line that must make only this scenario fail.

A scenario that no mutant breaks checks nothing. Planning each mutant separately takes minutes, so
many are planned together, and exactly their scenarios must fail.

Each mutant is in half of the plans, and no two mutants are in the same plans. So for every two
mutants A and B there is a plan with A and without B, which shows whether A breaks B's scenario. If
no plan shows that, each failed scenario was broken by its own mutant. With n plans there is room
for as many mutants as there are ways to choose n/2 of n, and no other layout has more (Sperner,
1928): ten plans for 252 mutants. The mutants of a failed plan are then planned one by one, to find
the one at fault.
"""

import itertools
import math
import random
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
        old: text that occurs once in the file, with any number of spaces; empty: append `new`.
        new: the text that replaces it.
    """

    scenario: str
    file: str
    old: str
    new: str

    def apply(self, folder: Path) -> None:
        """Change a copy of the configuration.

        Raises:
            ValueError: `old` does not occur exactly once.
        """
        path = folder / self.file
        text = path.read_text(encoding="utf-8")
        if not self.old:
            path.write_text(f"{text}\n{self.new}\n", encoding="utf-8")
            return
        pattern = re.sub(r"(?:\\ )+", " +", re.escape(self.old))
        changed, count = re.subn(pattern, lambda _: self.new, text)
        if count != 1:
            raise ValueError(
                f"the mutant of {self.scenario!r} finds its line {count} times in {self.file}"
            )
        path.write_text(changed, encoding="utf-8")


def load_mutants(table: Path) -> list[Mutant]:
    """Load every mutant, in the order of the features."""
    features = tomllib.loads(table.read_text(encoding="utf-8"))
    return [
        Mutant(scenario, *line)
        for feature in features.values()
        for scenario, line in feature.items()
    ]


def load_scenarios(folder: Path) -> list[str]:
    """Load the names of all scenarios."""
    names = []
    for feature in sorted(folder.glob("*.feature")):
        names += re.findall(
            r"^\s*Scenario: (.+?)\s*$", feature.read_text(encoding="utf-8"), flags=re.MULTILINE
        )
    return names


def lay_out_plans(mutants: Sequence[Mutant]) -> list[tuple[Mutant, ...]]:
    """Return the mutants of each plan: for any two there is a plan with only the first."""
    plans = next(n for n in itertools.count(1) if math.comb(n, n // 2) >= len(mutants))
    places = list(itertools.combinations(range(plans), (plans + 1) // 2))
    # Neighbours in the table often change one resource; shuffling keeps them mostly apart.
    random.Random(0).shuffle(places)  # noqa: S311 - the same in every run, and no secret
    placed = list(zip(mutants, places, strict=False))
    return [tuple(mutant for mutant, place in placed if plan in place) for plan in range(plans)]


def compare_failures(mutants: Iterable[Mutant], failed: Iterable[str]) -> str:
    """Compare the failed scenarios with those of the planned mutants. Returns "" if they match."""
    wanted, found = {mutant.scenario for mutant in mutants}, set(failed)
    parts = []
    if missing := wanted - found:
        parts.append(f"survived: {'; '.join(sorted(missing))}")
    if beyond := found - wanted:
        parts.append(f"broke as well: {'; '.join(sorted(beyond))}")
    return ", ".join(parts)
