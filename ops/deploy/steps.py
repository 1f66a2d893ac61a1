"""The steps of a release, in order: migrate, roll out, verify.

Each raises DeployError if the release must stop.
"""

import time
from collections.abc import Callable
from typing import Any, TypeVar

from ops.deploy.aws import AwsError, AwsTimeoutError, call_aws
from ops.deploy.decisions import (
    DeployError,
    Json,
    find_log,
    get_family,
    judge_rollout,
    read_exit_code,
    replace_image,
    shorten_arn,
)

T = TypeVar("T")

POLL_S = 10.0
MIGRATION_S = 900.0
"""A migration only adds, and waits at most 30 s for a lock. Indexing a large archive is slowest."""
ROLLOUT_S = 1800.0
"""Twice the time to replace ten tasks (start, two health checks, 30 s of deregistration), plus the
time that the alarms watch after it."""
LOG_LINES = 50


def run_migration(cluster: str, service: str, task_family: str, image: str) -> None:
    """Run the migration task with the new image in the service's subnets; it must exit with 0."""
    definition = find_newest_definition(task_family)
    revision = register_revision(definition, image)
    network = describe_service(cluster, service)["networkConfiguration"]
    answer = call_aws(
        "ecs",
        "run-task",
        cluster=cluster,
        taskDefinition=revision,
        launchType="FARGATE",
        networkConfiguration=network,
        count=1,
    )
    if not answer["tasks"]:
        raise DeployError(f"the migration was not started: {answer['failures']}")
    task = answer["tasks"][0]["taskArn"]
    print_line(f"migrating with {shorten_arn(revision)}, task {shorten_arn(task)}")
    code = poll(
        lambda: read_exit_code(call_aws("ecs", "describe-tasks", cluster=cluster, tasks=[task])),
        MIGRATION_S,
        "the migration",
    )
    if code:
        raise DeployError(
            f"the migration ended with {code}; the service was not touched\n"
            f"{read_log_tail(definition, task)}"
        )
    print_line("the migration ended with 0")


def roll_out(cluster: str, service: str, image: str, running: str) -> str:
    """Deploy a revision with the new image and wait for the rollout. Returns the revision's ARN.

    Args:
        cluster: the ECS cluster.
        service: the ECS service.
        image: the new image, by digest.
        running: the revision that ran when the release began. If another one runs now, a rollback
            or another release came between, and this one must not undo it.
    """
    before = describe_service(cluster, service)["taskDefinition"]
    if before != running:
        raise DeployError(
            f"the service runs {shorten_arn(before)} and no longer {shorten_arn(running)}: "
            "another release or a rollback came between, and was left in place"
        )
    revision = register_revision(find_newest_definition(get_family(before)), image)
    print_line(f"{shorten_arn(before)} -> {shorten_arn(revision)}")
    call_aws("ecs", "update-service", cluster=cluster, service=service, taskDefinition=revision)

    def progress() -> bool | None:
        now = judge_rollout(describe_service(cluster, service)["deployments"], revision)
        print_line(now.words)
        return now.done or None

    try:
        poll(progress, ROLLOUT_S, f"the rollout of {shorten_arn(revision)}")
    except DeployError as error:
        events = [event["message"] for event in describe_service(cluster, service)["events"][:5]]
        raise DeployError("\n".join([str(error), *events])) from error
    return revision


def find_newest_definition(task_family: str) -> Json:
    """Return the newest active task definition of a family, from Terraform or from a release."""
    definition: Json = call_aws("ecs", "describe-task-definition", taskDefinition=task_family)[
        "taskDefinition"
    ]
    return definition


def register_revision(definition: Json, image: str) -> str:
    """Register a revision with only the image changed. Returns its ARN."""
    arn: str = call_aws("ecs", "register-task-definition", **replace_image(definition, image))[
        "taskDefinition"
    ]["taskDefinitionArn"]
    return arn


def describe_service(cluster: str, service: str) -> dict[str, Any]:
    """Return the service as ECS describes it."""
    answer = call_aws("ecs", "describe-services", cluster=cluster, services=[service])
    if not answer["services"]:
        raise DeployError(f"there is no service {service} in {cluster}: {answer['failures']}")
    found: dict[str, Any] = answer["services"][0]
    return found


def read_log_tail(definition: Json, task: str) -> str:
    """Return the last log lines of a task, or the reason why there are none."""
    place = find_log(definition, task)
    if place is None:
        return "(its log is not in CloudWatch)"
    try:
        events = call_aws(
            "logs", "get-log-events", logGroupName=place[0], logStreamName=place[1], limit=LOG_LINES
        )["events"]
    except AwsError as error:
        return f"({error})"
    return "\n".join(event["message"] for event in events)


def poll(check: Callable[[], T | None], within_s: float, what: str) -> T:
    """Repeat a check until it returns a value. A DeployError of the check ends it at once.

    A check only reads, so a call without an answer is made again.
    """
    give_up = time.monotonic() + within_s
    while True:
        try:
            found = check()
        except AwsTimeoutError as error:
            print_line(f"{error}; trying again")
            found = None
        if found is not None:
            return found
        if time.monotonic() >= give_up:
            raise DeployError(f"{what} took longer than {within_s:g} s")
        time.sleep(POLL_S)


def print_line(words: str) -> None:
    """Write to the log of the pipeline."""
    print(words, flush=True)
