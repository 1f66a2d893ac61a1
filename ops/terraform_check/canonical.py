"""The configuration in canonical form: one line for each property, compared with a reviewed one.

Policies look for known mistakes. The canonical form shows every change, so that a person decides
whether it is a mistake. It is the plan of an empty account in which every value that AWS would
compute is replaced by the name of its resource: `vpc_security_group_ids = ["aws_security_group.
database.id"]`. So a reference to the wrong group is another line.
"""

import difflib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from ops.terraform_check.properties import (
    Json,
    list_blocks,
    list_properties,
    list_references,
)
from ops.terraform_check.tools import FEATURES, Terraform, ToolFailedError

REVIEWED = FEATURES / "reviewed.txt"

COMPUTED = (
    "address", "arn", "arn_suffix", "dns_name", "fqdn", "id", "key_id", "name",
    "primary_endpoint_address", "repository_url", "zone_id",
)  # fmt: skip
"""Attributes that AWS computes and that other resources refer to; all are strings."""

LEFT_OUT = ("aws_secretsmanager_secret", "aws_secretsmanager_secret_version")
"""If their ids were known, Terraform would read their values while it plans."""

OWNER = '[{ kms_key_id = "key", secret_arn = "aws_db_instance.main.secret", secret_status = "" }]'
RECORD = """[{
      domain_name           = "name"
      resource_record_name  = "aws_acm_certificate.main.name"
      resource_record_type  = "aws_acm_certificate.main.type"
      resource_record_value = "aws_acm_certificate.main.value"
    }]"""
NESTED = {
    "aws_db_instance": f"master_user_secret = {OWNER}",
    "aws_acm_certificate": f"domain_validation_options = {RECORD}",
}
"""Computed blocks that other resources refer to."""

UNREVIEWED_TYPES = ("aws_cloudwatch_dashboard",)
"""What people look at. tests/ops checks that its metrics exist."""


def build_canonical(terraform: Terraform, plan: Path) -> str:
    """Return the canonical form of a configuration.

    Args:
        terraform: the configuration.
        plan: its plan as JSON, which names the resources and their references.

    Raises:
        ToolFailedError: the configuration cannot be planned.
    """
    planned = json.loads(plan.read_text(encoding="utf-8"))
    resources = [each for each in planned["resource_changes"] if each["mode"] == "managed"]
    test = terraform.folder / "tests" / "canonical.tftest.hcl"
    test.write_text("\n".join([*_override(resources), RUN]), encoding="utf-8")
    try:
        output = terraform.run(
            "test",
            "-json",
            "-verbose",
            "-no-color",
            f"-filter=tests/{test.name}",
            "-var-file=example.tfvars",
        )
    finally:
        test.unlink()
    found = [json.loads(line) for line in output.splitlines()]
    known = next((each["test_plan"] for each in found if each["type"] == "test_plan"), None)
    if known is None:
        raise ToolFailedError(f"terraform test printed no plan:\n{output}")
    unknown = {each["address"]: each["change"]["after_unknown"] for each in resources}
    written = planned["configuration"]["root_module"]["resources"]
    expressions = {each["address"]: each.get("expressions", {}) for each in written}
    lines = [
        line
        for each in known["resource_changes"]
        if each["mode"] == "managed" and each["type"] not in UNREVIEWED_TYPES
        for line in list_properties(
            each, unknown[each["address"]], expressions[each["address"].partition("[")[0]]
        )
    ]
    lines += list_references(written)
    for path in sorted(terraform.folder.glob("*.tf")):
        if path.name != "check_override.tf":
            lines += list_blocks(path.read_text(encoding="utf-8"))
    return "\n".join(sorted(lines)) + "\n"


def check_reviewed(canonical: str) -> int:
    """Compare the canonical form with the reviewed one. Returns the number of its lines.

    Raises:
        ToolFailedError: they differ.
    """
    reviewed = REVIEWED.read_text(encoding="utf-8")
    difference = difflib.unified_diff(
        reviewed.splitlines(), canonical.splitlines(), "reviewed", "planned", n=0, lineterm=""
    )
    if found := [line for line in difference if not line.startswith("@@")]:
        raise ToolFailedError(
            "not as reviewed. If each of these changes is meant, run "
            "`./dev terraform-check --review` and commit reviewed.txt\n" + "\n".join(found)
        )
    return len(reviewed.splitlines())


RUN = 'run "canonical" {\n  command = plan\n}\n'


def _override(resources: Iterable[Json]) -> Iterator[str]:
    """Return a block of the test for each resource, which names its computed values."""
    for each in resources:
        unknown = each["change"]["after_unknown"]
        values = [
            f"{name} = {json.dumps(each['address'] + '.' + name)}"
            for name in COMPUTED
            if unknown.get(name) is True
        ]
        values += [NESTED[each["type"]]] if each["type"] in NESTED else []
        if values and each["type"] not in LEFT_OUT:
            inner = "\n    ".join(values)
            yield (
                f"override_resource {{\n  target = {each['address']}\n  override_during = plan\n"
                f"  values = {{\n    {inner}\n  }}\n}}\n"
            )
