"""The last step of a release: check that the new version serves."""

from ops.deploy.decisions import DeployError, Json, find_primary, name_running, shorten_arn
from ops.deploy.health import fetch_health, judge_health, list_absent_sources
from ops.deploy.steps import describe_service, poll, print_line

VERIFY_S = 120.0
IN_A_ROW = 5
"""Consecutive answers of /health that must name the commit: each can come from a different task."""


def verify_release(
    cluster: str, service: str, revision: str, *, url: str, commit: str, before: Json
) -> None:
    """Check that the new version serves: the running revision, the answering commit, the health.

    Args:
        cluster: the ECS cluster.
        service: the ECS service.
        revision: that was just rolled out.
        url: the service's public URL.
        commit: that the new version must name.
        before: the answer of /health/ready before the release.
    """
    primary = find_primary(describe_service(cluster, service)["deployments"])
    if primary["taskDefinition"] != revision or primary.get("rolloutState") != "COMPLETED":
        raise DeployError(
            f"the service runs {name_running(primary)} ({primary.get('rolloutState')}), "
            f"not {shorten_arn(revision)}"
        )
    wrong = ""

    def ask() -> Json | None:
        nonlocal wrong
        commits = [fetch_health(f"{url}/health").get("commit") for _ in range(IN_A_ROW)]
        ready = fetch_health(f"{url}/health/ready")
        wrong = judge_health(commit, commits, ready, before)
        return None if wrong else ready

    try:
        ready = poll(ask, VERIFY_S, "the right answer")
    except DeployError as error:
        raise DeployError(f"{url} does not serve {commit} in good health: {wrong}") from error
    print_line(f"{url}: /health names {commit}, /health/ready says {ready['status']!r}")
    if absent := list_absent_sources(ready):
        print_line(f"sources that are away: {', '.join(absent)}")
