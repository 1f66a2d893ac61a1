"""Real servers in a DATA_DIR of any name.

Commands join them, leave them behind and find them again.
"""

import json
import os
import signal
import subprocess
import sys

import pytest
import trio

from newsintel.config.values import Secret
from newsintel.errors import SettingsError
from newsintel.storage.bridge import open_bridge
from newsintel.storage.embedded.servers import run_embedded_servers
from newsintel.storage.postgres.pool import open_postgres
from newsintel.storage.redis.link import open_redis
from tests.storage.support import ROOT, Servers

NAMES = {
    "spaces, umlauts, emoji, other scripts": "my jürgen u\u0308 📰 Новости 新聞",
    "what URLs and shells divide by": 'a?b#c&d=e%41:f@g*[h]{i}~it\'s "$HOME" `id` \\x;|<>',
    "what PostgreSQL divides by": "-a,b",
    "bytes that are no UTF-8": os.fsdecode(b"\xff\xfe"),
    "just too long for a socket": "x" * 100,
    "very long": "/".join(["x" * 200] * 3),
}


@pytest.fixture
def start():
    """Starts processes that hold the servers of a folder, with its name unchanged.

    None outlives the test.
    """
    started = []

    def begin(data_dir, folder):
        command = [sys.executable, str(ROOT / "tests" / "storage" / "keeper.py"), data_dir]
        environ = {"PYTHONPATH": str(ROOT), "PATH": os.defpath, "LC_ALL": "C.UTF-8"}
        process = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=folder, env=environ)
        started.append(process)
        line = process.stdout.readline()
        assert line, "the process ended"
        return process, json.loads(line)

    yield begin
    for process in started:
        process.terminate()
        process.wait()
        process.stdout.close()


def end(process, how):
    """End a process; returns its code."""
    process.send_signal(how)
    return process.wait()


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_servers_are_joined_and_found_again(start, tmp_path, name):
    """A second process joins, and a third finds what a killed process left behind.

    The last one to leave stops the servers. The URLs always work.
    """
    folder = tmp_path / name
    servers = Servers(folder, "", "")
    first, urls = start(str(folder), tmp_path)
    running = [servers.postgres.find_pid(), servers.redis.find_pid()]
    assert None not in running
    trio.run(use, urls)
    second, again = start(str(folder), tmp_path)
    assert again == urls
    assert end(first, signal.SIGTERM) == 0
    assert end(second, signal.SIGKILL) == -signal.SIGKILL
    third, again = start(str(folder), tmp_path)
    assert again == urls
    assert [servers.postgres.find_pid(), servers.redis.find_pid()] == running
    trio.run(use, urls)
    assert end(third, signal.SIGTERM) == 0
    assert [servers.postgres.find_pid(), servers.redis.find_pid()] == [None, None]


async def use(urls):
    """Send a request to both servers."""
    async with (
        open_bridge() as bridge,
        open_postgres(bridge, Secret(urls["postgres_url"]), None, 1) as postgres,
        open_redis(bridge, Secret(urls["redis_url"]), None) as redis,
    ):
        await postgres.ping()
        await redis.ping()


def test_a_relative_folder_is_the_same_as_its_absolute_one(start, tmp_path):
    """So is a folder behind a link: commands in different folders share one pair of servers."""
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "there")
    _, urls = start("there/data", tmp_path)
    assert start(str(tmp_path / "there" / "data"), "/")[1] == urls
    assert start("link/data", tmp_path)[1] == urls
    assert start("../there/data", tmp_path / "there")[1] == urls


async def test_folder_too_long_for_postgresql_is_refused_in_one_line(tmp_path):
    """PostgreSQL would truncate the names of its files."""
    with pytest.raises(SettingsError, match=r"^NEWSINTEL_DATA_DIR is too long .* 900 bytes$"):
        async with run_embedded_servers(tmp_path.joinpath(*["x" * 200] * 5)):
            pass
    assert not list(tmp_path.iterdir())


async def test_a_live_servers_pid_file_is_never_deleted(tmp_path):
    """Not even if its content is unreadable: a server that answers is running, and is joined."""
    servers = Servers(tmp_path / "data", "", "")
    async with run_embedded_servers(tmp_path / "data"):
        pid = servers.postgres.find_pid()
        for daemon in (servers.postgres, servers.redis):
            text = daemon.pid_file.read_bytes()
            daemon.pid_file.write_bytes(b"\xff\xfe not a number\n")
            async with run_embedded_servers(tmp_path / "data"):
                assert daemon.pid_file.read_bytes() == b"\xff\xfe not a number\n"
            daemon.pid_file.write_bytes(text)
        assert servers.postgres.find_pid() == pid
    assert servers.postgres.find_pid() is None
