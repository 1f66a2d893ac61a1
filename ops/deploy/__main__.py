"""`python -m ops.deploy`, which .github/workflows/deploy.yml calls.

docs/deploy.md describes the order, and what to do after a failure.
"""

import argparse
import sys
from collections.abc import Sequence

from ops.deploy import steps
from ops.deploy.decisions import DeployError, check_full_commit


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command. Returns 0 if it is done, 1 if it failed."""
    given = _build_parser().parse_args(argv)
    try:
        digest = steps.find_image(given.repository, check_full_commit(given.commit))
        if given.command == "built":
            print(f"digest={digest or ''}")
        else:
            _release(given, digest)
    except DeployError as error:
        print(f"deploy: {error}", file=sys.stderr)
        return 1
    return 0


def _release(given: argparse.Namespace, digest: str | None) -> None:
    if digest is None:
        raise DeployError(f"{given.repository} has no image of {given.commit}")
    image = f"{given.repository}@{digest}"
    steps.run_migration(given.cluster, given.service, given.migrate_family, image)
    revision = steps.roll_out(given.cluster, given.service, image)
    steps.verify_release(
        given.cluster, given.service, revision, given.url.rstrip("/"), given.commit
    )


def _build_parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="python -m ops.deploy", description="Release newsintel to ECS."
    )
    commands = top.add_subparsers(dest="command", required=True)
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--repository", required=True, help="the ECR repository's URL")
    common.add_argument(
        "--commit", required=True, help="the full commit SHA, which is the image's tag"
    )
    commands.add_parser(
        "built", parents=[common], help="print digest=..., empty if the commit has no image yet"
    )
    release = commands.add_parser("release", parents=[common], help="migrate, roll out, verify")
    for name, what in {
        "cluster": "the ECS cluster",
        "service": "the ECS service",
        "migrate-family": "the family of the migration's task definition",
        "url": "the service's public URL",
    }.items():
        release.add_argument(f"--{name}", required=True, help=what)
    return top


if __name__ == "__main__":
    sys.exit(main())
