"""Check the Terraform configuration: format, types, tests, plan, policies, mutants, and checkov.

    python -m ops.terraform_check [--alone]

The exit code is 0 if all checks pass, and 1 if one fails. It is also 0, with a message, if
Terraform or its provider is not available. --alone plans every mutant separately instead of many
together: slower, with the same result.
"""

import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from ops.terraform_check.mutants import Mutant, complaint, layout, load_mutants, load_scenarios
from ops.terraform_check.tools import (
    CONFIGURATION,
    FEATURES,
    BrokenError,
    Terraform,
    UnavailableError,
    failed_scenarios,
    prepare,
    resource_count,
    run,
    tool,
)

AT_ONCE = 2
"""Parallel plans and checks; each uses one core."""

SHOWN_ERRORS = 200

T = TypeVar("T")


def main() -> int:
    """Run every step until one fails. The mutants step reports all failed mutants."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="newsintel-terraform-") as work:
        try:
            _check(Path(work), alone="--alone" in sys.argv[1:])
        except UnavailableError as unavailable:
            print(f"terraform-check: skipped. {unavailable}")
            return 0
        except BrokenError as broken:
            print(f"terraform-check: FAILED\n{broken}")
            return 1
    print(f"terraform-check: all checks passed in {time.monotonic() - started:.0f} s")
    return 0


def _check(work: Path, *, alone: bool) -> None:
    _step("fmt", lambda: run("terraform", "fmt", "-check", "-recursive", "-diff", str(CONFIGURATION)))
    terraform = _step("init", lambda: prepare(work), lambda terraform: terraform.provider)
    _step("validate", lambda: terraform.run("validate", "-no-color"))
    plan = _step("plan", terraform.plan, lambda plan: f"{resource_count(plan)} resources")
    scenarios = _step("compliance", lambda: _compliance(plan), lambda names: f"{len(names)} scenarios")
    mutants = load_mutants(FEATURES / "mutants.toml")
    if {mutant.scenario for mutant in mutants} != set(scenarios):
        raise BrokenError("mutants.toml and the features do not name the same scenarios")
    with ThreadPoolExecutor(AT_ONCE) as pool:
        test, checkov = pool.submit(terraform.run, "test", "-no-color"), pool.submit(_checkov)
        groups = [(mutant,) for mutant in mutants] if alone else layout(mutants)
        _step("mutants", lambda: _kill(terraform, groups, work, pool), lambda plans: f"{len(mutants)} killed, {plans} plans")
        _step("test", test.result, _last_line)
        _step("checkov", checkov.result, lambda _: "no findings beyond the exceptions in .checkov.yaml")
    for mutant in mutants:
        print(f"  {mutant.scenario:<72} {mutant.file:<20} killed")


def _step(name: str, act: Callable[[], T], tell: Callable[[T], str] = lambda _: "") -> T:
    started = time.monotonic()
    result = act()
    print(f"{name:<12} ok {time.monotonic() - started:4.0f} s  {tell(result)}", flush=True)
    return result


def _last_line(text: str) -> str:
    return text.strip().splitlines()[-1] if text.strip() else ""


def _compliance(plan: Path) -> list[str]:
    if failed := failed_scenarios(plan):
        raise BrokenError("the plan breaks: " + "; ".join(failed))
    return load_scenarios(FEATURES)


def _checkov() -> str:
    names = {"--config-file": ".checkov.yaml", "--directory": "", "--var-file": "example.tfvars"}
    return run(tool("checkov"), *(word for option, name in names.items() for word in (option, str(CONFIGURATION / name))))


def _kill(terraform: Terraform, groups: Sequence[Sequence[Mutant]], work: Path, pool: ThreadPoolExecutor) -> int:
    """Plan every group, then each mutant of failed groups separately; return the plan count."""

    def judge(numbered: tuple[int, Sequence[Mutant]]) -> str:
        number, group = numbered
        copy = terraform.copy(work / f"mutants-{number}-{len(group)}")
        try:
            for mutant in group:
                mutant.apply(copy.folder)
            return complaint(group, failed_scenarios(copy.plan()))
        except (BrokenError, ValueError) as error:
            return str(error)

    wrong = [group for group, text in zip(groups, pool.map(judge, enumerate(groups)), strict=True) if text]
    suspects = list(dict.fromkeys(mutant for group in wrong for mutant in group))
    verdicts = zip(suspects, pool.map(judge, ((number, (mutant,)) for number, mutant in enumerate(suspects))), strict=True)
    errors = [f"{mutant.scenario}: {text}" for mutant, text in verdicts if text]
    if errors:
        raise BrokenError("mutants:\n" + "\n".join(errors[:SHOWN_ERRORS]))
    return len(groups) + len(suspects)


if __name__ == "__main__":
    sys.exit(main())
