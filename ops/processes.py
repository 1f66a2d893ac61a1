"""Processes of ours: what they print is kept in a file, and they end by their own pid before the block that started them does."""

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
"""Between asking a process to end and killing it: ECS's default stopTimeout on Fargate."""

PLATFORM_NAMES = ("DATABASE_URL", "REDIS_URL", "PORT")
"""What newsintel reads beside its own names."""


class BrokenPromiseError(Exception):
    """Something was not as promised; the text says what."""


@frozen
class Running:
    """A process that was started."""

    name: str
    process: trio.Process
    log: Path
    stop_signal: signal.Signals

    def output(self) -> str:
        """All that it has printed."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    async def end(self) -> float:
        """Ask it to end, kill it if it does not. Returns the seconds it took; its code is then in `process.returncode`."""
        began = trio.current_time()
        if self.process.poll() is None:
            self.process.send_signal(self.stop_signal)
        with trio.move_on_after(STOP_S):
            await self.process.wait()
        self.process.kill()
        await self.process.wait()
        return trio.current_time() - began


@asynccontextmanager
async def running(
    name: str, command: Sequence[str | Path], environ: Mapping[str, str], folder: Path, stop_signal: signal.Signals = signal.SIGTERM
) -> AsyncIterator[Running]:
    """Have a command run for as long as the block does; what it prints goes to `folder/name.log`."""
    log = folder / f"{name}.log"
    with log.open("ab") as to:
        words = [str(word) for word in command]
        process = await trio.lowlevel.open_process(words, env=environ, cwd=folder, stdin=subprocess.DEVNULL, stdout=to, stderr=to)
    started = Running(name, process, log, stop_signal)
    try:
        yield started
    finally:
        with trio.move_on_after(STOP_S + 5, shield=True):
            await started.end()


async def finished(name: str, command: Sequence[str | Path], environ: Mapping[str, str], folder: Path, within_s: float) -> Running:
    """Run a command to its end.

    Raises:
        BrokenPromiseError: it took longer than `within_s`.
    """
    async with running(name, command, environ, folder) as started:
        with trio.move_on_after(within_s) as patience:
            await started.process.wait()
        if patience.cancelled_caught:
            raise BrokenPromiseError(f"{name} did not end within {within_s:g} s:\n{started.output()}")
        return started


async def until(check: Callable[[], Awaitable[bool]], within_s: float, what: str) -> float:
    """Wait until a check holds; returns the seconds it took.

    Raises:
        BrokenPromiseError: it did not, naming `what`.
    """
    began = trio.current_time()
    while not await check():
        if trio.current_time() - began > within_s:
            raise BrokenPromiseError(f"{what} did not happen within {within_s:g} s")
        await trio.sleep(0.05)
    return trio.current_time() - began


def judged(name: str, run: Callable[[], None]) -> int:
    """Run something that promises something, and print how it went; returns the exit code."""
    try:
        run()
    except* BrokenPromiseError as broken:
        said = "\n".join(str(leaf) for leaf in _leaves(broken))
    else:
        said = ""
    print(f"{name}: {said or 'all as promised'}", file=sys.stderr if said else sys.stdout)
    return 1 if said else 0


def _leaves(group: BaseExceptionGroup[BaseException]) -> list[BaseException]:
    return [leaf for each in group.exceptions for leaf in (_leaves(each) if isinstance(each, BaseExceptionGroup) else [each])]


def clean_environ(**settings: str) -> dict[str, str]:
    """This environment with nothing in it of the developer's own newsintel, and the given settings (named without NEWSINTEL_)."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("NEWSINTEL_") and name not in PLATFORM_NAMES}
    return kept | {f"NEWSINTEL_{name}": value for name, value in settings.items()}


def free_port() -> int:
    """A port of the loopback that nobody uses at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
