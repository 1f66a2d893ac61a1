"""The lines of docs/deploy.md that start an operator's task, run by bash with a recording `aws`."""

import json
import re
import subprocess

import pytest

from newsintel.commands import main as commands
from ops.terraform_check.tools import CONFIGURATION, ROOT

PAGE = (ROOT / "docs/deploy.md").read_text(encoding="utf-8")
FUNCTION = re.search(r"^run\(\) \{.*?^\}", PAGE, flags=re.MULTILINE | re.DOTALL)[0]
LINES = re.findall(r"`(run [^`]+)`", PAGE)
RECORDER = """#!/bin/sh
printf '%s\\0' "$@" >> "$RECORD"
printf '\\n' >> "$RECORD"
echo arn:aws:ecs:eu-west-1:111122223333:task/newsintel-production/0a1b2c
"""


@pytest.fixture
def run_line(tmp_path):
    """Return a function that runs a line and returns the calls of aws, each a list of words."""
    (tmp_path / "aws").write_text(RECORDER)
    (tmp_path / "aws").chmod(0o755)

    def run(line):
        environ = {
            "PATH": f"{tmp_path}:/usr/local/bin:/usr/bin:/bin",
            "RECORD": str(tmp_path / "calls"),
            "SERVICE": "newsintel-production",
            "BUCKET": "the-bucket",
            "NETWORK": '{"awsvpcConfiguration": {}}',
        }
        subprocess.run(["bash", "-euc", f"{FUNCTION}\n{line}"], env=environ, check=True)
        calls = (tmp_path / "calls").read_text().splitlines()
        return [call.split("\0")[:-1] for call in calls]

    return run


@pytest.mark.parametrize("line", LINES)
def test_a_line_starts_a_command_of_this_version(run_line, line):
    """It runs in our container of the operators' family, in the network that Terraform names."""
    started = run_line(line)[0]
    options = dict(zip(started[2::2], started[3::2], strict=False))
    assert started[:2] == ["ecs", "run-task"]
    assert options["--task-definition"] == "newsintel-production-ops"
    assert json.loads(options["--network-configuration"]) == {"awsvpcConfiguration": {}}
    (override,) = json.loads(options["--overrides"])["containerOverrides"]
    assert override == {"name": "newsintel", "command": line.split()[1:]}
    assert override["command"][0] in {*commands.COMMANDS, "--help"}


def test_a_line_waits_and_shows_the_log_and_the_exit_codes(run_line):
    """The stream is that of our container; `fetch` and `store` can fail too."""
    calls = run_line("run prune")
    assert [call[:2] for call in calls] == [
        ["ecs", "run-task"],
        ["ecs", "wait"],
        ["logs", "tail"],
        ["ecs", "describe-tasks"],
    ]
    assert calls[2][2:] == [
        "/newsintel/production/ops",
        "--log-stream-names",
        "ops/newsintel/0a1b2c",
    ]
    assert "exitCode" in calls[3][calls[3].index("--query") + 1]


def test_the_page_has_a_line_for_each_command_of_operators():
    """These are the commands that nobody can run on their own machine, in a private network."""
    named = {line.split()[1] for line in LINES}
    assert {"rotate-keys", "deadlines", "prune", "export", "import"} <= named


def test_the_values_that_the_page_asks_terraform_for_exist():
    """`terraform output -raw` of another name ends with an error."""
    asked = set(re.findall(r"terraform output -raw (\w+)", PAGE))
    outputs = (CONFIGURATION / "outputs.tf").read_text(encoding="utf-8")
    assert asked <= set(re.findall(r'^output "(\w+)"', outputs, flags=re.MULTILINE))


def test_files_are_where_the_task_looks_for_them():
    """in/ and out/ of the bucket, /scratch and /scratch/out of the task."""
    text = (CONFIGURATION / "ops.tf").read_text(encoding="utf-8")
    assert "/in/ /scratch/" in text
    assert "aws s3 cp --recursive /scratch/out/ s3://" in text
    for line in LINES:
        for path in re.findall(r"/scratch\S*", line):
            kind = "/scratch/out/" if line.startswith("run export") else "/scratch/"
            assert re.fullmatch(rf"{kind}[a-z]+\.jsonl\.gz", path), line
