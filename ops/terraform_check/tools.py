"""Terraform in a temporary copy of the configuration, and the Python tools that check its plans."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import venv
from dataclasses import dataclass, replace
from pathlib import Path
from xml.etree import ElementTree as ET

ROOT = Path(__file__).resolve().parents[2]
CONFIGURATION = ROOT / "ops" / "terraform"
FEATURES = CONFIGURATION / "compliance"
VENV = ROOT / ".venv-terraform"
LOCK = ROOT / "locks" / "terraform.txt"
STAND_IN = ROOT.parent / "shared" / "terraform"
"""A replacement of the AWS provider with its real schema, beside the checkout, for developers
without the registry."""

PROVIDER_ERRORS = (
    "Failed to query available provider packages",
    "Failed to install provider",
    "Unsupported Terraform Core version",
)
"""Messages of `terraform init` if the registry cannot be reached, or Terraform is too old."""

# A plan reads neither the state nor AWS, so it needs no credentials.
OVERRIDE = """
terraform {
  backend "local" {}
}

provider "aws" {
  access_key                  = "none"
  secret_key                  = "none"
  allowed_account_ids         = null
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
}
"""


class ToolMissingError(Exception):
    """A tool that the check needs, and that the project cannot install, is missing."""


class ToolFailedError(Exception):
    """A tool reported an error; the text is the tool's."""


@dataclass(frozen=True)
class Terraform:
    """The configuration in its own folder, ready to be planned.

    Attributes:
        provider: the provider's origin, for messages.
        prefix: the words of the command before `terraform`.
    """

    folder: Path
    data: Path
    provider: str
    prefix: tuple[str, ...] = ()

    def run(self, *arguments: str, timeout_s: float = 300) -> str:
        """Run a Terraform command. Returns its output.

        Raises:
            ToolFailedError: the command failed.
        """
        environ = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("TF_", "AWS_"))
        }
        environ |= {
            "TF_DATA_DIR": str(self.data),
            "TF_IN_AUTOMATION": "1",
            "CHECKPOINT_DISABLE": "1",
        }
        if (settings := Path(os.environ.get("TF_CLI_CONFIG_FILE", "/nowhere"))).is_file():
            environ["TF_CLI_CONFIG_FILE"] = str(settings)
        return run_command(
            *self.prefix, "terraform", *arguments, cwd=self.folder, env=environ, timeout_s=timeout_s
        )

    def plan(self) -> Path:
        """Plan for an empty account. Returns the path of the plan as JSON."""
        self.run(
            "plan",
            "-input=false",
            "-lock=false",
            "-refresh=false",
            "-no-color",
            "-var-file=example.tfvars",
            "-out=plan.bin",
        )
        plan = self.folder / "plan.json"
        plan.write_text(self.run("show", "-json", "plan.bin"), encoding="utf-8")
        return plan

    def copy(self, folder: Path) -> "Terraform":
        """Copy the configuration to another folder, where it can be changed."""
        shutil.copytree(self.folder, folder, ignore=shutil.ignore_patterns("plan.*"))
        return self.move(folder)

    def move(self, folder: Path) -> "Terraform":
        """Return the same for another folder."""
        return replace(self, folder=folder)

    def connect_account(self, account: Path) -> "Terraform":
        """Return the same with a simulated account, which it can change.

        Raises:
            ToolMissingError: the provider is the real one, which needs a real account.
        """
        if not self.prefix:
            raise ToolMissingError("only the provider's stand-in can apply without an account")
        python, stand_in, schema = self.prefix
        served = str(Path(__file__).with_name("serve_account.py"))
        return replace(self, prefix=(python, served, stand_in, schema, str(account)))


def run_command(
    *command: str, cwd: Path = ROOT, env: dict[str, str] | None = None, timeout_s: float = 300
) -> str:
    """Run a command. Returns its standard output.

    Raises:
        ToolMissingError: the command does not exist.
        ToolFailedError: it failed, with its output, or took too long.
    """
    try:
        done = subprocess.run(
            command,
            cwd=cwd,
            env=env,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
    except FileNotFoundError:
        raise ToolMissingError(f"{command[0]} is not on PATH") from None
    except subprocess.TimeoutExpired:
        raise ToolFailedError(f"{' '.join(command)} took longer than {timeout_s:g} s") from None
    if done.returncode:
        raise ToolFailedError(
            f"{done.stdout}{done.stderr}".strip()
            or f"{' '.join(command)} ended with {done.returncode}"
        )
    return done.stdout


def install_tool(name: str) -> str:
    """Return the path of a Python tool in VENV, which is recreated when the lock changes."""
    made_of, ready = hashlib.sha256(LOCK.read_bytes()).hexdigest(), VENV / ".ready"
    if not ready.is_file() or ready.read_text(encoding="utf-8") != made_of:
        print(f"making {VENV.name} from {LOCK.relative_to(ROOT)} (once)", file=sys.stderr)
        venv.create(VENV, clear=True, with_pip=True)
        pip = (
            str(VENV / "bin" / "python"),
            "-m",
            "pip",
            "install",
            "-qq",
            "--disable-pip-version-check",
        )
        run_command(*pip, "--require-hashes", "-r", str(LOCK), timeout_s=900)
        ready.write_text(made_of, encoding="utf-8")
    return str(VENV / "bin" / name)


def prepare_terraform(work: Path) -> Terraform:
    """Copy and initialise the configuration, with the real provider if available, or STAND_IN.

    Raises:
        ToolMissingError: neither is available, or Terraform is too old.
        ToolFailedError: `terraform init` fails for another reason.
    """
    folder = work / "configuration"
    shutil.copytree(
        CONFIGURATION,
        folder,
        ignore=shutil.ignore_patterns(".terraform", "backend.hcl", "compliance", "README.md"),
    )
    (folder / "check_override.tf").write_text(OVERRIDE, encoding="utf-8")
    terraform = Terraform(folder, work / "data", "hashicorp/aws")
    try:
        terraform.run("init", "-input=false", "-no-color")
    except ToolFailedError as error:
        if not any(words in str(error) for words in PROVIDER_ERRORS):
            raise
        if not STAND_IN.is_dir():
            raise ToolMissingError(
                f"terraform init cannot get the AWS provider:\n{error}"
            ) from None
        (schema,) = STAND_IN.glob("aws-*-schema-subset.json")
        prefix = (install_tool("python"), str(STAND_IN / "aws_standin.py"), str(schema))
        terraform = replace(
            terraform,
            provider=f"schema only ({schema.name}): the provider is not available",
            prefix=prefix,
        )
        (folder / ".terraform.lock.hcl").unlink(missing_ok=True)
        terraform.run("init", "-input=false", "-no-color", "-lockfile=readonly")
    return terraform


def find_failed_scenarios(plan: Path) -> list[str]:
    """Return the scenarios that a plan violates, including those that found no resource (@noskip).

    Raises:
        ToolFailedError: terraform-compliance itself failed.
    """
    report = plan.with_suffix(".xml")
    try:
        run_command(
            install_tool("terraform-compliance"),
            "-f",
            str(FEATURES),
            "-p",
            str(plan),
            "--no-ansi",
            f"--junit-xml={report}",
            cwd=plan.parent,
        )
    except ToolFailedError:
        if not report.is_file():
            raise
    cases = ET.parse(report).iter("testcase")  # noqa: S314 - our tool just wrote the file
    return [case.attrib["name"] for case in cases if case.find("failure") is not None]


def count_resources(plan: Path) -> int:
    """Return the number of resources that a plan creates."""
    changes = json.loads(plan.read_text(encoding="utf-8"))["resource_changes"]
    return sum(change["mode"] == "managed" for change in changes)
