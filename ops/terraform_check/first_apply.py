"""Apply the configuration to an empty account in which every call fails once.

A first apply on a real account often stops in the middle: a quota, a time limit, a lost connection.
It must be enough to apply again.
"""

from pathlib import Path

from ops.terraform_check.account import Account
from ops.terraform_check.tools import Terraform, ToolFailedError

MAX_RUNS = 40
"""More than the longest chain of resources that need each other."""


OPTIONS = ("-input=false", "-lock=false", "-no-color", "-var-file=example.tfvars")

VERSION = "aws_secretsmanager_secret_version"
USER = "aws_elasticache_user"

SCHEDULES = (
    ("before", ""),
    ("after", ""),
    ("before", VERSION),
    ("after", VERSION),
    ("before", USER),
    ("after", USER),
)
"""When creations fail, and of which type. If all fail, those that need nothing of each other fail
in the same run; so the two that must agree on a password also fail each without the other."""


def apply_with_failures(
    terraform: Terraform, folder: Path, when: str, kind: str
) -> tuple[int, int]:
    """Apply until nothing fails, while each creation fails once.

    Args:
        terraform: the configuration.
        folder: for a copy of it.
        when: `before` or `after` the effect of the call.
        kind: only creations of this type fail; empty: all.

    Returns:
        The number of runs, and of resources of which each failed once.

    Raises:
        ToolFailedError: Terraform failed for another reason, or the account is inconsistent.
    """
    path = folder.with_suffix(".account")
    Account(path).fail_each_once(when, kind)
    runs = apply_until_done(terraform.copy(folder).connect_account(path))
    account = Account(path)
    check_passwords(account)
    return runs, len(account.list_failed())


def raise_version(terraform: Terraform, folder: Path) -> None:
    """Raise the version of the cache's password in an applied copy, and apply it."""
    path = folder.with_suffix(".account")
    before = Account(path).list_passwords()
    secrets = folder / "secrets.tf"
    text = secrets.read_text(encoding="utf-8")
    secrets.write_text(text.replace("cache    = 1", "cache    = 2"), encoding="utf-8")
    apply_until_done(terraform.move(folder).connect_account(path))
    account = Account(path)
    check_passwords(account)
    if account.list_passwords() == before:
        raise ToolFailedError("a raised version did not change the cache's password")


def check_passwords(account: Account) -> None:
    """Check that the cache accepts the password that the service reads.

    Raises:
        ToolFailedError: it does not.
    """
    written = [each["password"] for name, each in account.list_secrets().items() if "cache" in name]
    if written != list(account.list_passwords().values()) or len(written) != 1:
        raise ToolFailedError("the cache's user and its secret have different passwords")


def apply_until_done(copy: Terraform) -> int:
    """Apply until nothing fails. Returns the number of runs."""
    for run in range(1, MAX_RUNS):
        if _apply(copy):
            return run
    raise ToolFailedError(f"still not applied after {MAX_RUNS} runs")


def _apply(copy: Terraform) -> bool:
    """Apply once. Returns whether it is complete."""
    try:
        copy.run("apply", *OPTIONS, "-auto-approve", "-refresh=false", "-parallelism=40")
    except ToolFailedError as error:
        if "the call failed once" not in str(error):
            raise
        return False
    return True
