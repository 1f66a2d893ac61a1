"""The steps of a release, in order: migrate, roll out, verify.

Each raises DeployError if the release must stop.
"""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any, TypeVar

from ops.deploy.aws import AwsError, aws
from ops.deploy.decisions import DeployError, Json, exit_code, family, log_of, rollout, running, short, with_image

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


def built(repository: str, commit: str) -> str | None:
    """Return the digest of a commit's image, or None if it is not built yet.

    Tags are immutable, so a commit is never built twice.
    """
    try:
        found = aws("ecr", "describe-images", repositoryName=repository.partition("/")[2], imageIds=[{"imageTag": commit}])
    except AwsError as error:
        if "ImageNotFoundException" in str(error):
            return None
        raise
    digest: str = found["imageDetails"][0]["imageDigest"]
    return digest


def migrate(cluster: str, service: str, task_family: str, image: str) -> None:
    """Run the migration task with the new image in the service's subnets; it must exit with 0."""
    definition = newest(task_family)
    revision = register(definition, image)
    network = described(cluster, service)["networkConfiguration"]
    answer = aws("ecs", "run-task", cluster=cluster, taskDefinition=revision, launchType="FARGATE", networkConfiguration=network, count=1)
    if not answer["tasks"]:
        raise DeployError(f"the migration was not started: {answer['failures']}")
    task = answer["tasks"][0]["taskArn"]
    say(f"migrating with {short(revision)}, task {short(task)}")
    code = poll(lambda: exit_code(aws("ecs", "describe-tasks", cluster=cluster, tasks=[task])["tasks"][0]), MIGRATION_S, "the migration")
    if code:
        raise DeployError(f"the migration ended with {code}; the service was not touched\n{log_tail(definition, task)}")
    say("the migration ended with 0")


def roll_out(cluster: str, service: str, image: str) -> str:
    """Deploy a revision with the new image and wait for the rollout. Returns the revision's ARN."""
    before = described(cluster, service)
    revision = register(newest(family(before["taskDefinition"])), image)
    say(f"{short(before['taskDefinition'])} -> {short(revision)}")
    aws("ecs", "update-service", cluster=cluster, service=service, taskDefinition=revision)

    def progress() -> bool | None:
        now = rollout(described(cluster, service)["deployments"], revision)
        say(now.words)
        return now.done or None

    try:
        poll(progress, ROLLOUT_S, f"the rollout of {short(revision)}")
    except DeployError as error:
        events = [event["message"] for event in described(cluster, service)["events"][:5]]
        raise DeployError("\n".join([str(error), *events])) from error
    return revision


def verify(cluster: str, service: str, revision: str, url: str, commit: str) -> None:
    """Check that the new version serves: the running revision, the answering commit, readiness."""
    primary = next(each for each in described(cluster, service)["deployments"] if each["status"] == "PRIMARY")
    if primary["taskDefinition"] != revision or primary["rolloutState"] != "COMPLETED":
        raise DeployError(f"the service runs {running(primary)} ({primary['rolloutState']}), not {short(revision)}")
    seen = ""

    def answers() -> bool | None:
        nonlocal seen
        commits = [asked(f"{url}/health").get("commit") for _ in range(IN_A_ROW)]
        ready = asked(f"{url}/health/ready").get("status")
        seen = f"/health names {sorted(set(map(str, commits)))}, /health/ready says {ready!r}"
        return (set(commits) == {commit} and ready == "ready") or None

    try:
        poll(answers, VERIFY_S, "the right answer")
    except DeployError as error:
        raise DeployError(f"{url} does not serve {commit} in good health: {seen}") from error
    say(f"{url}: {seen}")


def newest(task_family: str) -> Json:
    """Return the newest active task definition of a family, from Terraform or from a release."""
    definition: Json = aws("ecs", "describe-task-definition", taskDefinition=task_family)["taskDefinition"]
    return definition


def register(definition: Json, image: str) -> str:
    """Register a revision with only the image changed. Returns its ARN."""
    arn: str = aws("ecs", "register-task-definition", **with_image(definition, image))["taskDefinition"]["taskDefinitionArn"]
    return arn


def described(cluster: str, service: str) -> dict[str, Any]:
    """Return the service as ECS describes it."""
    answer = aws("ecs", "describe-services", cluster=cluster, services=[service])
    if not answer["services"]:
        raise DeployError(f"there is no service {service} in {cluster}: {answer['failures']}")
    found: dict[str, Any] = answer["services"][0]
    return found


def log_tail(definition: Json, task: str) -> str:
    """Return the last log lines of a task, or the reason why there are none."""
    place = log_of(definition, task)
    if place is None:
        return "(its log is not in CloudWatch)"
    try:
        events = aws("logs", "get-log-events", logGroupName=place[0], logStreamName=place[1], limit=LOG_LINES)["events"]
    except AwsError as error:
        return f"({error})"
    return "\n".join(event["message"] for event in events)


def asked(url: str) -> dict[str, Any]:
    """Return a health route's JSON, also of a 503; {} without a JSON answer."""
    try:
        with urllib.request.urlopen(url, timeout=REQUEST_S) as response:  # noqa: S310 - the operator's own URL
            body = json.load(response)
    except urllib.error.HTTPError as error:
        body = _json_of(error.read())
    except (OSError, ValueError):
        return {}
    return body if isinstance(body, dict) else {}


def _json_of(text: bytes) -> Any:
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


def say(words: str) -> None:
    """Write to the log of the pipeline."""
    print(words, flush=True)
