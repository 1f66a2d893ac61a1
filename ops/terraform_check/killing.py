"""Plan the mutants and find those that survive, or break another scenario than their own."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ops.terraform_check.mutants import Mutant, compare_failures
from ops.terraform_check.tools import Terraform, ToolFailedError, find_failed_scenarios

SHOWN_ERRORS = 200


def kill_mutants(
    terraform: Terraform, groups: Sequence[Sequence[Mutant]], work: Path, pool: ThreadPoolExecutor
) -> int:
    """Plan every group, then each mutant of failed groups separately; return the plan count."""

    def judge(numbered: tuple[int, Sequence[Mutant]]) -> str:
        number, group = numbered
        copy = terraform.copy(work / f"mutants-{number}-{len(group)}")
        try:
            for mutant in group:
                mutant.apply(copy.folder)
            return compare_failures(group, find_failed_scenarios(copy.plan()))
        except (ToolFailedError, ValueError) as error:
            return str(error)

    wrong = [
        group
        for group, text in zip(groups, pool.map(judge, enumerate(groups)), strict=True)
        if text
    ]
    suspects = list(dict.fromkeys(mutant for group in wrong for mutant in group))
    verdicts = zip(
        suspects,
        pool.map(judge, ((number, (mutant,)) for number, mutant in enumerate(suspects))),
        strict=True,
    )
    errors = [f"{mutant.scenario}: {text}" for mutant, text in verdicts if text]
    if errors:
        raise ToolFailedError("mutants:\n" + "\n".join(errors[:SHOWN_ERRORS]))
    return len(groups) + len(suspects)
