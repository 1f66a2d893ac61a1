"""What is installed: exact versions with hashes, listed in a CycloneDX SBOM that is published."""

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from pip_requirements_parser import RequirementsFile

ROOT = Path(__file__).resolve().parents[2]
LOCKS = sorted((ROOT / "locks").glob("*.txt"))


def read_lock(path):
    """The requirements of a lock, read by pip's own grammar."""
    parsed = RequirementsFile.from_file(str(path))
    assert not parsed.invalid_lines
    return parsed.requirements


@pytest.fixture(scope="module")
def sbom():
    """What the recipe prints."""
    tools = Path(sys.executable).parent
    done = subprocess.run(
        [tools / "just", "sbom"],
        cwd=ROOT,
        env=os.environ | {"PATH": f"{tools}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.stem)
def test_every_locked_package_has_one_version_and_its_hashes(path):
    """So a changed file at the index is not installed. No lock names a file or an address."""
    requirements = read_lock(path)
    assert len(requirements) > 5
    for one in requirements:
        assert one.is_pinned, one.line
        assert all(digest.startswith("sha256:") for digest in one.hash_options), one.line
        assert one.hash_options, one.line
        assert one.link is None, one.line


@pytest.mark.slow
def test_the_sbom_is_valid(sbom):
    """The judge is CycloneDX's own schema, which allows no unknown member."""
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(sbom) is None


@pytest.mark.slow
def test_the_sbom_lists_what_the_image_installs(sbom):
    """Name, version and hashes of each package, and the project itself with its licence."""
    found = json.loads(sbom)
    listed = {
        one["name"]: (
            one["version"],
            {
                digest["content"]
                for reference in one["externalReferences"]
                for digest in reference["hashes"]
            },
        )
        for one in found["components"]
    }
    assert listed == {
        one.name: (
            one.get_pinned_version,
            {digest.removeprefix("sha256:") for digest in one.hash_options},
        )
        for one in read_lock(ROOT / "locks" / "image.txt")
    }
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    root = found["metadata"]["component"]
    assert (root["name"], root["version"]) == (project["name"], project["version"])
    assert root["licenses"][0]["license"]["id"] == project["license"]


def test_the_same_lock_gives_the_same_sbom(sbom):
    """It has neither the time nor a random number."""
    found = json.loads(sbom)
    assert "serialNumber" not in found
    assert "timestamp" not in found["metadata"]


def test_a_release_publishes_the_sbom():
    """The deployment's workflow prints it and keeps it."""
    steps = (ROOT / ".github" / "workflows" / "deploy.yml").read_text()
    printed, _, after = steps.partition("./dev sbom > newsintel.cdx.json")
    assert printed
    assert "path: newsintel.cdx.json" in after.partition("- name: migrate")[0]


def test_known_vulnerabilities_are_looked_up_every_week():
    """CI does so for the image's lock, also without a commit."""
    steps = (ROOT / ".github" / "workflows" / "ci.yml").read_text()
    assert "cron:" in steps
    assert "pip-audit --require-hashes --disable-pip --requirement locks/image.txt" in steps


def test_rules_about_security_are_on_everywhere():
    """Ruff has bandit's rules as `S`. The service may leave out one, where it builds SQL."""
    lint = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["ruff"]["lint"]
    assert lint["select"] == ["ALL"]
    assert not [rule for rule in lint["ignore"] if rule.startswith("S")]
    left_out = {
        rule
        for files, rules in lint["per-file-ignores"].items()
        if files.startswith("newsintel/")
        for rule in rules
        if rule.startswith("S")
    }
    assert left_out == {"S608"}
