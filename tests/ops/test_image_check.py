"""The image's build steps and the service that they install, for real.

It is marked slow because it installs everything. CI runs `just image-check` separately.
"""

import subprocess
import sys

import pytest

from ops.image_check import REPOSITORY

pytestmark = pytest.mark.slow


@pytest.fixture
def index(tmp_path):
    """Skip the test if pip cannot reach an index."""
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-deps",
        "--retries",
        "0",
        "--dest",
        str(tmp_path),
        "certifi",
    ]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("pip can reach no package index here")


def test_image_keeps_its_promises(index):
    """The service runs from the tree that the Dockerfile's steps make.

    It runs unprivileged and writes nothing.
    """
    done = subprocess.run(
        [sys.executable, "-m", "ops.image_check"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("image-check: all checks passed\n")
