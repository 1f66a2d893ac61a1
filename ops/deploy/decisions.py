"""What a release decides, of the JSON that AWS answers with. Pure."""

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
"""What describe-task-definition adds and register-task-definition does not take (ECS API reference, TaskDefinition)."""


class DeployError(Exception):
    """The release failed; the text says why, in one line unless it holds a log."""


class Progress(NamedTuple):
    """How far a rollout is."""

    done: bool
    words: str


def with_image(definition: Json, image: str) -> dict[str, Any]:
    """A task definition to register: the described one with the image of our container swapped and nothing else.

    Raises:
        DeployError: it has no container of ours.
    """
    found = {name: value for name, value in definition.items() if name not in READ_ONLY}
    containers = [{**each, "image": image} if each["name"] == CONTAINER else each for each in found["containerDefinitions"]]
    if not any(each["name"] == CONTAINER for each in containers):
        raise DeployError(f"{definition['family']} has no container {CONTAINER!r}")
    return {**found, "containerDefinitions": containers}


def rollout(deployments: Sequence[Json], revision: str) -> Progress:
    """How far the rollout of the revision just registered is.

    A rollback makes a deployment of the older revision the primary one and completes that: only the primary's revision tells the two apart.

    Raises:
        DeployError: the service is not on its way to that revision any more.
    """
    ours = next((each for each in deployments if each["taskDefinition"] == revision), None)
    primary = next(each for each in deployments if each["status"] == "PRIMARY")
    if ours is not None and ours.get("rolloutState") == "FAILED":
        why = ours.get("rolloutStateReason", "no reason given")
        raise DeployError(f"{short(revision)} failed: {why}; the service runs {running(primary)}")
    if primary["taskDefinition"] != revision:
        raise DeployError(f"{short(revision)} was rolled back or replaced: the service runs {running(primary)}")
    state = primary.get("rolloutState", "IN_PROGRESS")
    counts = f"{primary['runningCount']} of {primary['desiredCount']} running, {primary.get('failedTasks', 0)} failed"
    return Progress(state == "COMPLETED", f"{short(revision)}: {state}, {counts}")


def exit_code(task: Json) -> int | None:
    """How our container of a task ended; None while the task goes on.

    Raises:
        DeployError: it stopped without our container having run to an end.
    """
    if task["lastStatus"] != "STOPPED":
        return None
    container: Json = next((each for each in task["containers"] if each["name"] == CONTAINER), {})
    code = container.get("exitCode")
    if code is None:
        raise DeployError(f"the migration never ran: {container.get('reason') or task.get('stoppedReason', 'no reason given')}")
    return int(code)


def log_of(definition: Json, task_arn: str) -> tuple[str, str] | None:
    """The CloudWatch log group and stream of our container in a task; None if it logs elsewhere."""
    container = next(each for each in definition["containerDefinitions"] if each["name"] == CONTAINER)
    options = container.get("logConfiguration", {}).get("options", {})
    if not {"awslogs-group", "awslogs-stream-prefix"} <= options.keys():
        return None
    return options["awslogs-group"], f"{options['awslogs-stream-prefix']}/{CONTAINER}/{task_arn.rpartition('/')[2]}"


def family(revision: str) -> str:
    """The family of a revision's ARN."""
    return short(revision).partition(":")[0]


def short(revision: str) -> str:
    """family:revision out of an ARN."""
    return revision.rpartition("/")[2]


def running(deployment: Json) -> str:
    """A deployment's revision."""
    return short(deployment["taskDefinition"])


def full_commit(text: str) -> str:
    """A full commit SHA as it stands.

    Raises:
        DeployError: it is none.
    """
    if not re.fullmatch(r"[0-9a-f]{40}", text):
        raise DeployError(f"a commit must be given as 40 hex digits, not {text!r}")
    return text
