"""`newsintel backup` and `restore`: everything comes back, or nothing is changed."""

import asyncio
import os
import re
import stat
import subprocess
from contextlib import asynccontextmanager
from itertools import count

import asyncpg
import pytest
import trio

from newsintel.commands.main import EXIT_FAILED, EXIT_USAGE
from newsintel.config.values import Secret
from newsintel.errors import NewsIntelError
from newsintel.storage.embedded.wheel_programs import find_wheel_program
from newsintel.storage.postgres.backups import check_contents
from newsintel.storage.postgres.client_programs import (
    DatabaseAccess,
    build_connection,
    build_environ,
    find_program,
)
from tests import libpq
from tests.cluster import WHERE
from tests.database_contents import fill, read_everything
from tests.service import COMMAND, environ, newsintel
from tests.storage import postgres_servers
from tests.storage.support import running_servers

DEBIAN = postgres_servers.installed()
needs_debian = pytest.mark.skipif(
    DEBIAN is None, reason="PostgreSQL is not installed (Debian: apt-get install postgresql)"
)
_names = (f"box_{number}" for number in count())


@asynccontextmanager
async def _debian(folder):
    home = await postgres_servers.make_cluster(folder, DEBIAN)
    async with postgres_servers.postgres_server(home, tool=DEBIAN) as server:
        yield server


@pytest.fixture(autouse=True)
def empty_at_first(monkeypatch):
    """A first start makes an empty cluster, as newsintel does."""
    monkeypatch.delenv(WHERE, raising=False)


async def _execute(url, *statements):
    connection = await asyncpg.connect(url)
    for statement in statements:
        await connection.execute(statement)
    await connection.close()


def create_database(url):
    """The URL of a new, empty database on the same server."""
    name = next(_names)
    asyncio.run(_execute(url, f"CREATE DATABASE {name}"))
    return url.replace("/postgres?", f"/{name}?")


def read(url):
    """Everything in a database."""
    return asyncio.run(read_everything(url))


@pytest.fixture(scope="module")
def embedded(tmp_path_factory):
    """A folder whose embedded server has rows in every table, all of them, and a piped backup.

    The folder also has the file `backup`.
    """
    folder = tmp_path_factory.mktemp("full")
    with running_servers(folder / "newsintel") as urls:
        assert newsintel(folder, "migrate").returncode == 0
        asyncio.run(fill(urls["postgres_url"]))
        done = newsintel(folder, "backup", str(folder / "backup"))
        assert (done.returncode, done.stdout) == (0, ""), done.stderr
        assert re.search(r"backup written to \S+, [\d,]+ bytes \(schema \d{4}\)\n", done.stderr)
        contents = read(urls["postgres_url"])
        piped = subprocess.run(
            [*COMMAND, "backup", "-"], env=environ(folder), capture_output=True, check=True
        ).stdout
    assert not [name for (kind, name), rows in contents.items() if kind == "r" and not rows]
    return folder, contents, piped


@pytest.mark.slow
def test_restored_embedded_server_has_everything(embedded, tmp_path):
    """Rows, sequences, indexes, constraints, triggers and functions; and new rows can follow."""
    folder, contents, _ = embedded
    done = newsintel(tmp_path, "restore", str(folder / "backup"))
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    with running_servers(tmp_path / "newsintel") as urls:
        assert read(urls["postgres_url"]) == contents
        made = newsintel(tmp_path, "new-account", "after the restore")
        assert made.returncode == 0, made.stderr


@pytest.mark.slow
def test_backup_is_private_and_replaces_only_when_complete(embedded, tmp_path):
    """PostgreSQL's own program reads it. A failed backup leaves the old file."""
    backup = embedded[0] / "backup"
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    listed = subprocess.run(
        [find_wheel_program("pg_restore"), "--list", backup], capture_output=True, check=True
    ).stdout
    assert b"TABLE DATA public saved_articles" in listed
    old = tmp_path / "old"
    old.write_text("the last one")
    done = newsintel(tmp_path, "backup", str(old))
    assert done.returncode == EXIT_FAILED
    assert done.stderr.endswith("run `newsintel migrate`\n")
    assert old.read_text() == "the last one"
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["old"]


@pytest.mark.slow
def test_backup_goes_to_standard_output(embedded, tmp_path):
    """Nothing else is written there, and it can be restored."""
    file = tmp_path / "piped"
    file.write_bytes(embedded[2])
    done = newsintel(tmp_path, "restore", str(file))
    assert done.returncode == 0, done.stderr
    with running_servers(tmp_path / "newsintel") as urls:
        assert read(urls["postgres_url"]) == embedded[1]


@pytest.mark.slow
@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:-500],  # in the rows
        lambda data: data[: len(data) // 2],  # in the table of contents
        lambda _: b"",
        lambda _: b"CREATE TABLE alembic_version (version_num text);\n" * 100,
    ],
)
def test_damaged_backup_restores_nothing(embedded, tmp_path, damage):
    """The failure is one line, and the database is still empty."""
    bad = tmp_path / "bad"
    bad.write_bytes(damage(embedded[2]))
    done = newsintel(tmp_path, "restore", str(bad))
    assert done.returncode == EXIT_FAILED
    assert "newsintel: pg_restore: " in done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    with running_servers(tmp_path / "newsintel") as urls:
        assert not [key for key, rows in read(urls["postgres_url"]).items() if rows]


@pytest.mark.slow
@needs_debian
async def test_debian_server_restores_its_own_backup(tmp_path):
    """With two roles, as in production: the service's role has its rights on the new tables."""
    folder, roles = tmp_path / "server", {}
    folder.mkdir()
    async with _debian(folder) as server:

        def try_it():
            old, new = create_database(server.url), create_database(server.url)
            asyncio.run(_execute(server.url, "CREATE ROLE service LOGIN"))
            roles["old"] = {"DATABASE_URL": old}
            roles["new"] = {
                "DATABASE_URL": new.replace("newsintel@", "service@"),
                "MIGRATE_DATABASE_URL": new,
            }
            assert newsintel(tmp_path, "migrate", **roles["old"]).returncode == 0
            asyncio.run(fill(old))
            file = str(tmp_path / "backup")
            for command, where in (("backup", "old"), ("restore", "new")):
                done = newsintel(tmp_path, command, file, **roles[where])
                assert done.returncode == 0, done.stderr
            assert read(new) == read(old)
            made = newsintel(tmp_path, "new-account", "after", **roles["new"])
            assert made.returncode == 0, made.stderr
            again = newsintel(tmp_path, "restore", file, **roles["new"])
            assert again.returncode == EXIT_FAILED
            assert "the database is not empty" in again.stderr

        await trio.to_thread.run_sync(try_it)


@pytest.mark.slow
@needs_debian
async def test_backup_moves_to_a_newer_server_and_not_to_an_older(embedded, tmp_path):
    """From Debian's PostgreSQL to the wheel's 18; the way back is refused before anything."""
    folder = tmp_path / "server"
    folder.mkdir()
    async with _debian(folder) as server:

        def try_it():
            old, empty = create_database(server.url), create_database(server.url)
            assert newsintel(tmp_path, "migrate", DATABASE_URL=old).returncode == 0
            asyncio.run(fill(old))
            file = str(tmp_path / "backup")
            assert newsintel(tmp_path, "backup", file, DATABASE_URL=old).returncode == 0
            done = newsintel(tmp_path, "restore", file)  # into an embedded server
            assert done.returncode == 0, done.stderr
            with running_servers(tmp_path / "newsintel") as urls:
                restored = read(urls["postgres_url"])
            rows = {key: value for key, value in read(old).items() if key[0] in "rS"}
            assert {key: value for key, value in restored.items() if key[0] in "rS"} == rows
            back = newsintel(tmp_path, "restore", str(embedded[0] / "backup"), DATABASE_URL=empty)
            assert back.returncode == EXIT_FAILED
            assert re.search("newer|unsupported version", back.stderr), back.stderr
            assert not [key for key, value in read(empty).items() if value]

        await trio.to_thread.run_sync(try_it)


@pytest.mark.slow
def test_missing_file_is_named(tmp_path):
    """Before any server starts."""
    done = newsintel(tmp_path, "restore", str(tmp_path / "none"))
    assert done.returncode == EXIT_USAGE
    assert done.stderr == f"newsintel: {tmp_path}/none: No such file or directory\n"
    done = newsintel(tmp_path, "backup", str(tmp_path / "none" / "backup"))
    assert (done.returncode, "No such file" in done.stderr) == (EXIT_USAGE, True)
    assert not (tmp_path / "newsintel").exists()


LIST = "; Dumped by pg_dump version: 17.2\n;\n231; 1259 16449 TABLE public alembic_version box\n"


def test_contents_are_checked():
    """A newer PostgreSQL's backup, and that of another program."""
    check_contents("file", LIST.replace("; Dumped", ";     Dumped"), 17)
    check_contents("file", LIST.replace("; Dumped", ";     Dumped"), 18)
    with pytest.raises(NewsIntelError, match=r"written by PostgreSQL 17, and the server is 16"):
        check_contents("file", LIST.replace("; Dumped", ";     Dumped"), 16)
    with pytest.raises(NewsIntelError, match="not a backup of newsintel"):
        check_contents("file", LIST.replace("alembic_version", "alembic"), 17)


def access(url, password=None, *, embedded=False):
    """A database by its URL."""
    return DatabaseAccess(Secret(url), Secret(password) if password else None, embedded)


async def test_program_of_another_version_is_refused(tmp_path, monkeypatch):
    """The message says what to install."""
    fake = tmp_path / "pg_dump"
    fake.write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 99.1 (Debian 99.1-1)'\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert await find_program("pg_dump", 99, access("postgresql://h/d")) == fake
    with pytest.raises(NewsIntelError, match=r"found: .*99.*postgresql-client-98"):
        await find_program("pg_dump", 98, access("postgresql://h/d"))


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:geheim@db.example:6432/news?sslmode=verify-full&sslrootcert=/a%20b/c.pem",
        "postgresql://me@/news?host=/run/it's%5Cme",
        "postgresql://a,b:6000/news?target_session_attrs=read-write&connect_timeout=5",
        "postgresql://me:p%40ss@[::1]/news?options=-csearch_path%3Dx&channel_binding=prefer",
    ],
)
def test_libpq_reads_the_same_from_our_connection_string(url):
    """libpq itself is the judge; only the password and what has no effect are missing."""
    made = build_connection(access(url))
    assert "geheim" not in made
    assert "p@ss" not in made
    expected = {
        name: value
        for name, value in libpq.parse(url).items()
        if name not in ("password", "channel_binding")
    }
    found = libpq.parse(made)
    assert found.pop("fallback_application_name") == "newsintel"
    if "port" not in expected or "," in expected["host"]:
        ports = set(found.pop("port", "").split(","))
        assert ports <= {"", *expected.pop("port", "").split(","), "5432"}
    assert found == expected


def test_password_is_in_the_environment_alone():
    """Ours replaces the URL's. A key's password has no place there, so it is refused."""
    assert build_environ(access("postgresql://me:one@h/d"))["PGPASSWORD"] == "one"
    assert build_environ(access("postgresql://me:one@h/d", "two"))["PGPASSWORD"] == "two"
    assert "PGPASSWORD" not in build_environ(access("postgresql://me@h/d", embedded=True))
    with pytest.raises(NewsIntelError, match="sslpassword"):
        build_connection(access("postgresql://me@h/d?sslpassword=geheim"))
