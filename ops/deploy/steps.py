"""The steps of a release, in order: migrate, roll out, verify.

Each raises DeployError if the release must stop.
"""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any, TypeVar

from ops.deploy.aws import AwsError, call_aws
from ops.deploy.decisions import (
    DeployError,
    Json,
    find_log,
    get_family,
    judge_rollout,
    name_running,
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
VERIFY_S = 120.0
IN_A_ROW = 5
"""Consecutive answers of /health that must name the commit: each can come from a different task."""
LOG_LINES = 50
REQUEST_S = 10


def find_image(repository: str, commit: str) -> str | None:
    """Return the digest of a commit's image, or None if it is not built yet.

    Tags are immutable, so a commit is never built twice.
    """
    try:
        found = call_aws(
            "ecr",
            "describe-images",
            repositoryName=repository.partition("/")[2],
            imageIds=[{"imageTag": commit}],
        )
    except AwsError as error:
        if "ImageNotFoundException" in str(error):
            return None
        raise
    digest: str = found["imageDetails"][0]["imageDigest"]
    return digest


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
        lambda: read_exit_code(
            call_aws("ecs", "describe-tasks", cluster=cluster, tasks=[task])["tasks"][0]
        ),
        MIGRATION_S,
        "the migration",
    )
    if code:
        raise DeployError(
            f"the migration ended with {code}; the service was not touched\n"
            f"{read_log_tail(definition, task)}"
        )
    print_line("the migration ended with 0")


def roll_out(cluster: str, service: str, image: str) -> str:
    """Deploy a revision with the new image and wait for the rollout. Returns the revision's ARN."""
    before = describe_service(cluster, service)
    revision = register_revision(
        find_newest_definition(get_family(before["taskDefinition"])), image
    )
    print_line(f"{shorten_arn(before['taskDefinition'])} -> {shorten_arn(revision)}")
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


def verify_release(cluster: str, service: str, revision: str, url: str, commit: str) -> None:
    """Check that the new version serves: the running revision, the answering commit, readiness."""
    primary = next(
        each
        for each in describe_service(cluster, service)["deployments"]
        if each["status"] == "PRIMARY"
    )
    if primary["taskDefinition"] != revision or primary["rolloutState"] != "COMPLETED":
        raise DeployError(
            f"the service runs {name_running(primary)} ({primary['rolloutState']}), "
            f"not {shorten_arn(revision)}"
        )
    seen = ""

    def answers() -> bool | None:
        nonlocal seen
        commits = [fetch_health(f"{url}/health").get("commit") for _ in range(IN_A_ROW)]
        ready = fetch_health(f"{url}/health/ready").get("status")
        seen = f"/health names {sorted(set(map(str, commits)))}, /health/ready says {ready!r}"
        return (set(commits) == {commit} and ready == "ready") or None

    try:
        poll(answers, VERIFY_S, "the right answer")
    except DeployError as error:
        raise DeployError(f"{url} does not serve {commit} in good health: {seen}") from error
    print_line(f"{url}: {seen}")


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


def fetch_health(url: str) -> dict[str, Any]:
    """Return a health route's JSON, also of a 503; {} without a JSON answer."""
    try:
        with urllib.request.urlopen(url, timeout=REQUEST_S) as response:  # noqa: S310 - the operator's own URL
            body = json.load(response)
    except urllib.error.HTTPError as error:
        body = _parse_json(error.read())
    except (OSError, ValueError):
        return {}
    return body if isinstance(body, dict) else {}


def _parse_json(text: bytes) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return {}


def poll(check: Callable[[], T | None], within_s: float, what: str) -> T:
    """Repeat a check until it returns a value. A DeployError of the check ends it at once."""
    give_up = time.monotonic() + within_s
    while (found := check()) is None:
        if time.monotonic() >= give_up:
            raise DeployError(f"{what} took longer than {within_s:g} s")
        time.sleep(POLL_S)
    return found


def print_line(words: str) -> None:
    """Write to the log of the pipeline."""
    print(words, flush=True)
