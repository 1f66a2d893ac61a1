"""The watchdog: a process with a stuck loop ends by itself or on SIGTERM, whatever the cause.

A process that was only stopped goes on.
"""

import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest

from tests.service import COMMAND, environ, free_port
from tests.waiting import PATIENCE_S

CAUSES = {
    "a call that waits": "time.sleep(1000)",
    "a lock that nobody gives back": "lock = threading.Lock(); lock.acquire(); lock.acquire()",
    "a loop without end": "while True: pass",
    "a pattern that backtracks": "re.fullmatch('(a+)+b', 'a' * 64)",
    "a call in C that never lets go of the interpreter": "all(itertools.repeat(1))",
}

SCRIPT = """
import itertools, re, sys, threading, time
import trio
from newsintel.runtime import stopping, watchdog
from newsintel.runtime.command_loop import call_on_signals

def planted():
    {cause}

async def main():
    with watchdog.watch_loop({stuck_s}), call_on_signals(lambda: None, lambda: None, end_s=1.0):
        print("turning", flush=True)
        for line in sys.stdin:
            planted() if line == "plant\\n" else await trio.sleep(0)
            print(line, end="", flush=True)
            await trio.sleep(0.2)

watchdog.TRACEBACK_S = stopping.TRACEBACK_S = 1
trio.run(main)
"""


def started(cause, stuck_s, stderr=subprocess.PIPE):
    """Start a process whose loop runs until the process is told to run into the cause."""
    command = [sys.executable, "-c", SCRIPT.format(cause=cause, stuck_s=stuck_s)]
    process = subprocess.Popen(
        command, stdin=-1, stdout=-1, stderr=stderr, text=True, cwd=Path(__file__).parents[2]
    )
    assert process.stdout.readline() == "turning\n"
    return process


def tell(process, line):
    """Write a line to the process."""
    process.stdin.write(line + "\n")
    process.stdin.flush()


@pytest.mark.slow
@pytest.mark.parametrize("cause", CAUSES.values(), ids=CAUSES)
def test_a_process_that_is_stuck_ends_by_itself_and_says_where(cause):
    """The exit code is not 0, and a traceback names the function at fault."""
    with started(cause, stuck_s=1.0) as process:
        tell(process, "plant")
        _, said = process.communicate(timeout=PATIENCE_S)
    assert process.returncode not in (0, None)
    assert "in planted" in said


@pytest.mark.slow
@pytest.mark.parametrize("cause", list(CAUSES.values())[:-1], ids=list(CAUSES)[:-1])
def test_sigterm_ends_a_process_whose_loop_is_stuck(cause):
    """The signal handler sets the limit, so the process does not wait for the watchdog."""
    with started(cause, stuck_s=1000) as process:
        tell(process, "plant")
        # The process is stuck once it has read the line. An earlier signal would not help: the loop
        # would not see it either.
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=PATIENCE_S)
    assert process.returncode not in (0, None)
    assert "in planted" in said


def test_a_full_standard_error_does_not_stop_the_end():
    """A full pipe blocks every writer, also the tracebacks.

    The kernel ends the process anyway.
    """
    reading, writing = os.pipe()
    os.write(writing, b"x" * fcntl.fcntl(writing, fcntl.F_GETPIPE_SZ))
    with started("time.sleep(1000)", stuck_s=1.0, stderr=writing) as process:
        tell(process, "plant")
        assert process.wait(PATIENCE_S) not in (0, None)
    os.close(reading)
    os.close(writing)


@pytest.mark.slow
def test_a_process_that_was_stopped_continues():
    """Causes are Ctrl-Z, a frozen container or a sleeping machine.

    The time in which the process did not run does not count.
    """
    with started("pass", stuck_s=2.0) as process:
        for number in range(2):
            process.send_signal(signal.SIGSTOP)
            time.sleep(3)
            process.send_signal(signal.SIGCONT)
            tell(process, f"round {number}")
            assert process.stdout.readline() == f"round {number}\n"
        process.stdin.close()
        assert process.wait(PATIENCE_S) == 0


SERVICE = """
import sys, time
import trio
from newsintel.runtime import command_loop, lifecycle
from newsintel.commands import serving
from newsintel.commands.demo import load_demo_settings
from newsintel.demo.server import run_simulated_upstreams
from newsintel.http.routes import health

def planted(*_):
    print("stuck", flush=True)
    time.sleep(1000)

async def main():
    async with run_simulated_upstreams() as simulated:
        settings = load_demo_settings(simulated)
        show = lambda url: print(url, flush=True)
        await serving.run_service(settings, show, stuck_s={stuck_s})

lifecycle.Lifecycle.get_phase = planted
lifecycle.END_SLACK_S = serving.END_SLACK_S = 0.5
command_loop.run(main)
"""


def ask_in_vain(url):
    """Send a request that is never answered."""
    with pytest.raises(httpx.TransportError):
        httpx.get(url, trust_env=False, timeout=PATIENCE_S)


@pytest.mark.slow
@pytest.mark.parametrize(("stuck_s", "stop"), [(1.0, None), (1000, signal.SIGTERM)])
def test_a_service_that_is_stuck_ends(tmp_path, stuck_s, stop):
    """The real service has a route that blocks.

    It ends by itself, or on a signal that its loop never sees; the next command stops its servers.
    """
    port = free_port()
    command = [sys.executable, "-c", SERVICE.format(stuck_s=stuck_s)]
    known = environ(tmp_path, BIND=f"127.0.0.1:{port}", DRAIN_S="0.5", LOG_LEVEL="error")
    with subprocess.Popen(
        command, stdout=-1, stderr=-1, text=True, env=known, cwd=Path(__file__).parents[2]
    ) as process:
        url = process.stdout.readline().strip()
        asking = threading.Thread(target=ask_in_vain, args=(f"{url}/health/ready",))
        asking.start()
        assert process.stdout.readline() == "stuck\n"
        if stop is not None:
            process.send_signal(stop)
        _, said = process.communicate(timeout=PATIENCE_S)
        asking.join()
    assert process.returncode not in (0, None)
    assert "in planted" in said
    data = str(tmp_path / "newsintel" / "demo")
    after = subprocess.run(
        [*COMMAND, "prune"],
        env=environ(tmp_path, DATA_DIR=data),
        capture_output=True,
        text=True,
        check=False,
    )
    assert after.returncode == 0, after.stderr
