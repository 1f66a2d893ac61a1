"""Check the Terraform configuration: format, types, tests, plan, policies, mutants, and checkov.

    python -m ops.terraform_check [--alone] [--apply] [--review]

The exit code is 0 if all checks pass, and 1 if one fails. If Terraform or its provider is not
available, the check is skipped with a message, and the exit code is 0; with CI set it is 1, because
a gate that checked nothing must not open.

--alone plans every mutant and breach separately instead of many together: slower, with the same
result. --apply also applies the configuration to an empty simulated account in which every creation
fails once. --review writes the canonical form to reviewed.txt; read its diff before you commit it.
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from ops.terraform_check.breaches import check_breaches, load_breaches
from ops.terraform_check.canonical import REVIEWED, build_canonical, check_reviewed
from ops.terraform_check.first_apply import SCHEDULES, apply_with_failures, raise_version
from ops.terraform_check.killing import kill_mutants
from ops.terraform_check.mutants import lay_out_plans, load_mutants, load_scenarios
from ops.terraform_check.restore import restore_database
from ops.terraform_check.tools import (
    CONFIGURATION,
    FEATURES,
    Terraform,
    ToolFailedError,
    ToolMissingError,
    count_resources,
    find_failed_scenarios,
    install_tool,
    prepare_terraform,
    run_command,
)

AT_ONCE = 2
"""Parallel plans and checks; each uses one core."""

T = TypeVar("T")


def main() -> int:
    """Run every step until one fails. The mutants step reports all failed mutants."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="newsintel-terraform-") as work:
        try:
            _run_checks(Path(work), set(sys.argv[1:]))
        except ToolMissingError as unavailable:
            if os.environ.get("CI"):
                print(f"terraform-check: FAILED, nothing was checked. {unavailable}")
                return 1
            print(f"terraform-check: skipped. {unavailable}")
            return 0
        except ToolFailedError as broken:
            print(f"terraform-check: FAILED\n{broken}")
            return 1
    print(f"terraform-check: all checks passed in {time.monotonic() - started:.0f} s")
    return 0


def _run_checks(work: Path, options: set[str]) -> None:
    _run_step(
        "fmt",
        lambda: run_command(
            "terraform", "fmt", "-check", "-recursive", "-diff", str(CONFIGURATION)
        ),
    )
    terraform = _run_step(
        "init", lambda: prepare_terraform(work), lambda terraform: terraform.provider
    )
    _run_step("validate", lambda: terraform.run("validate", "-no-color"))
    plan = _run_step("plan", terraform.plan, lambda plan: f"{count_resources(plan)} resources")
    if "--review" in options:
        REVIEWED.write_text(build_canonical(terraform, plan), encoding="utf-8")
        return
    _run_step(
        "review",
        lambda: check_reviewed(build_canonical(terraform, plan)),
        lambda lines: f"{lines} properties as reviewed",
    )
    with ThreadPoolExecutor(AT_ONCE) as pool:
        test, checkov = pool.submit(terraform.run, "test", "-no-color"), pool.submit(_run_checkov)
        _check_policies(terraform, plan, work, pool, alone="--alone" in options)
        _run_step("test", test.result, _get_last_line)
        _run_step(
            "checkov",
            checkov.result,
            lambda _: "no findings beyond the exceptions in .checkov.yaml",
        )
        if "--apply" in options:
            _run_step("apply", lambda: _apply_with_failures(terraform, work, pool))
            _run_step("restore", lambda: restore_database(terraform, work / "restore"), str)


def _check_policies(
    terraform: Terraform, plan: Path, work: Path, pool: ThreadPoolExecutor, *, alone: bool
) -> None:
    """Check the policies and the canonical form, and that both see what they must see."""
    scenarios = _run_step(
        "compliance", lambda: _check_compliance(plan), lambda names: f"{len(names)} scenarios"
    )
    mutants = load_mutants(FEATURES / "mutants.toml")
    if {mutant.scenario for mutant in mutants} != set(scenarios):
        raise ToolFailedError("mutants.toml and the features do not name the same scenarios")
    groups = [(mutant,) for mutant in mutants] if alone else lay_out_plans(mutants)
    _run_step(
        "mutants",
        lambda: kill_mutants(terraform, groups, work, pool),
        lambda plans: f"{len(mutants)} killed, {plans} plans",
    )
    breaches = load_breaches(FEATURES / "breaches.toml")
    reviewed = REVIEWED.read_text(encoding="utf-8")
    _run_step(
        "breaches",
        lambda: check_breaches(terraform, breaches, reviewed, work, pool, alone=alone),
        lambda seen: f"{seen} of {len(breaches)} seen",
    )
    for mutant in mutants:
        print(f"  {mutant.scenario:<72} {mutant.file:<20} killed")


def _apply_with_failures(terraform: Terraform, work: Path, pool: ThreadPoolExecutor) -> None:
    def apply(schedule: tuple[str, str]) -> str:
        when, kind = schedule
        folder = work / f"apply-{when}-{kind}"
        runs, resources = apply_with_failures(terraform, folder, when, kind)
        raise_version(terraform, folder)
        return f"{resources} creations failed once {when} their effect: applied in {runs} runs"

    for line in pool.map(apply, SCHEDULES):
        print(f"  {line}")


def _run_step(name: str, act: Callable[[], T], tell: Callable[[T], str] = lambda _: "") -> T:
    started = time.monotonic()
    result = act()
    print(f"{name:<12} ok {time.monotonic() - started:4.0f} s  {tell(result)}", flush=True)
    return result


def _get_last_line(text: str) -> str:
    return text.strip().splitlines()[-1] if text.strip() else ""


def _check_compliance(plan: Path) -> list[str]:
    if failed := find_failed_scenarios(plan):
        raise ToolFailedError("the plan breaks: " + "; ".join(failed))
    return load_scenarios(FEATURES)


def _run_checkov() -> str:
    names = {"--config-file": ".checkov.yaml", "--directory": "", "--var-file": "example.tfvars"}
    return run_command(
        install_tool("checkov"),
        *(word for option, name in names.items() for word in (option, str(CONFIGURATION / name))),
    )


if __name__ == "__main__":
    sys.exit(main())
