"""The decisions of a release, from the JSON that AWS returns. No side effects."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

Json = Mapping[str, Any]

CONTAINER = "newsintel"

READ_ONLY = (
    "taskDefinitionArn",
    "revision",
    "status",
    "requiresAttributes",
    "compatibilities",
    "registeredAt",
    "registeredBy",
    "deregisteredAt",
)
"""What describe-task-definition returns and register-task-definition rejects (ECS API reference,
TaskDefinition)."""


class DeployError(Exception):
    """The release failed; the text says why, in one line unless it includes a log."""


class Progress(NamedTuple):
    """The progress of a rollout."""

    done: bool
    words: str


def replace_image(definition: Json, image: str) -> dict[str, Any]:
    """Return a task definition to register: `definition` with only our container's image replaced.

    Raises:
        DeployError: it does not have our container.
    """
    found = {name: value for name, value in definition.items() if name not in READ_ONLY}
    containers = [
        {**each, "image": image} if each["name"] == CONTAINER else each
        for each in found["containerDefinitions"]
    ]
    if not any(each["name"] == CONTAINER for each in containers):
        raise DeployError(f"{definition['family']} has no container {CONTAINER!r}")
    return {**found, "containerDefinitions": containers}


def judge_rollout(deployments: Sequence[Json], revision: str) -> Progress:
    """Return the progress of the rollout of a newly registered revision.

    A rollback also completes a primary deployment, but of the older revision. So only the primary's
    revision distinguishes success from rollback.

    Raises:
        DeployError: the service no longer rolls out that revision.
    """
    ours = next((each for each in deployments if each["taskDefinition"] == revision), None)
    primary = find_primary(deployments)
    if ours is not None and ours.get("rolloutState") == "FAILED":
        why = ours.get("rolloutStateReason", "no reason given")
        raise DeployError(
            f"{shorten_arn(revision)} failed: {why}; the service runs {name_running(primary)}"
        )
    if primary["taskDefinition"] != revision:
        raise DeployError(
            f"{shorten_arn(revision)} was rolled back or replaced: "
            f"the service runs {name_running(primary)}"
        )
    state = primary.get("rolloutState", "IN_PROGRESS")
    counts = (
        f"{primary['runningCount']} of {primary['desiredCount']} running, "
        f"{primary.get('failedTasks', 0)} failed"
    )
    return Progress(state == "COMPLETED", f"{shorten_arn(revision)}: {state}, {counts}")


def find_primary(deployments: Sequence[Json]) -> Json:
    """Return the primary deployment of a service.

    Raises:
        DeployError: there is none, so the service is being deleted.
    """
    found = next((each for each in deployments if each["status"] == "PRIMARY"), None)
    if found is None:
        raise DeployError("the service has no primary deployment")
    return found


def read_exit_code(answer: Json) -> int | None:
    """Return the exit code of our container in a described task, or None while the task runs.

    Args:
        answer: of describe-tasks for one task. For some seconds after its start ECS may not know
            it; then `tasks` is empty.

    Raises:
        DeployError: the task stopped, but our container has no exit code.
    """
    task: Json | None = next(iter(answer["tasks"]), None)
    if task is None or task["lastStatus"] != "STOPPED":
        return None
    container: Json = next(
        (each for each in task.get("containers", []) if each["name"] == CONTAINER), {}
    )
    code = container.get("exitCode")
    if code is None:
        why = container.get("reason") or task.get("stoppedReason", "no reason given")
        raise DeployError(f"the migration never ran: {why}")
    return int(code)


def find_log(definition: Json, task_arn: str) -> tuple[str, str] | None:
    """Return the CloudWatch log group and stream of our container, or None if it logs elsewhere."""
    container = next(
        each for each in definition["containerDefinitions"] if each["name"] == CONTAINER
    )
    options = container.get("logConfiguration", {}).get("options", {})
    if not {"awslogs-group", "awslogs-stream-prefix"} <= options.keys():
        return None
    return options[
        "awslogs-group"
    ], f"{options['awslogs-stream-prefix']}/{CONTAINER}/{task_arn.rpartition('/')[2]}"


def get_family(revision: str) -> str:
    """Return the family of a revision's ARN."""
    return shorten_arn(revision).partition(":")[0]


def shorten_arn(revision: str) -> str:
    """Return family:revision of an ARN."""
    return revision.rpartition("/")[2]


def name_running(deployment: Json) -> str:
    """Return a deployment's family:revision."""
    return shorten_arn(deployment["taskDefinition"])


def check_full_commit(text: str) -> str:
    """Return the text if it is a full commit SHA.

    Raises:
        DeployError: it is not a full commit SHA.
    """
    if not re.fullmatch(r"[0-9a-f]{40}", text):
        raise DeployError(f"a commit must be given as 40 hex digits, not {text!r}")
    return text
