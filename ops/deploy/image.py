"""The image in the registry: find it by its commit, check what the scan found, give it its tag.

An image is pushed without a tag, scanned, and signed. Only then it gets its commit as its tag. Tags
are immutable, so an image with a tag was built once, is signed, and had no critical finding.
"""

import json
from collections.abc import Iterator
from functools import partial
from typing import Any

from ops.deploy.aws import AwsError, call_aws
from ops.deploy.decisions import DeployError, Json
from ops.deploy.steps import poll, print_line

SCAN_S = 600.0
"""A scan takes a minute or two."""

MANIFESTS = [
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
]

REFUSED = "CRITICAL"
"""The severity that stops a release. Debian leaves lesser ones without a correction for months."""


def find_image(repository: str, commit: str) -> str | None:
    """Return the digest of a commit's image, or None if it is not built yet."""
    try:
        found = call_aws(
            "ecr",
            "describe-images",
            repositoryName=get_name(repository),
            imageIds=[{"imageTag": commit}],
        )
    except AwsError as error:
        if "ImageNotFoundException" in str(error):
            return None
        raise
    digest: str = found["imageDetails"][0]["imageDigest"]
    return digest


def tag_image(repository: str, digest: str, commit: str) -> None:
    """Give an image its commit as its tag."""
    image = read_manifest(repository, digest)
    call_aws(
        "ecr",
        "put-image",
        repositoryName=get_name(repository),
        imageManifest=image["imageManifest"],
        imageManifestMediaType=image["imageManifestMediaType"],
        imageDigest=digest,
        imageTag=commit,
    )
    print_line(f"{digest} is the image of {commit}")


def check_scan(repository: str, digest: str) -> None:
    """Wait until the registry has scanned an image.

    Raises:
        DeployError: the scan failed, or found a vulnerability of the severity REFUSED.
    """
    for each in list_platforms(json.loads(read_manifest(repository, digest)["imageManifest"])):
        found = poll(partial(read_scan, repository, each or digest), SCAN_S, "the scan")
        counts = found.get("findingSeverityCounts", {})
        print_line(f"scan of {each or digest}: {counts or 'nothing found'}")
        if counts.get(REFUSED):
            names = [
                finding["name"]
                for finding in found.get("findings", [])
                if finding["severity"] == REFUSED
            ]
            raise DeployError(f"the image has critical vulnerabilities: {', '.join(names)}")


def list_platforms(manifest: Json) -> Iterator[str]:
    """Return the digests of an index's images, without its attestations; "" for a plain image."""
    if "manifests" not in manifest:
        yield ""
        return
    for each in manifest["manifests"]:
        if each.get("platform", {}).get("os") != "unknown":
            yield each["digest"]


def read_scan(repository: str, digest: str) -> dict[str, Any] | None:
    """Return the findings of an image's scan, or None while it runs. Starts it if nobody did."""
    name = get_name(repository)
    try:
        answer = call_aws(
            "ecr",
            "describe-image-scan-findings",
            repositoryName=name,
            imageId={"imageDigest": digest},
        )
    except AwsError as error:
        if "ScanNotFoundException" not in str(error):
            raise
        call_aws("ecr", "start-image-scan", repositoryName=name, imageId={"imageDigest": digest})
        return None
    status = answer["imageScanStatus"]["status"]
    if status in ("IN_PROGRESS", "PENDING"):
        return None
    if status != "COMPLETE":
        why = answer["imageScanStatus"].get("description", "no reason given")
        raise DeployError(f"the scan of {digest} ended as {status}: {why}")
    findings: dict[str, Any] = answer["imageScanFindings"]
    return findings


def read_manifest(repository: str, digest: str) -> dict[str, Any]:
    """Return an image with its manifest, as the registry has it."""
    answer = call_aws(
        "ecr",
        "batch-get-image",
        repositoryName=get_name(repository),
        imageIds=[{"imageDigest": digest}],
        acceptedMediaTypes=MANIFESTS,
    )
    image: dict[str, Any] | None = next(iter(answer["images"]), None)
    if image is None:
        raise DeployError(f"{repository} has no image {digest}: {answer['failures']}")
    return image


def get_name(repository: str) -> str:
    """Return the name of a repository by its URL."""
    return repository.partition("/")[2]
