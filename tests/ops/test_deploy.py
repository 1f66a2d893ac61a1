"""A release against a fake aws CLI on PATH and a real HTTP server for the health routes.

The tests check the steps, their order, and what counts as a failure.
"""

import json
import os
import subprocess
import sys
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from ops.deploy import __main__ as deploy
from ops.deploy import aws, steps, verify
from ops.deploy.decisions import (
    READ_ONLY,
    DeployError,
    check_full_commit,
    judge_rollout,
    replace_image,
)

COMMIT = "a" * 40
OTHER = "b" * 40
DIGEST = "sha256:" + "1" * 64
REPOSITORY = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/newsintel-production"
SERVICE, MIGRATE = "newsintel-production", "newsintel-production-migrate"
OPS = "newsintel-production-ops"
WELL = {"newsapi": "ready", "guardian": "ready", "reddit": "disabled"}
STORES = {"postgresql": "ok", "redis": "ok"}
INDEX = {
    "manifests": [
        {"digest": "sha256:arm64", "platform": {"os": "linux", "architecture": "arm64"}},
        {"digest": "sha256:attestation", "platform": {"os": "unknown", "architecture": "unknown"}},
    ]
}
HAPPY = [
    [["PRIMARY", "new", "IN_PROGRESS"], ["ACTIVE", "old", "COMPLETED"]],
    [["PRIMARY", "new", "COMPLETED"]],
]


def definition(family):
    """What describe-task-definition answers: what Terraform registered and what AWS added."""
    options = {
        "awslogs-group": "/newsintel/production/migrate",
        "awslogs-region": "eu-west-1",
        "awslogs-stream-prefix": "migrate",
    }
    return {
        "family": family,
        "taskDefinitionArn": f"arn:aws:ecs:eu-west-1:111122223333:task-definition/{family}:7",
        "revision": 7,
        "status": "ACTIVE",
        "requiresAttributes": [{"name": "ecs.capability.execution-role-ecr-pull"}],
        "compatibilities": ["EC2", "FARGATE"],
        "registeredAt": "2026-11-25T02:00:00+00:00",
        "registeredBy": "arn:aws:sts::111122223333:assumed-role/terraform",
        "cpu": "1024",
        "memory": "2048",
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "containerDefinitions": [
            {"name": "router", "image": "example/router:1"},
            {
                "name": "newsintel",
                "image": f"{REPOSITORY}@sha256:{'0' * 64}",
                "readonlyRootFilesystem": True,
                "logConfiguration": {"logDriver": "awslogs", "options": options},
            },
        ],
    }


class World:
    """The state of the fake, written before a release and read after it."""

    def __init__(self, folder):
        self.folder = folder
        self.state = {
            "images": {COMMIT: DIGEST},
            "families": {name: [definition(name)] for name in (SERVICE, MIGRATE, OPS)},
            "migration": {
                "refused": False,
                "unknown": 1,
                "polls": 1,
                "end": {"containers": [{"name": "newsintel", "exitCode": 0}]},
            },
            "released": None,
            "story": HAPPY,
            "between": None,
            "scan": [{"status": "COMPLETE"}],
            "findings": {},
            "index": INDEX,
            "log": ["relation does not exist"],
        }

    def run(self, url, *, command="release", commit=COMMIT):
        """Run the command as the workflow does."""
        (self.folder / "world.json").write_text(json.dumps(self.state))
        words = [command, "--repository", REPOSITORY]
        if command in ("scan", "tag"):
            words += ["--digest", DIGEST]
        if command != "scan":
            words += ["--commit", commit]
        if command == "release":
            words += [
                "--cluster",
                SERVICE,
                "--service",
                SERVICE,
                "--migrate-family",
                MIGRATE,
                "--ops-family",
                OPS,
                "--url",
                url,
            ]
        return deploy.main(words)

    @property
    def calls(self):
        """Every call to the CLI: (command, parameters)."""
        return [
            tuple(json.loads(line))
            for line in (self.folder / "calls.jsonl").read_text().splitlines()
        ]

    @property
    def changes(self):
        """The calls that change something, in order."""
        return [
            command
            for command, _ in self.calls
            if not command.split()[1].startswith(("describe", "get", "batch-get"))
        ]


@pytest.fixture
def world(tmp_path, monkeypatch):
    """A world in which every step succeeds; the fake CLI is first on PATH, and polls are fast."""
    monkeypatch.setenv(
        "PATH",
        os.pathsep.join(
            [str(Path(__file__).parent), str(Path(sys.executable).parent), os.environ["PATH"]]
        ),
    )
    monkeypatch.setenv("FAKE_AWS", str(tmp_path))
    monkeypatch.setattr(steps, "POLL_S", 0.01)
    monkeypatch.setattr(verify, "VERIFY_S", 0.3)
    return World(tmp_path)


@contextmanager
def site(commit=COMMIT, ready="ready", sources=(WELL,), checks=STORES):
    """A service that reports a commit and a readiness; the last of `sources` repeats."""
    told = list(sources)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            status = 503 if self.path == "/health/ready" and ready == "unusable" else 200
            found = {"commit": commit}
            if self.path == "/health/ready":
                found = {"status": ready, "checks": checks, "sources": told[0]}
                del told[: len(told) > 1]
            body = json.dumps(found).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        serving.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            serving.join()


def test_release_migrates_then_rolls_out_then_checks_health(world, capsys):
    """Both families get a revision with the image by digest.

    The migration runs in the service's network before the service is updated.
    """
    with site() as url:
        assert world.run(url) == 0, capsys.readouterr().err
    assert world.changes == [
        "ecs register-task-definition",
        "ecs run-task",
        "ecs register-task-definition",
        "ecs update-service",
        "ecs register-task-definition",
    ]
    assert [given["family"] for command, given in world.calls if "register" in command] == [
        MIGRATE,
        SERVICE,
        OPS,
    ]
    calls = dict(world.calls)
    assert calls["ecs run-task"]["networkConfiguration"] == {
        "awsvpcConfiguration": {"subnets": ["subnet-1"], "securityGroups": ["sg-1"]}
    }
    assert calls["ecs run-task"]["taskDefinition"].endswith(f"/{MIGRATE}:8")
    assert calls["ecs update-service"]["taskDefinition"].endswith(f"/{SERVICE}:8")
    assert f"/health names {COMMIT}, /health/ready says 'ready'" in capsys.readouterr().out


def test_only_the_image_is_swapped():
    """The new revision equals the described one, except for our image and the members of AWS."""
    described = definition(SERVICE)
    swapped = replace_image(described, "new@sha256:2")
    assert swapped.keys() == described.keys() - set(READ_ONLY)
    assert swapped["containerDefinitions"][0] == described["containerDefinitions"][0]
    assert swapped["containerDefinitions"][1] == {
        **described["containerDefinitions"][1],
        "image": "new@sha256:2",
    }
    assert all(
        swapped[name] == described[name] for name in swapped if name != "containerDefinitions"
    )


def test_definition_without_our_container_is_refused():
    """A release never updates a family that is not ours."""
    strange = {
        **definition(SERVICE),
        "containerDefinitions": [{"name": "router", "image": "example/router:1"}],
    }
    with pytest.raises(DeployError, match="no container 'newsintel'"):
        replace_image(strange, "new@sha256:2")


def test_failed_migration_leaves_the_service_alone(world, capsys):
    """A migration that exits with 1 fails the release and shows its log.

    The service keeps its revision.
    """
    world.state["migration"]["end"] = {"containers": [{"name": "newsintel", "exitCode": 1}]}
    with site() as url:
        assert world.run(url) == 1
    assert "ecs update-service" not in world.changes
    said = capsys.readouterr().err
    assert "the migration ended with 1; the service was not touched" in said
    assert "relation does not exist" in said
    logged = dict(world.calls)["logs get-log-events"]
    assert (logged["logGroupName"], logged["logStreamName"]) == (
        "/newsintel/production/migrate",
        "migrate/newsintel/0a1b2c",
    )


@pytest.mark.parametrize(
    ("migration", "words"),
    [
        ({"refused": True, "unknown": 0, "polls": 0, "end": {}}, "RESOURCE:CPU"),
        (
            {
                "refused": False,
                "unknown": 0,
                "polls": 0,
                "end": {
                    "stoppedReason": "CannotPullContainerError",
                    "containers": [{"name": "newsintel"}],
                },
            },
            "never ran: CannotPullContainerError",
        ),
    ],
)
def test_migration_that_never_ran_is_a_failure(world, capsys, migration, words):
    """A task that did not start, or stopped before our container ran, has migrated nothing."""
    world.state["migration"] = migration
    with site() as url:
        assert world.run(url) == 1
    assert words in capsys.readouterr().err
    assert "ecs update-service" not in world.changes


@pytest.mark.slow
@pytest.mark.parametrize(
    "story",
    [
        pytest.param(
            [HAPPY[0], [["PRIMARY", "old", "IN_PROGRESS"], ["ACTIVE", "new", "FAILED"]]],
            id="the breaker trips",
        ),
        pytest.param([HAPPY[0], [["PRIMARY", "old", "COMPLETED"]]], id="it is over before we look"),
        pytest.param(
            [HAPPY[0], [["PRIMARY", "old", "COMPLETED"], ["ACTIVE", "new", "IN_PROGRESS"]]],
            id="an alarm rolls back",
        ),
        pytest.param([[["PRIMARY", "new", "FAILED"]]], id="no rollback to be had"),
        pytest.param(
            [HAPPY[0], HAPPY[1], [["PRIMARY", "old", "COMPLETED"]]], id="after it was complete"
        ),
    ],
)
def test_rollback_is_a_failure(world, capsys, story):
    """If ECS runs another revision than ours, the release failed.

    This holds even if /health names our commit.
    """
    world.state["story"] = story
    with site() as url:
        assert world.run(url) == 1
    assert f"the service runs {SERVICE}:" in capsys.readouterr().err


def test_failed_rollout_shows_the_last_events(world, capsys):
    """A failed rollout shows the last events of the service."""
    world.state["story"] = [[["PRIMARY", "old", "COMPLETED"]]]
    with site() as url:
        assert world.run(url) == 1
    assert "tasks failed to start" in capsys.readouterr().err


AWAY = WELL | {"newsapi": "quota_spent"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("served", "words"),
    [
        ({"commit": OTHER}, OTHER),
        ({"ready": "unusable"}, "'unusable'"),
        ({"ready": "degraded", "checks": STORES | {"redis": "failing"}}, "['redis']"),
        ({"ready": "degraded", "checks": {}}, "stores"),
        ({"ready": "degraded", "sources": (WELL, AWAY)}, "['newsapi']"),
    ],
)
def test_wrong_commit_or_worse_health_is_a_failure(world, capsys, served, words):
    """A rollout that AWS calls complete failed if another commit answers, or a store is away.

    The same holds for a source that was ready before.
    """
    with site(**served) as url:
        assert world.run(url) == 1
    said = capsys.readouterr().err
    assert f"does not serve {COMMIT} in good health" in said
    assert words in said


@pytest.mark.slow
@pytest.mark.parametrize(
    "sources",
    [
        pytest.param((AWAY,), id="away before as well"),
        pytest.param(({"guardian": "ready"}, AWAY), id="new in this version"),
        pytest.param((AWAY, WELL | {"newsapi": "circuit_open"}), id="away for another reason"),
    ],
)
def test_absent_source_is_no_failure_of_the_release(world, capsys, sources):
    """A spent quota or a refusal is no fault of the new version, and the log names the source."""
    with site(ready="degraded", sources=sources) as url:
        assert world.run(url) == 0, capsys.readouterr().err
    assert "sources that are away: newsapi" in capsys.readouterr().out


def test_first_release_has_nothing_to_compare_with(world, capsys, monkeypatch):
    """Before it, no server answers. The stores must be well; sources are only named."""
    asked = []

    def fetch(url):
        asked.append(url)
        return {}

    monkeypatch.setattr(deploy, "fetch_health", fetch)
    with site(ready="degraded", sources=(AWAY,)) as url:
        assert world.run(url) == 0, capsys.readouterr().err
        assert asked == [f"{url}/health/ready"]


def test_release_leaves_a_rollback_in_place(world, capsys):
    """If another revision runs than at the beginning, the release does not replace it."""
    world.state["between"] = f"arn:aws:ecs:eu-west-1:111122223333:task-definition/{SERVICE}:3"
    with site() as url:
        assert world.run(url) == 1
    assert "ecs update-service" not in world.changes
    assert f"the service runs {SERVICE}:3 and no longer {SERVICE}:7" in capsys.readouterr().err


def test_call_without_an_answer_is_made_again_only_if_it_reads(world, capsys, monkeypatch):
    """A poll goes on; a call that changes something ends the release with one line."""
    hangs, run = ["describe-tasks", "run-task"], subprocess.run

    def run_or_hang(command, **options):
        if command[2] in hangs:
            hangs.remove(command[2])
            raise subprocess.TimeoutExpired(command, options["timeout"])
        return run(command, **options)

    monkeypatch.setattr(aws.subprocess, "run", run_or_hang)
    with site() as url:
        assert world.run(url) == 1
        assert capsys.readouterr().err == "deploy: aws ecs run-task: no answer in 120 s\n"
        assert world.run(url) == 0, capsys.readouterr().err
    assert "aws ecs describe-tasks: no answer in 120 s; trying again" in capsys.readouterr().out


def test_no_answer_is_a_failure(world, capsys):
    """A complete rollout failed if no server answers at its address."""
    assert world.run("http://127.0.0.1:9") == 1
    assert "does not serve" in capsys.readouterr().err


def test_rollout_that_never_ends_is_a_failure(world, capsys, monkeypatch):
    """A rollout fails after ROLLOUT_S."""
    monkeypatch.setattr(steps, "ROLLOUT_S", 0.1)
    world.state["story"] = [HAPPY[0]]
    with site() as url:
        assert world.run(url) == 1
    assert "took longer than 0.1 s" in capsys.readouterr().err


def test_image_is_built_once(world, capsys):
    """`built` prints the digest of a commit's image, or an empty one if there is no image.

    A release without an image changes nothing.
    """
    assert world.run("", command="built") == 0
    assert capsys.readouterr().out == f"digest={DIGEST}\n"
    assert world.run("", command="built", commit=OTHER) == 0
    assert capsys.readouterr().out == "digest=\n"
    assert world.run("http://127.0.0.1:9", commit=OTHER) == 1
    assert f"no image of {OTHER}" in capsys.readouterr().err
    assert world.changes == []


def test_image_gets_its_tag_when_it_is_scanned(world, capsys):
    """The scan is of the image for the tasks' processor; the tag is of the index above it."""
    world.state["scan"] = [None, {"status": "IN_PROGRESS"}, {"status": "COMPLETE"}]
    world.state["findings"] = {"findingSeverityCounts": {"MEDIUM": 2}}
    assert world.run("", command="scan") == 0, capsys.readouterr().err
    assert "{'MEDIUM': 2}" in capsys.readouterr().out
    scanned = [given["imageId"] for command, given in world.calls if "scan" in command]
    assert scanned == [{"imageDigest": "sha256:arm64"}] * 4
    assert world.changes == ["ecr start-image-scan"]
    assert world.run("", command="tag", commit=OTHER) == 0
    assert dict(world.calls)["ecr put-image"] == {
        "repositoryName": SERVICE,
        "imageManifest": json.dumps(INDEX),
        "imageManifestMediaType": "application/vnd.oci.image.index.v1+json",
        "imageDigest": DIGEST,
        "imageTag": OTHER,
    }


@pytest.mark.parametrize(
    ("scan", "findings", "words"),
    [
        (
            {"status": "COMPLETE"},
            {
                "findingSeverityCounts": {"CRITICAL": 1, "LOW": 1},
                "findings": [
                    {"name": "CVE-2026-1", "severity": "CRITICAL"},
                    {"name": "CVE-2026-2", "severity": "LOW"},
                ],
            },
            "critical vulnerabilities: CVE-2026-1\n",
        ),
        ({"status": "FAILED", "description": "no layers"}, {}, "ended as FAILED: no layers\n"),
        ({"status": "UNSUPPORTED_IMAGE"}, {}, "ended as UNSUPPORTED_IMAGE: no reason given\n"),
    ],
)
def test_image_with_a_critical_finding_or_without_a_scan_is_refused(
    world, capsys, scan, findings, words
):
    """The pipeline stops before it signs or tags the image, so it can never be released."""
    world.state |= {"scan": [scan], "findings": findings}
    assert world.run("", command="scan") == 1
    assert capsys.readouterr().err.endswith(words)


def test_error_of_aws_is_shown(world, capsys):
    """The error of the CLI is shown, and the release stops."""
    del world.state["families"][MIGRATE]
    with site() as url:
        assert world.run(url) == 1
    assert (
        "aws ecs describe-task-definition: An error occurred (ClientException)"
        in capsys.readouterr().err
    )
    assert world.changes == []


@pytest.mark.parametrize("text", ["main", "a" * 39, "A" * 40, "$(id)", ""])
def test_commit_must_be_a_full_sha(world, capsys, text):
    """The workflow's form may hold any text; only a full SHA is accepted."""
    with pytest.raises(DeployError):
        check_full_commit(text)
    assert world.run("", command="built", commit=text) == 1
    assert not (world.folder / "calls.jsonl").exists()
    assert "40 hex digits" in capsys.readouterr().err


def test_rollout_reports_its_progress():
    """The counts go to the log of the pipeline."""
    deployment = {
        "status": "PRIMARY",
        "taskDefinition": "arn/x:2",
        "rolloutState": "IN_PROGRESS",
        "runningCount": 1,
        "desiredCount": 2,
    }
    assert judge_rollout([deployment], "arn/x:2") == (
        False,
        "x:2: IN_PROGRESS, 1 of 2 running, 0 failed",
    )


@pytest.mark.parametrize(
    ("deployments", "words"),
    [
        pytest.param(
            [("PRIMARY", "x:1", "COMPLETED")],
            "rolled back or replaced: the service runs x:1",
            id="only the old one is left",
        ),
        pytest.param(
            [("PRIMARY", "x:1", "IN_PROGRESS"), ("ACTIVE", "x:2", "IN_PROGRESS")],
            "rolled back or replaced",
            id="going back",
        ),
        pytest.param(
            [("PRIMARY", "x:2", "FAILED")], "x:2 failed: no reason given", id="failed in place"
        ),
    ],
)
def test_rollout_fails_without_waiting_for_its_timeout(deployments, words):
    """Another primary revision, or a failed one, fails at once, not only after ROLLOUT_S."""
    seen = [
        {"status": status, "taskDefinition": f"arn/{revision}", "rolloutState": state}
        for status, revision, state in deployments
    ]
    with pytest.raises(DeployError, match=words):
        judge_rollout(seen, "arn/x:2")
