"""Programs of npm's packages, which tests use as judges."""

import shutil
import subprocess
from pathlib import Path

import pytest


def install(source: Path, folder: Path) -> None:
    """Copy a folder with a package-lock.json, and install in the copy what the lock names.

    Skips the test if node is missing.
    """
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("needs node and npm")
    for file in source.iterdir():
        if file.suffix in {".json", ".mjs"}:
            shutil.copy(file, folder)
    installed = subprocess.run(
        ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    if installed.returncode:
        pytest.skip(f"npm cannot get the packages: {installed.stderr[-300:]}")
