"""The restore runbook of docs/deploy.md, in a simulated account.

Terraform knows a database by its resource id. After the swap of the two names, the id in the state
is that of the old database. `state rm` and `import` tell Terraform which one is meant.
"""

import json
from pathlib import Path
from typing import Any

from ops.terraform_check.account import Account
from ops.terraform_check.first_apply import OPTIONS, apply_until_done
from ops.terraform_check.tools import Terraform, ToolFailedError

DATABASE = "aws_db_instance.main"
NAME = "newsintel-production"


def restore_database(terraform: Terraform, folder: Path) -> str:
    """Apply, swap the databases, import. Returns what Terraform would have done without import.

    Raises:
        ToolFailedError: after the import Terraform would still change, replace or rename it.
    """
    path = folder.with_suffix(".account")
    copy = terraform.copy(folder).connect_account(path)
    apply_until_done(copy)
    Account(path).swap_databases()
    without = plan_database(copy)
    if not without["before"]["identifier"].endswith("-old"):
        raise ToolFailedError("the state did not follow the old database: the runbook is outdated")
    copy.run("state", "rm", DATABASE)
    copy.run("import", "-input=false", "-no-color", "-var-file=example.tfvars", DATABASE, NAME)
    planned = plan_database(copy)
    if planned["actions"] != ["no-op"]:
        raise ToolFailedError(f"after the import Terraform still plans {planned['actions']}")
    return f"without import: {without['actions'][0]} of {without['before']['identifier']}"


def plan_database(copy: Terraform) -> dict[str, Any]:
    """Return the planned change of the database, by what the account has now."""
    copy.run("plan", *OPTIONS, "-out=restore.bin")
    plan = json.loads(copy.run("show", "-json", "restore.bin"))
    found: dict[str, Any] = next(
        each["change"] for each in plan["resource_changes"] if each["address"] == DATABASE
    )
    return found
