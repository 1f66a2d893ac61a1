"""`python -m ops.deploy`, which .github/workflows/deploy.yml calls.

docs/deploy.md describes the order, and what to do after a failure.
"""

import argparse
import sys
from collections.abc import Sequence

from ops.deploy import steps
from ops.deploy.decisions import DeployError, check_full_commit
from ops.deploy.health import fetch_health
from ops.deploy.image import check_scan, find_image, tag_image
from ops.deploy.verify import verify_release

COMMIT = {"commit": "the full commit SHA, which is the image's tag"}
DIGEST = {"digest": "the pushed image's digest"}
SERVICE = {
    "cluster": "the ECS cluster",
    "service": "the ECS service",
    "migrate-family": "the family of the migration's task definition",
    "ops-family": "the family of the operators' task definition",
    "url": "the service's public URL",
}
COMMANDS = {
    "built": ("print digest=..., empty if the commit has no image yet", COMMIT),
    "scan": ("wait for the image's scan; fail if it found a critical vulnerability", DIGEST),
    "tag": ("give a scanned and signed image its commit as its tag", COMMIT | DIGEST),
    "release": ("migrate, roll out, verify", COMMIT | SERVICE),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command. Returns 0 if it is done, 1 if it failed."""
    given = _build_parser().parse_args(argv)
    try:
        if "commit" in given:
            check_full_commit(given.commit)
        if given.command == "built":
            print(f"digest={find_image(given.repository, given.commit) or ''}")
        elif given.command == "scan":
            check_scan(given.repository, given.digest)
        elif given.command == "tag":
            tag_image(given.repository, given.digest, given.commit)
        else:
            _release(given)
    except DeployError as error:
        print(f"deploy: {error}", file=sys.stderr)
        return 1
    return 0


def _release(given: argparse.Namespace) -> None:
    digest = find_image(given.repository, given.commit)
    if digest is None:
        raise DeployError(f"{given.repository} has no image of {given.commit}")
    image = f"{given.repository}@{digest}"
    url = given.url.rstrip("/")
    before = fetch_health(f"{url}/health/ready")
    running = steps.describe_service(given.cluster, given.service)["taskDefinition"]
    steps.run_migration(given.cluster, given.service, given.migrate_family, image)
    revision = steps.roll_out(given.cluster, given.service, image, running)
    steps.register_revision(steps.find_newest_definition(given.ops_family), image)
    verify_release(
        given.cluster, given.service, revision, url=url, commit=given.commit, before=before
    )


def _build_parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="python -m ops.deploy", description="Release newsintel to ECS."
    )
    commands = top.add_subparsers(dest="command", required=True)
    for name, (what, options) in COMMANDS.items():
        command = commands.add_parser(name, help=what)
        command.add_argument("--repository", required=True, help="the ECR repository's URL")
        for option, meaning in options.items():
            command.add_argument(f"--{option}", required=True, help=meaning)
    return top


if __name__ == "__main__":
    sys.exit(main())
