"""Terraform in a throw-away copy of the configuration, and the Python tools that judge its plans."""

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
"""A stand-in for the AWS provider with its real schema, which developers without the registry keep beside the checkout."""

NOT_OUR_FAULT = ("Failed to query available provider packages", "Failed to install provider", "Unsupported Terraform Core version")
"""What `terraform init` says where there is no way to the registry, or Terraform is too old."""

# The state is not asked for, and neither is AWS: no plan needs credentials.
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


class UnavailableError(Exception):
    """Something that the check needs and the project cannot bring along is not there."""


class BrokenError(Exception):
    """A tool says that something is wrong; the text is its own."""


@dataclass(frozen=True)
class Terraform:
    """The configuration in a folder of its own, ready to be planned.

    Attributes:
        provider: where the provider comes from, for people.
        prefix: the words before `terraform`.
    """

    folder: Path
    data: Path
    provider: str
    prefix: tuple[str, ...] = ()

    def run(self, *arguments: str, timeout_s: float = 300) -> str:
        """Its output.

        Raises:
            BrokenError: it failed.
        """
        environ = {name: value for name, value in os.environ.items() if not name.startswith(("TF_", "AWS_"))}
        environ |= {"TF_DATA_DIR": str(self.data), "TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1"}
        if (settings := Path(os.environ.get("TF_CLI_CONFIG_FILE", "/nowhere"))).is_file():
            environ["TF_CLI_CONFIG_FILE"] = str(settings)
        return run(*self.prefix, "terraform", *arguments, cwd=self.folder, env=environ, timeout_s=timeout_s)

    def plan(self) -> Path:
        """The plan from an empty account, as a file of JSON."""
        self.run("plan", "-input=false", "-lock=false", "-refresh=false", "-no-color", "-var-file=example.tfvars", "-out=plan.bin")
        plan = self.folder / "plan.json"
        plan.write_text(self.run("show", "-json", "plan.bin"), encoding="utf-8")
        return plan

    def copy(self, folder: Path) -> "Terraform":
        """The same once more, to be changed."""
        shutil.copytree(self.folder, folder, ignore=shutil.ignore_patterns("plan.*"))
        return replace(self, folder=folder)


def run(*command: str, cwd: Path = ROOT, env: dict[str, str] | None = None, timeout_s: float = 300) -> str:
    """A command's standard output.

    Raises:
        UnavailableError: there is no such command.
        BrokenError: it failed or took too long; its words.
    """
    try:
        done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=timeout_s, check=False)
    except FileNotFoundError:
        raise UnavailableError(f"{command[0]} is not on PATH") from None
    except subprocess.TimeoutExpired:
        raise BrokenError(f"{' '.join(command)} took longer than {timeout_s:g} s") from None
    if done.returncode:
        raise BrokenError(f"{done.stdout}{done.stderr}".strip() or f"{' '.join(command)} ended with {done.returncode}")
    return done.stdout


def tool(name: str) -> str:
    """The path of one of the Python tools, out of an environment of their own that is made anew whenever the lock changes."""
    made_of, ready = hashlib.sha256(LOCK.read_bytes()).hexdigest(), VENV / ".ready"
    if not ready.is_file() or ready.read_text(encoding="utf-8") != made_of:
        print(f"making {VENV.name} from {LOCK.relative_to(ROOT)} (once)", file=sys.stderr)
        venv.create(VENV, clear=True, with_pip=True)
        pip = (str(VENV / "bin" / "python"), "-m", "pip", "install", "-qq", "--disable-pip-version-check")
        run(*pip, "--require-hashes", "-r", str(LOCK), timeout_s=900)
        ready.write_text(made_of, encoding="utf-8")
    return str(VENV / "bin" / name)


def prepare(work: Path) -> Terraform:
    """A copy of the configuration that is initialised: with the genuine provider if Terraform can have it, else with the stand-in.

    Raises:
        UnavailableError: there is neither, or Terraform is too old.
        BrokenError: `terraform init` fails for another reason.
    """
    folder = work / "configuration"
    shutil.copytree(CONFIGURATION, folder, ignore=shutil.ignore_patterns(".terraform", "backend.hcl", "compliance", "README.md"))
    (folder / "check_override.tf").write_text(OVERRIDE, encoding="utf-8")
    terraform = Terraform(folder, work / "data", "hashicorp/aws")
    try:
        terraform.run("init", "-input=false", "-no-color")
    except BrokenError as error:
        if not any(words in str(error) for words in NOT_OUR_FAULT):
            raise
        if not STAND_IN.is_dir():
            raise UnavailableError(f"terraform init cannot have the AWS provider:\n{error}") from None
        (schema,) = STAND_IN.glob("aws-*-schema-subset.json")
        prefix = (tool("python"), str(STAND_IN / "aws_standin.py"), str(schema))
        terraform = replace(terraform, provider=f"its schema ({schema.name}), as the provider itself cannot be had", prefix=prefix)
        (folder / ".terraform.lock.hcl").unlink(missing_ok=True)
        terraform.run("init", "-input=false", "-no-color", "-lockfile=readonly")
    return terraform


def failed_scenarios(plan: Path) -> list[str]:
    """The names of the scenarios that a plan does not fulfil; those that found nothing to look at are among them (@noskip).

    Raises:
        BrokenError: terraform-compliance itself broke down.
    """
    report = plan.with_suffix(".xml")
    try:
        run(tool("terraform-compliance"), "-f", str(FEATURES), "-p", str(plan), "--no-ansi", f"--junit-xml={report}", cwd=plan.parent)
    except BrokenError:
        if not report.is_file():
            raise
    cases = ET.parse(report).iter("testcase")  # noqa: S314 - written a moment ago by a tool of ours
    return [case.attrib["name"] for case in cases if case.find("failure") is not None]


def resource_count(plan: Path) -> int:
    """How many resources a plan makes."""
    changes = json.loads(plan.read_text(encoding="utf-8"))["resource_changes"]
    return sum(change["mode"] == "managed" for change in changes)
