"""PostgreSQL and Redis with certificates of a private authority.

The servers are real; some of them are behind Python's TLS.
"""

import random
import shutil
import ssl
import subprocess
from contextlib import asynccontextmanager

import pytest
import trio
from attrs import frozen

from newsintel.config.values import Secret
from newsintel.errors import StoreRefusedError
from newsintel.storage.postgres.migrate import migrate
from newsintel.storage.postgres.pool import open_postgres
from newsintel.storage.redis.link import open_redis
from tests.authority import Authority, server_context
from tests.forwarder import forwarding
from tests.storage.postgres_servers import installed, make_cluster, postgres_server
from tests.storage.redis_servers import redis_server

PORTS = {"postgresql": 5432, "redis": 16379}
"""For servers that cannot choose a free port; each gets its own address."""


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """Long timeouts, because the machine may be busy."""
    monkeypatch.setattr("newsintel.storage.redis.server.SOCKET_S", 30)
    monkeypatch.setattr("newsintel.storage.postgres.connecting.CONNECT_S", 30)


@pytest.fixture
def authority(tmp_path):
    """The authority that is trusted."""
    return Authority(tmp_path)


@frozen
class Place:
    """The address of a server."""

    host: str
    port: int


def own_address():
    """A random loopback address, so that a fixed port is free there."""
    return f"127.{random.randrange(1, 255)}.{random.randrange(1, 255)}.{random.randrange(1, 255)}"


async def postgres_tls(client, context):
    """Start TLS like PostgreSQL (Frontend/Backend Protocol, 54.2.11).

    The client asks, one byte accepts, and TLS begins.
    """
    assert await client.receive_some(8) == b"\0\0\0\x08\x04\xd2\x16\x2f"
    await client.send_all(b"S")
    return trio.SSLStream(client, context, server_side=True)


@asynccontextmanager
async def postgres_behind(tmp_path, servers, context):
    """The embedded PostgreSQL, which has no TLS, behind Python's TLS."""

    async def greet(client):
        return await postgres_tls(client, context)

    async with forwarding(str(servers.data_dir / ".s.PGSQL.5432"), greet) as name:
        yield Place("127.0.0.1", name.port)


@asynccontextmanager
async def redis_behind(tmp_path, servers, context):
    """The embedded Redis behind Python's TLS."""

    async def greet(client):
        return trio.SSLStream(client, context, server_side=True)

    async with forwarding(servers.redis_url.removeprefix("unix://"), greet) as name:
        yield Place("127.0.0.1", name.port)


async def works(bridge, place, parameters):
    """Whether PostgreSQL works with these parameters; False if it was refused."""
    url = Secret(f"postgresql://newsintel@{place.host}:{place.port}/postgres?{parameters}")
    async with open_postgres(bridge, url, None, 1) as postgres:
        return await succeeds(postgres.ping)


async def redis_works(bridge, place, parameters, scheme="rediss"):
    """Whether Redis works with these parameters; False if it was refused."""
    async with open_redis(
        bridge, Secret(f"{scheme}://{place.host}:{place.port}?{parameters}"), None
    ) as link:
        return await succeeds(link.ping)


async def succeeds(call):
    """Whether a call succeeds; False if it was refused."""
    try:
        await call()
    except StoreRefusedError:
        return False
    return True


async def test_postgresql_is_trusted_if_the_named_authority_signed_it(
    bridge, tmp_path, servers, authority
):
    """The authority is a file or the system's roots; sslmode=require needs none."""
    context = server_context(authority.issue("127.0.0.1"))
    other = Authority(tmp_path, "other")
    async with postgres_behind(tmp_path, servers, context) as place:
        full = "sslmode=verify-full&sslrootcert="
        assert await works(bridge, place, f"{full}{authority.path}")
        assert not await works(bridge, place, f"{full}{other.path}")
        assert not await works(bridge, place, f"{full}system")
        assert await works(bridge, place, "sslmode=require")


async def test_ssl_cert_file_replaces_the_systems_roots(
    bridge, tmp_path, servers, authority, monkeypatch
):
    """This is OpenSSL's own variable."""
    async with postgres_behind(
        tmp_path, servers, server_context(authority.issue("127.0.0.1"))
    ) as place:
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.path))
        assert await works(bridge, place, "sslrootcert=system")
    async with redis_behind(
        tmp_path, servers, server_context(authority.issue("127.0.0.1"))
    ) as place:
        assert await redis_works(bridge, place, "")


async def test_certificate_for_another_name_is_refused_by_verify_full(
    bridge, tmp_path, servers, authority
):
    """verify-ca does not compare the name."""
    async with postgres_behind(
        tmp_path, servers, server_context(authority.issue("db.example.org"))
    ) as place:
        assert not await works(bridge, place, f"sslmode=verify-full&sslrootcert={authority.path}")
        assert await works(bridge, place, f"sslmode=verify-ca&sslrootcert={authority.path}")


async def test_client_certificate_is_sent(bridge, tmp_path, servers, authority, monkeypatch):
    """It works with each kind of authority for the server."""
    ours = authority.issue("newsintel")
    context = server_context(authority.issue("127.0.0.1"), clients=authority.path)
    async with (
        postgres_behind(tmp_path, servers, context) as place,
        redis_behind(tmp_path, servers, context) as cache,
    ):
        for root in (f"sslmode=verify-full&sslrootcert={authority.path}", "sslrootcert=system"):
            monkeypatch.setenv("SSL_CERT_FILE", str(authority.path))
            assert await works(
                bridge, place, f"{root}&sslcert={ours.certificate}&sslkey={ours.key}"
            )
        assert await redis_works(
            bridge, cache, f"ssl_certfile={ours.certificate}&ssl_keyfile={ours.key}"
        )


async def test_redis_is_trusted_if_the_named_authority_signed_it(
    bridge, tmp_path, servers, authority
):
    """The name is compared too, unless ssl_check_hostname=no."""
    async with redis_behind(
        tmp_path, servers, server_context(authority.issue("127.0.0.1"))
    ) as place:
        assert await redis_works(bridge, place, f"ssl_ca_certs={authority.path}")
        assert not await redis_works(
            bridge, place, f"ssl_ca_certs={Authority(tmp_path, 'other').path}"
        )
        assert not await redis_works(bridge, place, "")
        assert await redis_works(bridge, place, "ssl_cert_reqs=none")
    async with redis_behind(
        tmp_path, servers, server_context(authority.issue("cache.example.org"))
    ) as place:
        assert not await redis_works(bridge, place, f"ssl_ca_certs={authority.path}")
        assert await redis_works(
            bridge, place, f"ssl_ca_certs={authority.path}&ssl_check_hostname=no"
        )


@pytest.mark.skipif(installed() is None, reason="no PostgreSQL with TLS in /usr/lib/postgresql")
async def test_postgresql_with_its_own_tls_works(bridge, tmp_path, authority):
    """The server itself speaks TLS, and the test includes a migration.

    A client without TLS is refused.
    """
    address = own_address()
    pair = authority.issue(address)
    home = await make_cluster(tmp_path, installed())
    (home / "pg_hba.conf").write_text("local all all trust\nhostssl all all 127.0.0.0/8 trust\n")
    options = {
        "listen_addresses": address,
        "ssl": "on",
        "ssl_cert_file": pair.certificate,
        "ssl_key_file": pair.key,
    }
    words = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
    async with postgres_server(home, *words, tool=installed()):
        place = Place(address, PORTS["postgresql"])
        assert await works(bridge, place, f"sslmode=verify-full&sslrootcert={authority.path}")
        assert not await works(
            bridge, place, f"sslmode=verify-full&sslrootcert={Authority(tmp_path, 'other').path}"
        )
        assert not await works(bridge, place, "sslmode=disable")
        url = Secret(
            f"postgresql://newsintel@{address}:{place.port}/postgres?sslmode=verify-full&sslrootcert={authority.path}"
        )
        async with open_postgres(bridge, url, None, 1) as postgres:
            await migrate(bridge.add_lane("test", 1), url, None, postgres)

            async def encrypted(connection):
                return await connection.fetchval(
                    "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
                )

            assert await postgres.run(encrypted)


def speaks_tls(program):
    """Whether a redis-server was built with TLS.

    If it was, its first unknown directive is `unheard-of`.
    """
    if program is None:
        return False
    done = subprocess.run(
        [program, "--tls-protocols", "TLSv1.2", "--unheard-of", "1"],
        capture_output=True,
        check=False,
    )
    return b"unheard-of" in done.stderr + done.stdout


REDIS = shutil.which("valkey-server") or shutil.which("redis-server")


@pytest.mark.skipif(
    not speaks_tls(REDIS), reason="no redis-server or valkey-server with TLS on PATH"
)
async def test_redis_with_its_own_tls_works(bridge, tmp_path, authority):
    """The server itself speaks TLS."""
    address = own_address()
    pair = authority.issue(address)
    files = {
        "tls_cert_file": pair.certificate,
        "tls_key_file": pair.key,
        "tls_ca_cert_file": authority.path,
    }
    options = {name: str(value) for name, value in files.items()} | {
        "tls_port": PORTS["redis"],
        "bind": address,
        "tls_auth_clients": "no",
    }
    async with redis_server(tmp_path / "s", REDIS, **options):
        place = Place(address, PORTS["redis"])
        assert await redis_works(bridge, place, f"ssl_ca_certs={authority.path}")
        assert not await redis_works(
            bridge, place, f"ssl_ca_certs={Authority(tmp_path, 'other').path}"
        )
        assert not await redis_works(bridge, place, "")


def test_openssl_accepts_the_tests_certificates(tmp_path, authority):
    """So each refusal above has the reason that its test names."""
    pair = authority.issue("db.example.org")
    done = subprocess.run(
        ["openssl", "verify", "-CAfile", authority.path, pair.certificate],
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0
    assert ssl.create_default_context(cafile=str(authority.path)).cert_store_stats()["x509_ca"] > 0
