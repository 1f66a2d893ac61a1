"""The image's build steps and the service in what they make, for real. Slow: it installs everything; CI runs `just image-check` beside."""

import subprocess
import sys

import pytest

from ops.image_check import REPOSITORY

pytestmark = pytest.mark.slow


@pytest.fixture
def index(tmp_path):
    """Skips where pip has nowhere to install from."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--retries", "0", "--dest", str(tmp_path), "certifi"]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("pip can reach no package index here")


def test_image_keeps_its_promises(index):
    """The Dockerfile's own steps make a tree from which the service runs without rights, writing nothing."""
    done = subprocess.run([sys.executable, "-m", "ops.image_check"], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("image-check: all checks passed\n")
