"""The effect of a URL's parameters on a real connection."""

import socket
from contextlib import asynccontextmanager

import pytest

from newsintel.config.database_url import parse_database_url
from newsintel.config.values import Secret
from newsintel.storage.postgres import connecting
from newsintel.storage.postgres.connecting import connect_arguments
from newsintel.storage.postgres.pool import open_postgres
from tests.forwarder import forwarding


@asynccontextmanager
async def connected(bridge, servers, parameters, hosts="127.0.0.1:{port}"):
    """A pool of one connection to the embedded server, over TCP."""
    async with forwarding(str(servers.data_dir / ".s.PGSQL.5432")) as name:
        place = hosts.format(port=name.port)
        async with open_postgres(
            bridge, Secret(f"postgresql://newsintel@{place}/postgres?{parameters}"), None, 1
        ) as postgres:
            yield postgres


@pytest.mark.parametrize("postgres_limits", [()])
@pytest.mark.parametrize(
    ("parameters", "setting", "value"),
    [
        ("", "application_name", "newsintel"),
        ("application_name=mine", "application_name", "mine"),
        ("fallback_application_name=mine", "application_name", "mine"),
        ("fallback_application_name=theirs&application_name=mine", "application_name", "mine"),
        ("options=-csearch_path%3Dnews%2Cpublic", "search_path", "news,public"),
        ("client_encoding=UTF8", "client_encoding", "UTF8"),
        ("options=-cstatement_timeout%3D7s", "statement_timeout", "1500ms"),
        (
            "channel_binding=prefer&gssencmode=disable&sslsni=1&load_balance_hosts=disable",
            "application_name",
            "newsintel",
        ),
    ],
)
async def test_parameters_set_the_session(bridge, servers, parameters, setting, value):
    """They act as in psql, but our own timeouts of queries override the URL."""

    async def shown(connection):
        return await connection.fetchval(f"SHOW {setting}")

    async with connected(bridge, servers, parameters) as postgres:
        assert await postgres.run(shown) == value


async def test_parameters_set_the_sockets_options(bridge, servers):
    """asyncpg has no arguments for these options."""

    async def options(connection):
        sock = connection._transport.get_extra_info("socket")
        names = (
            socket.TCP_KEEPIDLE,
            socket.TCP_KEEPINTVL,
            socket.TCP_KEEPCNT,
            socket.TCP_USER_TIMEOUT,
        )
        alive = sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        return [bool(alive), *(sock.getsockopt(socket.IPPROTO_TCP, name) for name in names)]

    wanted = (
        "keepalives=1&keepalives_idle=31&keepalives_interval=7&keepalives_count=4"
        "&tcp_user_timeout=9000"
    )
    async with connected(bridge, servers, wanted) as postgres:
        assert await postgres.run(options) == [True, 31, 7, 4, 9000]
    async with connected(bridge, servers, "sslmode=prefer") as postgres:
        assert (await postgres.run(options))[0] is False


async def test_tcp_options_are_ignored_for_a_unix_socket(postgres, bridge, servers):
    """libpq ignores them too."""
    url = Secret(f"{servers.postgres_url}&keepalives_idle=31")
    async with open_postgres(bridge, url, None, 1) as opened:
        await opened.ping()


async def test_first_host_that_answers_is_used(bridge, servers):
    """The host must also have the requested attributes; the embedded server is a primary."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # bound but not listening: connections are refused
        dead = f"127.0.0.1:{nobody.getsockname()[1]}"
        for attributes in ("any", "primary", "read-write"):
            parameters = f"target_session_attrs={attributes}"
            async with connected(
                bridge, servers, parameters, hosts=dead + ",127.0.0.1:{port}"
            ) as postgres:
                await postgres.ping()


def test_connect_timeout_of_the_url_overrides_ours():
    """Without one, CONNECT_S applies."""
    assert (
        connect_arguments(parse_database_url("postgresql://h/d?connect_timeout=9"), None, {})[
            "timeout"
        ]
        == 9
    )
    assert (
        connect_arguments(parse_database_url("postgresql://h/d"), None, {})["timeout"]
        == connecting.CONNECT_S
    )


def test_separate_password_overrides_the_urls():
    """Without one, the URL's password applies."""
    url = parse_database_url("postgresql://u:theirs@h/d")
    assert connect_arguments(url, None, {})["password"] == "theirs"
    assert connect_arguments(url, Secret("ours"), {})["password"] == "ours"
