"""PostgreSQL and Redis whose certificates a private authority has signed: real servers, and real servers behind a TLS of Python's."""

import random
import shutil
import ssl
import subprocess
from contextlib import asynccontextmanager

import pytest
import trio
from attrs import frozen

from newsintel.config.values import Secret
from newsintel.errors import RefusedError
from newsintel.storage.postgres.migrate import migrate
from newsintel.storage.postgres.pool import open_postgres
from newsintel.storage.redis.link import open_redis
from tests.authority import Authority, server_context
from tests.forwarder import forwarding
from tests.storage.postgres_servers import installed, make_cluster, postgres_server
from tests.storage.redis_servers import redis_server

PORTS = {"postgresql": 5432, "redis": 16379}
"""Of servers that cannot choose one; each has an address of its own."""


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """No reply is too late: the machine may be busy."""
    monkeypatch.setattr("newsintel.storage.redis.link.SOCKET_S", 30)
    monkeypatch.setattr("newsintel.storage.postgres.connecting.CONNECT_S", 30)


@pytest.fixture
def authority(tmp_path):
    """The one that is to be trusted."""
    return Authority(tmp_path)


@frozen
class Place:
    """Where a server is, and whom it lets in."""

    host: str
    port: int


def own_address():
    """A loopback address that nobody else uses, so that a fixed port is free there."""
    return f"127.{random.randrange(1, 255)}.{random.randrange(1, 255)}.{random.randrange(1, 255)}"


async def postgres_tls(client, context):
    """PostgreSQL's way into TLS (Frontend/Backend Protocol, 54.2.11): the client asks, one byte says yes, TLS begins."""
    assert await client.receive_some(8) == b"\0\0\0\x08\x04\xd2\x16\x2f"
    await client.send_all(b"S")
    return trio.SSLStream(client, context, server_side=True)


@asynccontextmanager
async def postgres_behind(tmp_path, servers, context):
    """The embedded PostgreSQL, which has no TLS, behind one."""

    async def greet(client):
        return await postgres_tls(client, context)

    async with forwarding(str(servers.data_dir / ".s.PGSQL.5432"), greet) as name:
        yield Place("127.0.0.1", name.port)


@asynccontextmanager
async def redis_behind(tmp_path, servers, context):
    """The embedded Redis behind TLS."""

    async def greet(client):
        return trio.SSLStream(client, context, server_side=True)

    async with forwarding(servers.redis_url.removeprefix("unix://"), greet) as name:
        yield Place("127.0.0.1", name.port)


async def works(bridge, place, parameters):
    """Whether PostgreSQL can be used so; False if it was refused."""
    url = Secret(f"postgresql://newsintel@{place.host}:{place.port}/postgres?{parameters}")
    async with open_postgres(bridge, url, None, 1) as postgres:
        return await succeeds(postgres.ping)


async def redis_works(bridge, place, parameters, scheme="rediss"):
    """Whether Redis can be used so; False if it was refused."""
    async with open_redis(bridge, Secret(f"{scheme}://{place.host}:{place.port}?{parameters}"), None) as link:
        return await succeeds(link.ping)


async def succeeds(call):
    """Whether a call succeeds; False if it was refused."""
    try:
        await call()
    except RefusedError:
        return False
    return True


async def test_postgresql_is_believed_if_the_named_authority_vouches_for_it(bridge, tmp_path, servers, authority):
    """By file, by name, by the system's own roots."""
    context = server_context(authority.issue("127.0.0.1"))
    other = Authority(tmp_path, "other")
    async with postgres_behind(tmp_path, servers, context) as place:
        full = "sslmode=verify-full&sslrootcert="
        assert await works(bridge, place, f"{full}{authority.path}")
        assert not await works(bridge, place, f"{full}{other.path}")
        assert not await works(bridge, place, f"{full}system")
        assert await works(bridge, place, "sslmode=require")


async def test_the_systems_roots_may_be_ones_own(bridge, tmp_path, servers, authority, monkeypatch):
    """OpenSSL's SSL_CERT_FILE says what the system trusts."""
    async with postgres_behind(tmp_path, servers, server_context(authority.issue("127.0.0.1"))) as place:
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.path))
        assert await works(bridge, place, "sslrootcert=system")
    async with redis_behind(tmp_path, servers, server_context(authority.issue("127.0.0.1"))) as place:
        assert await redis_works(bridge, place, "")


async def test_postgresql_under_another_name_is_not_believed(bridge, tmp_path, servers, authority):
    """verify-full looks at the name, verify-ca does not."""
    async with postgres_behind(tmp_path, servers, server_context(authority.issue("db.example.org"))) as place:
        assert not await works(bridge, place, f"sslmode=verify-full&sslrootcert={authority.path}")
        assert await works(bridge, place, f"sslmode=verify-ca&sslrootcert={authority.path}")


async def test_a_client_may_have_to_prove_itself_too(bridge, tmp_path, servers, authority, monkeypatch):
    """With a certificate of its own, whatever vouches for the server."""
    ours = authority.issue("newsintel")
    context = server_context(authority.issue("127.0.0.1"), clients=authority.path)
    async with postgres_behind(tmp_path, servers, context) as place, redis_behind(tmp_path, servers, context) as cache:
        for root in (f"sslmode=verify-full&sslrootcert={authority.path}", "sslrootcert=system"):
            monkeypatch.setenv("SSL_CERT_FILE", str(authority.path))
            assert await works(bridge, place, f"{root}&sslcert={ours.certificate}&sslkey={ours.key}")
        assert await redis_works(bridge, cache, f"ssl_certfile={ours.certificate}&ssl_keyfile={ours.key}")


async def test_redis_is_believed_if_the_named_authority_vouches_for_it(bridge, tmp_path, servers, authority):
    """And unless told so, only under its name."""
    async with redis_behind(tmp_path, servers, server_context(authority.issue("127.0.0.1"))) as place:
        assert await redis_works(bridge, place, f"ssl_ca_certs={authority.path}")
        assert not await redis_works(bridge, place, f"ssl_ca_certs={Authority(tmp_path, 'other').path}")
        assert not await redis_works(bridge, place, "")
        assert await redis_works(bridge, place, "ssl_cert_reqs=none")
    async with redis_behind(tmp_path, servers, server_context(authority.issue("cache.example.org"))) as place:
        assert not await redis_works(bridge, place, f"ssl_ca_certs={authority.path}")
        assert await redis_works(bridge, place, f"ssl_ca_certs={authority.path}&ssl_check_hostname=no")


@pytest.mark.skipif(installed() is None, reason="no PostgreSQL with TLS in /usr/lib/postgresql")
async def test_a_real_postgresql_with_tls(bridge, tmp_path, authority):
    """The whole way, migration included, with TLS as the server itself speaks it; who speaks none is not let in."""
    address = own_address()
    pair = authority.issue(address)
    home = await make_cluster(tmp_path, installed())
    (home / "pg_hba.conf").write_text("local all all trust\nhostssl all all 127.0.0.0/8 trust\n")
    options = {"listen_addresses": address, "ssl": "on", "ssl_cert_file": pair.certificate, "ssl_key_file": pair.key}
    words = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
    async with postgres_server(home, *words, tool=installed()):
        place = Place(address, PORTS["postgresql"])
        assert await works(bridge, place, f"sslmode=verify-full&sslrootcert={authority.path}")
        assert not await works(bridge, place, f"sslmode=verify-full&sslrootcert={Authority(tmp_path, 'other').path}")
        assert not await works(bridge, place, "sslmode=disable")
        url = Secret(f"postgresql://newsintel@{address}:{place.port}/postgres?sslmode=verify-full&sslrootcert={authority.path}")
        async with open_postgres(bridge, url, None, 1) as postgres:
            await migrate(bridge.lane("test", 1), url, None, postgres)

            async def encrypted(connection):
                return await connection.fetchval("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")

            assert await postgres.run(encrypted)


def speaks_tls(program):
    """Whether a redis-server was built with TLS: it stumbles over the first directive that it does not know."""
    if program is None:
        return False
    done = subprocess.run([program, "--tls-protocols", "TLSv1.2", "--unheard-of", "1"], capture_output=True, check=False)
    return b"unheard-of" in done.stderr + done.stdout


REDIS = shutil.which("valkey-server") or shutil.which("redis-server")


@pytest.mark.skipif(not speaks_tls(REDIS), reason="no redis-server or valkey-server with TLS on PATH")
async def test_a_real_redis_with_tls(bridge, tmp_path, authority):
    """TLS as the server itself speaks it."""
    address = own_address()
    pair = authority.issue(address)
    files = {"tls_cert_file": pair.certificate, "tls_key_file": pair.key, "tls_ca_cert_file": authority.path}
    options = {name: str(value) for name, value in files.items()} | {"tls_port": PORTS["redis"], "bind": address, "tls_auth_clients": "no"}
    async with redis_server(tmp_path / "s", REDIS, **options):
        place = Place(address, PORTS["redis"])
        assert await redis_works(bridge, place, f"ssl_ca_certs={authority.path}")
        assert not await redis_works(bridge, place, f"ssl_ca_certs={Authority(tmp_path, 'other').path}")
        assert not await redis_works(bridge, place, "")


def test_the_stand_ins_certificates_are_taken_by_openssl(tmp_path, authority):
    """So that a refusal above is for the reason that it says."""
    pair = authority.issue("db.example.org")
    done = subprocess.run(["openssl", "verify", "-CAfile", authority.path, pair.certificate], capture_output=True, check=False)
    assert done.returncode == 0
    assert ssl.create_default_context(cafile=str(authority.path)).cert_store_stats()["x509_ca"] > 0
