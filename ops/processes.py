"""Child processes: their output goes to a file, and they end, by pid, before their block ends."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import trio
from attrs import frozen

STOP_S = 30.0
"""Between the stop signal and SIGKILL: ECS's default stopTimeout on Fargate."""

PLATFORM_NAMES = ("DATABASE_URL", "REDIS_URL", "PORT")
"""Environment names that newsintel reads beside NEWSINTEL_*."""


class CheckFailedError(Exception):
    """A check failed; the text says which."""


@frozen
class RunningProcess:
    """A started process."""

    name: str
    process: trio.Process
    log: Path
    stop_signal: signal.Signals

    def read_output(self) -> str:
        """Return everything that it has printed."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    async def end_process(self) -> float:
        """Send the stop signal; kill the process if it does not end within STOP_S.

        Returns the seconds it took. `process.returncode` then has its exit code.
        """
        began = trio.current_time()
        if self.process.poll() is None:
            self.process.send_signal(self.stop_signal)
        with trio.move_on_after(STOP_S):
            await self.process.wait()
        self.process.kill()
        await self.process.wait()
        return trio.current_time() - began


@asynccontextmanager
async def run_process(
    name: str,
    command: Sequence[str | Path],
    environ: Mapping[str, str],
    folder: Path,
    stop_signal: signal.Signals = signal.SIGTERM,
) -> AsyncIterator[RunningProcess]:
    """Run a command while the block runs. Its output goes to `folder/name.log`."""
    log = folder / f"{name}.log"
    with log.open("ab") as to:
        words = [str(word) for word in command]
        process = await trio.lowlevel.open_process(
            words, env=environ, cwd=folder, stdin=subprocess.DEVNULL, stdout=to, stderr=to
        )
    started = RunningProcess(name, process, log, stop_signal)
    try:
        yield started
    finally:
        with trio.move_on_after(STOP_S + 5, shield=True):
            await started.end_process()


async def run_to_end(
    name: str,
    command: Sequence[str | Path],
    environ: Mapping[str, str],
    folder: Path,
    within_s: float,
) -> RunningProcess:
    """Run a command to its end.

    Raises:
        CheckFailedError: it took longer than `within_s`.
    """
    async with run_process(name, command, environ, folder) as started:
        with trio.move_on_after(within_s) as patience:
            await started.process.wait()
        if patience.cancelled_caught:
            raise CheckFailedError(
                f"{name} did not end within {within_s:g} s:\n{started.read_output()}"
            )
        return started


async def wait_until(check: Callable[[], Awaitable[bool]], within_s: float, what: str) -> float:
    """Wait until a check holds. Returns the seconds it took.

    Raises:
        CheckFailedError: it did not hold within `within_s`; the text names `what`.
    """
    began = trio.current_time()
    while not await check():
        if trio.current_time() - began > within_s:
            raise CheckFailedError(f"{what} did not happen within {within_s:g} s")
        await trio.sleep(0.05)
    return trio.current_time() - began


def run_checks(name: str, run: Callable[[], None]) -> int:
    """Run checks and print the result. Returns the exit code."""
    try:
        run()
    except* CheckFailedError as broken:
        said = "\n".join(str(leaf) for leaf in _flatten_errors(broken))
    else:
        said = ""
    print(f"{name}: {said or 'all checks passed'}", file=sys.stderr if said else sys.stdout)
    return 1 if said else 0


def _flatten_errors(group: BaseExceptionGroup[BaseException]) -> list[BaseException]:
    return [
        leaf
        for each in group.exceptions
        for leaf in (_flatten_errors(each) if isinstance(each, BaseExceptionGroup) else [each])
    ]


def build_clean_environ(**settings: str) -> dict[str, str]:
    """Return this environment without the developer's own newsintel settings, plus `settings`.

    The names of `settings` lack the prefix NEWSINTEL_.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("NEWSINTEL_") and name not in PLATFORM_NAMES
    }
    return kept | {f"NEWSINTEL_{name}": value for name, value in settings.items()}


def find_free_port() -> int:
    """Return a loopback port that is free at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
