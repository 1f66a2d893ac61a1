"""The rights that Terraform gives the service, on real stores: enough for its work, and no more."""

import base64
import re
import runpy

import asyncpg
import pytest

from newsintel.config.values import Secret
from newsintel.storage.postgres.archive.articles import PostgresArchive
from newsintel.storage.postgres.migrate import check_schema, migrate
from newsintel.storage.postgres.pool import open_postgres
from newsintel.storage.redis.byte_cache import RedisBytes
from newsintel.storage.redis.harvests import RedisCache
from newsintel.storage.redis.link import open_redis
from newsintel.storage.redis.server import RedisServer
from tests.storage.conftest import rows, sql
from tests.storage.support import NOON, ROOT, answer, article, kept, read_cache_rights

CONFIGURATION = ROOT / "ops" / "terraform"


@pytest.fixture
def access():
    """The cache user's rights, in the syntax of ElastiCache and Redis."""
    return read_cache_rights()


@pytest.fixture
async def limited(bridge, servers, configured, access):
    """A link to Redis with the rights of the deployed service."""
    async with configured(
        [("ACL", "SETUSER", "deployed", "reset", ">secret", *access)],
        [("ACL", "DELUSER", "deployed")],
    ):
        url = servers.redis_url.replace("unix://", "unix://deployed@", 1)
        async with open_redis(bridge, Secret(url), Secret("secret")) as opened:
            yield opened


async def test_cache_works_with_the_deployed_rights(bridge, limited, tally):
    """Covers harvests, claims, finished bytes, and the removal of invalid values."""
    cache, pieces = RedisCache(limited, keep_s=60, count=tally), RedisBytes(limited, tally)
    await limited.ping()
    assert (await cache.claim("k", "mine", 10)).held
    await cache.store(answer("k"), "mine")
    assert await kept(cache, "k") == answer("k")
    assert (await cache.claim("k", "mine", 10)).held
    await cache.release_claim("k", "mine")
    await pieces.put("b", b"bytes", 60)
    assert (await pieces.get("b")).data == b"bytes"
    await limited.call("b", RedisServer.discard, "b")
    assert await pieces.get("b") is None


@pytest.mark.parametrize(
    "command",
    [
        ("KEYS", "*"),
        ("FLUSHALL",),
        ("CONFIG", "GET", "*"),
        ("EVAL", "return 1", "0"),
        ("INFO",),
        ("ACL", "LIST"),
        ("SHUTDOWN",),
    ],
)
async def test_cache_user_has_no_dangerous_command(bridge, limited, command):
    """A stolen password allows nobody to list the keys, empty, stop or program the server."""
    client = limited.servers.first.redis
    with pytest.raises(Exception, match=r"(?i)no permissions"):
        await bridge.add_lane("test", 1).run(client.execute_command, *command)


def allowed(commands_of, access):
    """The commands that a list of categories allows.

    The removed categories must come after the added ones.
    """
    found = {
        sign: {word[2:] for word in access if word.startswith(f"{sign}@") and word != "-@all"}
        for sign in "+-"
    }
    given, taken = (
        {command for category in found[sign] for command in commands_of[category]} for sign in "+-"
    )
    return (given - taken) | {word[1:] for word in access if re.fullmatch(r"\+[a-z]+", word)}


async def test_every_command_in_the_code_is_allowed(redis, access):
    """Covers every client call in storage/redis.

    A new command then fails here, not in production.
    """
    commands_of = {
        category: {command.decode() for command in await redis("ACL", "CAT", category)}
        for category in _categories(access)
    }
    code = "\n".join(
        path.read_text(encoding="utf-8")
        for path in (ROOT / "newsintel" / "storage" / "redis").glob("*.py")
    )
    called = set(re.findall(r"\b(?:together|_?redis|pipe|pipeline)\.([a-z]+)\(", code))
    spelled = {"delete": "del", "execute": "exec"}
    not_commands = {"pipeline", "aclose", "from_pool", "disconnect"}
    used = {spelled.get(name, name) for name in called - not_commands}
    assert {"get", "set", "del", "exec"} <= used
    assert used - allowed(commands_of, access) == set()


def _categories(access):
    return [word[2:] for word in access if word[1:2] == "@" and word[2:] != "all"]


@pytest.fixture
def service_role():
    """The program that the migration task runs first."""
    return runpy.run_path(str(CONFIGURATION / "service_role.py"))


async def test_service_role_reads_and_writes_but_changes_no_schema(bridge, empty_url, service_role):
    """The first call creates the role, and the second one corrects it.

    `migrate` grants it the tables.
    """
    lane = bridge.add_lane("test", 1)
    await lane.run(sql, empty_url, "DROP ROLE IF EXISTS newsintel_service")
    await lane.run(service_role["ensure_role"], empty_url, "", "newsintel_service", "first")
    await lane.run(sql, empty_url, "ALTER ROLE newsintel_service CREATEDB CREATEROLE")
    await lane.run(service_role["ensure_role"], empty_url, "", "newsintel_service", "second")
    url = empty_url.replace("newsintel@", "newsintel_service@")
    async with open_postgres(bridge, Secret(url), Secret("second"), 1) as service:
        await migrate(lane, Secret(empty_url), None, service)
        await check_schema(service)
        assert await PostgresArchive(service).save_articles([(article(), NOON)], []) == 1
    for forbidden in (
        "DROP TABLE articles",
        "CREATE TABLE mine ()",
        "CREATE ROLE mine",
        "CREATE DATABASE mine",
        "SELECT pg_reload_conf()",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await lane.run(sql, url, forbidden)


async def test_password_verifier_equals_postgresqls(bridge, empty_url, service_role):
    """Both make the same verifier from the same password and salt."""
    lane = bridge.add_lane("test", 1)
    making = (
        "DROP ROLE IF EXISTS verified",
        "SET password_encryption = 'scram-sha-256'",
        "CREATE ROLE verified PASSWORD 'a password'",
    )
    await lane.run(sql, empty_url, *making)
    try:
        ((made,),) = await lane.run(
            rows, empty_url, "SELECT rolpassword FROM pg_authid WHERE rolname = 'verified'"
        )
    finally:
        await lane.run(sql, empty_url, "DROP ROLE verified")  # noqa: ASYNC102 - short
    salt = base64.b64decode(made.split("$")[1].partition(":")[2])
    assert service_role["compute_verifier"]("a password", salt) == made
