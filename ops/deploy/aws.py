"""Calls of the aws CLI."""

import json
import subprocess
from typing import Any

from ops.deploy.decisions import DeployError

CALL_S = 120.0


class AwsError(DeployError):
    """The CLI ended with an error; the text is its message."""


class AwsTimeoutError(AwsError):
    """The CLI did not end within CALL_S. Whether the call had an effect is unknown."""


def call_aws(service: str, operation: str, /, **parameters: Any) -> Any:
    """Call the CLI once.

    Args:
        service: such as `ecs`.
        operation: as the CLI spells it, such as `run-task`.
        parameters: as the API spells them, such as `taskDefinition`; they are passed as the JSON
            document of --cli-input-json.

    Returns:
        The JSON of the answer.

    Raises:
        AwsTimeoutError: the CLI did not end.
        AwsError: the call failed.
    """
    command = [
        "aws",
        service,
        operation,
        "--output",
        "json",
        "--cli-input-json",
        json.dumps(parameters),
    ]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=CALL_S)
    except subprocess.TimeoutExpired:
        raise AwsTimeoutError(f"aws {service} {operation}: no answer in {CALL_S:g} s") from None
    if done.returncode:
        raise AwsError(f"aws {service} {operation}: {done.stderr.strip() or done.returncode}")
    return json.loads(done.stdout)
