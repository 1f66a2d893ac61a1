"""The aws CLI, asked for one thing at a time."""

import json
import subprocess
from typing import Any

from ops.deploy.decisions import DeployError

CALL_S = 120


class AwsError(DeployError):
    """The CLI ended with an error; the text is what it said."""


def aws(service: str, operation: str, /, **parameters: Any) -> Any:
    """One call.

    Args:
        service: such as `ecs`.
        operation: as the CLI spells it, such as `run-task`.
        parameters: as the API spells them, such as `taskDefinition`; they travel as the JSON document of --cli-input-json.

    Returns:
        The answer's JSON.

    Raises:
        AwsError: it failed.
    """
    command = ["aws", service, operation, "--output", "json", "--cli-input-json", json.dumps(parameters)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=CALL_S)
    if done.returncode:
        raise AwsError(f"aws {service} {operation}: {done.stderr.strip() or done.returncode}")
    return json.loads(done.stdout)
