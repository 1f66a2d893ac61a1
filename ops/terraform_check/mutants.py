"""Mutants: for every scenario a line that must make it fail, and it alone. A scenario that no mutant breaks has no teeth.

Planning each mutant by itself takes minutes, so many are planned together, and exactly their scenarios must fail. Each mutant is in half of
a few plans, and no two are in the same ones: so for every two there is a plan with the one and without the other, in which the one shows if
it breaks the other's scenario; and where none does that, each scenario that failed was broken by its own mutant. With n plans there is room
for as many mutants as there are ways to choose n/2 of n, which no other layout exceeds (Sperner, 1928): ten for 252. The mutants of a plan
that goes wrong are then planned one by one, which names the culprit.
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


def layout(mutants: Sequence[Mutant]) -> list[tuple[Mutant, ...]]:
    """Which mutants are planned together, such that every two are apart once in each direction."""
    plans = next(n for n in itertools.count(1) if math.comb(n, n // 2) >= len(mutants))
    places = list(itertools.combinations(range(plans), (plans + 1) // 2))
    # Neighbours in the table are often about one resource: mixed up, they are seldom together.
    random.Random(0).shuffle(places)  # noqa: S311 - the same in every run, and no secret
    placed = list(zip(mutants, places, strict=False))
    return [tuple(mutant for mutant, place in placed if plan in place) for plan in range(plans)]


def complaint(mutants: Iterable[Mutant], failed: Iterable[str]) -> str:
    """What is wrong with the scenarios that failed when these mutants were planned together; empty if nothing is."""
    wanted, found = {mutant.scenario for mutant in mutants}, set(failed)
    parts = []
    if missing := wanted - found:
        parts.append(f"survived: {'; '.join(sorted(missing))}")
    if beyond := found - wanted:
        parts.append(f"broke as well: {'; '.join(sorted(beyond))}")
    return ", ".join(parts)
