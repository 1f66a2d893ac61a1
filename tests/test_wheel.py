"""The wheel in an empty environment, on every Python and platform that we promise."""

import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

import pytest

from newsintel.commands.main import COMMANDS
from tests.service import command_lines, running

ROOT = Path(__file__).resolve().parents[1]
DEV_TOOLS = {"pytest", "mypy", "ruff", "hypothesis", "schemathesis", "uv", "pip-audit"}

SERVICE_PLATFORMS = (
    "x86_64-manylinux_2_28",
    "aarch64-manylinux_2_28",
    "x86_64-unknown-linux-musl",
    "aarch64-unknown-linux-musl",
)
"""Where the service has wheels: glibc and musl (Alpine), x86-64 and arm64."""

DEMO_PLATFORMS = SERVICE_PLATFORMS[:2]
"""Where the embedded PostgreSQL has wheels too: Debian 10, and all that have glibc 2.28."""

PYTHONS = ("3.11", "3.12", "3.13")


def run(*command, **more):
    """Run a program; it must succeed."""
    words = [str(word) for word in command]
    done = subprocess.run(words, capture_output=True, text=True, check=False, **more)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("command", [*COMMANDS, "--version"])
def test_other_systems_are_refused_in_one_line(command):
    """As on macOS: no /proc, and sockets without Linux's options. The version can be asked."""
    program = (
        "import socket, sys; sys.platform = 'darwin'; del socket.TCP_USER_TIMEOUT\n"
        "from newsintel.commands.main import main; sys.exit(main(sys.argv[1:]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, command],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    if command == "--version":
        assert (done.returncode, done.stderr) == (0, "")
    else:
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
        assert done.stderr.startswith("newsintel: runs on Linux alone")


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    """Skip the test if no package index can be reached."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--retries", "0"]
    folder = tmp_path_factory.mktemp("index")
    done = subprocess.run([*command, "--dest", folder, "certifi"], capture_output=True, check=False)
    if done.returncode:
        pytest.skip("pip can reach no package index here")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The built wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "hatchling", "build", "--target", "wheel", "-d", folder, cwd=ROOT)
    return next(folder.glob("*.whl"))


@pytest.fixture
def box():
    """A folder for an environment, which the user of the embedded server may enter."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.mark.slow
def test_demo_runs_from_the_wheel(index, wheel, box, tmp_path, monkeypatch):
    """In an empty environment, without any tool of ours, far from the checkout."""
    venv.create(box, with_pip=True)
    run(box / "bin" / "python", "-m", "pip", "install", "--quiet", wheel)
    listed = run(box / "bin" / "python", "-m", "pip", "list", "--format=freeze")
    installed = {line.split("==")[0].lower() for line in listed.splitlines()}
    assert "newsintel" in installed
    assert not DEV_TOOLS & installed
    monkeypatch.setattr("tests.service.COMMAND", [str(box / "bin" / "newsintel")])
    monkeypatch.setattr("tests.service.ROOT", "")  # PYTHONPATH
    monkeypatch.chdir(tmp_path)
    with running(tmp_path, "demo") as service:
        assert service.search("climate").json()["complete"]
        where = Path(f"/proc/{service.process.pid}/cmdline").read_bytes().split(b"\0")
        assert os.fsencode(box) in where[0] + where[1]


@pytest.mark.slow
def test_demo_runs_by_uvx(index, wheel, box, tmp_path, monkeypatch):
    """`uvx newsintel demo`, with the wheel in place of a published name."""
    command = ["uvx", "--quiet", "--python", sys.executable, "--from", str(wheel), "newsintel"]
    monkeypatch.setattr("tests.service.COMMAND", command)
    monkeypatch.setattr("tests.service.ROOT", "")  # PYTHONPATH
    monkeypatch.setenv("UV_CACHE_DIR", str(box / "cache"))
    monkeypatch.chdir(tmp_path)
    with running(tmp_path, "demo") as service:
        assert service.search("climate").json()["complete"]
        ours = [line for line in command_lines() if str(box / "cache") in line]
        assert any("newsintel demo" in line for line in ours)


@pytest.mark.slow
@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("platform", SERVICE_PLATFORMS)
def test_every_platform_has_wheels(index, tmp_path, platform, python):
    """By uv's resolver: nothing has to be compiled where newsintel is installed."""
    asked = tmp_path / "requirements.in"
    asked.write_text((ROOT / "locks" / "image.txt").read_text())
    options = ("--quiet", "--only-binary", ":all:", "--python-platform", platform)
    versions = ("--python-version", python, "--output-file", tmp_path / "out")
    run("uv", "pip", "compile", *options, *versions, asked)
    if platform in DEMO_PLATFORMS:
        run("uv", "pip", "compile", *options, *versions, ROOT / "pyproject.toml")
