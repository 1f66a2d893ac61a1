"""Breaches: changes that make the service weaker, each of which the canonical form must show.

They test the reviewed canonical form as mutants test the policies. `compliance/breaches.toml` names
for each the line that must differ.
"""

import tomllib
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from ops.terraform_check.canonical import build_canonical
from ops.terraform_check.mutants import Mutant
from ops.terraform_check.tools import Terraform, ToolFailedError

AT_A_TIME = 18
"""Breaches in one plan. With more, they hide each other."""


@dataclass(frozen=True)
class Breach:
    """One line of breaches.toml.

    Attributes:
        change: the change of the configuration.
        line: the beginning of a line of the canonical form that must differ.
    """

    change: Mutant
    line: str

    @property
    def name(self) -> str:
        """What is weaker."""
        return self.change.scenario


def load_breaches(table: Path) -> list[Breach]:
    """Load every breach, in order."""
    kinds = tomllib.loads(table.read_text(encoding="utf-8"))
    return [
        Breach(Mutant(name, file, old, new), line)
        for kind in kinds.values()
        for name, (file, old, new, line) in kind.items()
    ]


def find_unseen(breaches: Iterable[Breach], reviewed: str, canonical: str) -> list[Breach]:
    """Return the breaches whose line is the same in both forms."""
    changed = set(reviewed.splitlines()) ^ set(canonical.splitlines())
    return [
        breach for breach in breaches if not any(line.startswith(breach.line) for line in changed)
    ]


def check_breaches(
    terraform: Terraform,
    breaches: Sequence[Breach],
    reviewed: str,
    work: Path,
    pool: ThreadPoolExecutor,
    *,
    alone: bool,
) -> int:
    """Apply all breaches, some together. Returns their number.

    The breaches of a plan that fails are planned one by one.

    Raises:
        ToolFailedError: the canonical form does not show one of them.
    """

    def judge(numbered: tuple[int, Sequence[Breach]]) -> list[Breach]:
        number, group = numbered
        copy = terraform.copy(work / f"breaches-{number}-of-{len(group)}")
        try:
            for breach in group:
                breach.change.apply(copy.folder)
            return find_unseen(group, reviewed, build_canonical(copy, copy.plan()))
        except (ToolFailedError, ValueError):
            return list(group)

    size = 1 if alone else AT_A_TIME
    groups = [
        breaches[start :: -(-len(breaches) // size)] for start in range(-(-len(breaches) // size))
    ]
    suspects = [breach for found in pool.map(judge, enumerate(groups)) for breach in found]
    again = pool.map(judge, ((number, (breach,)) for number, breach in enumerate(suspects)))
    if unseen := [breach.name for found in again for breach in found]:
        raise ToolFailedError("breaches that reviewed.txt does not show: " + "; ".join(unseen))
    return len(breaches)
