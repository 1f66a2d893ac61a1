"""SIGINT, SIGTERM and SIGHUP sent to commands at many moments.

Started work is finished, no server is left, and the exit code names the signal.
"""

import asyncio
import fcntl
import json
import os
import pty
import signal
import subprocess
import sys
import termios
import threading
from array import array
from pathlib import Path

import asyncpg
import httpx
import pytest

from newsintel.storage.migrations import LOCK_MIGRATIONS
from tests.service import COMMAND, command_lines, environ, newsintel, running
from tests.storage.postgres.test_migrate import OTHERS_WAIT
from tests.storage.support import running_servers
from tests.waiting import PATIENCE_S, wait_for

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
STOPPED_AT = str(Path(__file__).with_name("stopped_at.py"))
ROOT = Path(__file__).parents[2]
LEAVING = 24
"""More steps than a first start of the servers has. Later the command is done or ends."""


def line(number):
    """A line whose article is identified by its number."""
    article = {
        "url": f"https://example.org/{number}",
        "title": f"Story {number}",
        "source": "guardian",
        "publisher": "The Guardian",
        "published_at": "2026-01-01T00:00:00Z",
        "content": "x" * 2000,
    }
    return json.dumps(article) + "\n"


def servers_of(folder):
    """The command lines of every program that was started for a folder."""
    return [
        line
        for line in command_lines()
        if f"{folder}/" in line and "newsintel " not in line and STOPPED_AT not in line
    ]


def stop_at(folder, number, step, times, *command, stdin=""):
    """Run a command that sends itself a signal at each of `times` steps, starting with `step`."""
    argv = [sys.executable, STOPPED_AT, str(int(number)), str(step), str(times), "--", *command]
    known = environ(folder, BIND="127.0.0.1:0") | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(
        argv,
        env=known,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


def moments(stride):
    """Steps of a first start, each with one of the signals, once or three times in a row."""
    return [
        (step, SIGNALS[place % 3], 1 if place % 2 else 3)
        for place, step in enumerate(range(0, LEAVING, stride))
    ]


def check_moment(folder, step, number, times, *command, stdin=""):
    """Check that the command ends with the signal's code, or was done, and leaves no process."""
    done = stop_at(folder, number, step, times, *command, stdin=stdin)
    assert done.returncode in (0, 128 + number), done.stderr
    assert "Traceback" not in done.stderr
    assert servers_of(folder) == []
    return done


@pytest.mark.slow
@pytest.mark.parametrize(("step", "number", "times"), moments(5))
def test_a_signal_at_any_step_leaves_no_server(tmp_path, step, number, times):
    """While the servers of a first start are made, started and joined.

    The next command finds a complete archive, or makes one.
    """
    done = check_moment(tmp_path, step, number, times, "import", "-", stdin=line(1))
    # Step 0 looks for a library, long before there is anything to continue
    if done.returncode and step:
        assert done.stderr.endswith("stopped; go on with --from-line 1\n")
    again = newsintel(tmp_path, "export")
    assert again.returncode == 0, again.stderr
    assert again.stdout.count("\n") == (0 if done.returncode else 1)


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [
        ("import", "-"),
        ("export",),
        ("prune",),
        ("migrate",),
        ("search", "x"),
        ("demo",),
        ("serve",),
    ],
)
def test_every_command_leaves_no_server_at_any_step(tmp_path, command):
    """The same for each command and each of its steps."""
    for step, number, times in moments(1):
        check_moment(tmp_path / str(step), step, number, times, *command)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("step", "number", "times"),
    [(3, signal.SIGHUP, 1), (9, signal.SIGTERM, 3), (17, signal.SIGINT, 1)],
)
def test_a_service_that_does_not_serve_yet_ends_at_once(tmp_path, step, number, times):
    """With the signal's code, because it never became ready."""
    done = check_moment(tmp_path, step, number, times, "demo")
    assert done.returncode == 128 + number


@pytest.mark.slow
@pytest.mark.parametrize("number", SIGNALS)
def test_a_running_service_shuts_down_cleanly(tmp_path, number):
    """With 0, whichever signal it is."""
    with running(tmp_path, "demo") as service:
        assert service.stop(number) == 0
    assert servers_of(tmp_path) == []


def ask_in_vain(url):
    """Send a request that is never answered."""
    with pytest.raises(httpx.TransportError):
        httpx.get(url, trust_env=False, timeout=PATIENCE_S)


@pytest.mark.slow
def test_a_second_signal_does_not_wait(tmp_path):
    """A running search delays the clean shutdown; a second signal ends the service at once.

    Its exit code says so.
    """
    with running(tmp_path, "demo", DRAIN_S="300") as service:
        service.behave("guardian", fault="hang")
        asking = threading.Thread(target=ask_in_vain, args=(f"{service.url}/articles?q=climate",))
        asking.start()
        wait_for(lambda: service.calls()["guardian"], "a call to the Guardian")
        service.process.send_signal(signal.SIGTERM)
        wait_for(lambda: "stopping" in service.log.read_text(), "its end")
        assert service.stop() == 128 + signal.SIGTERM
        asking.join()
    assert servers_of(tmp_path) == []


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """The settings of an archive with 600 articles, more than a pipe holds."""
    folder = tmp_path_factory.mktemp("archive")
    with running_servers(folder) as urls:
        settings = {"DATABASE_URL": urls["postgres_url"], "REDIS_URL": urls["redis_url"]}
        (folder / "in.jsonl").write_text("".join(map(line, range(600))))
        assert newsintel(folder, "import", str(folder / "in.jsonl"), **settings).returncode == 0
        yield settings


def command(folder, *args, settings, program=COMMAND, **streams):
    """Start a command."""
    return subprocess.Popen(
        [*program, *args],
        env=environ(folder, **settings),
        text=True,
        **streams,
    )


@pytest.mark.slow
def test_a_migration_that_is_stopped_is_no_outage(tmp_path):
    """It waits for another one. No failure to close its connection hides the signal."""

    async def stop_migration(url, settings):
        other = await asyncpg.connect(url)
        async with other.transaction():
            await other.execute(LOCK_MIGRATIONS)
            # With its own limit of time for the drain: the operation waits as long as the lock.
            hasty = {"program": [sys.executable, "-m", "newsintel"], "stderr": subprocess.PIPE}
            with command(tmp_path, "migrate", settings=settings, **hasty) as run:
                while not await other.fetchval(OTHERS_WAIT):  # noqa: ASYNC110 - a lock has no event
                    await asyncio.sleep(0.01)
                run.send_signal(signal.SIGTERM)
                said = await asyncio.to_thread(run.communicate, timeout=PATIENCE_S)
        await other.close()
        return run.returncode, said[1]

    with running_servers(tmp_path) as urls:
        settings = {"DATABASE_URL": urls["postgres_url"], "REDIS_URL": urls["redis_url"]}
        code, said = asyncio.run(stop_migration(urls["postgres_url"], settings))
    assert (code, said) == (128 + signal.SIGTERM, "")


def unread(pipe):
    """The number of bytes that wait in a pipe."""
    size = array("i", [0])
    fcntl.ioctl(pipe, termios.FIONREAD, size)
    return size[0]


@pytest.fixture(scope="module")
def whole(tmp_path_factory, archive):
    """The whole archive, exported."""
    return newsintel(tmp_path_factory.mktemp("whole"), "export", **archive).stdout


@pytest.mark.slow
@pytest.mark.parametrize("number", SIGNALS)
def test_an_export_with_a_blocked_reader_ends(tmp_path, archive, whole, number):
    """It names the article after which to continue; both parts together are the whole."""
    with command(tmp_path, "export", settings=archive, stdout=-1, stderr=-1) as process:
        wait_for(lambda: unread(process.stdout) >= 65_536, "a full pipe")
        process.send_signal(number)
        assert process.wait(PATIENCE_S) == 128 + number
        said = process.stderr.read().split()
    assert said[:-1] == ["stopped;", "go", "on", "with", "--after"] or said == [
        "stopped",
        "before",
        "the",
        "first",
        "article",
    ]
    after = ["--after", said[-1]] if "--after" in said else []
    rest = newsintel(tmp_path, "export", *after, **archive).stdout
    assert whole.endswith(rest)
    assert len(rest) >= len(whole) - 2**21


@pytest.mark.slow
@pytest.mark.parametrize("number", SIGNALS)
def test_an_import_that_waits_for_a_pipe_ends(tmp_path, archive, number):
    """Whole batches are archived, and the message names the line after the last of them."""
    with command(tmp_path, "import", "-", settings=archive, stdin=-1, stderr=-1) as process:
        process.stdin.write("".join(map(line, range(450))))
        process.stdin.flush()
        wait_for(lambda: unread(process.stdin) == 0, "its reading")
        process.send_signal(number)
        assert process.wait(PATIENCE_S) == 128 + number
        said = process.stderr.read()
    # The machine decides where in the second batch, or after it, the signal arrives.
    assert said in {f"stopped; go on with --from-line {first}\n" for first in (1, 201, 401)}


@pytest.mark.parametrize("number", SIGNALS)
def test_dedupe_leaves_no_half_file(tmp_path, number):
    """An older output stays as it was, and no part file is left.

    The command says that it must start from the first line.
    """
    older = tmp_path / "out.jsonl"
    older.write_text("older")
    with command(
        tmp_path, "dedupe", "-", "-o", str(older), settings={}, stdin=-1, stderr=-1
    ) as process:
        process.stdin.write('{"title": "one"}\n')
        process.stdin.flush()
        wait_for(
            lambda: any(each.stat().st_size for each in tmp_path.glob(".out*.part")),
            "its first line",
        )
        process.send_signal(number)
        assert process.wait(PATIENCE_S) == 128 + number
        assert (
            process.stderr.read() == "newsintel dedupe: stopped; run it again from the first line\n"
        )
    assert [each.name for each in tmp_path.iterdir()] == ["out.jsonl"]
    assert older.read_text() == "older"


@pytest.mark.slow
def test_ignored_sighup_stays_ignored(tmp_path, archive):
    """SIGHUP then has no effect."""
    ignored = {"preexec_fn": lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN)}
    with command(
        tmp_path, "import", "-", settings=archive, stdin=-1, stderr=-1, **ignored
    ) as process:
        process.stdin.write(line(1))
        process.stdin.flush()
        wait_for(lambda: unread(process.stdin) == 0, "its reading")
        process.send_signal(signal.SIGHUP)
        process.stdin.close()
        assert process.wait(PATIENCE_S) == 0


@pytest.mark.slow
def test_a_terminal_that_closes_ends_what_runs_in_it(tmp_path):
    """The command gets SIGHUP and can no longer write to the terminal."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(  # noqa: S606
            sys.executable,
            [*COMMAND, "demo"],
            environ(tmp_path, BIND="127.0.0.1:0"),
        )
    said = b""
    while b"Stop it with Ctrl-C" not in said:
        said += os.read(terminal, 4096)
    os.close(terminal)
    wait_for(
        lambda: (
            not Path(f"/proc/{pid}/stat").exists() or " Z " in Path(f"/proc/{pid}/stat").read_text()
        ),
        "its end",
    )
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert servers_of(tmp_path) == []
