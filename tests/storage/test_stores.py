"""All the stores together, opened like the service opens them."""

import pytest
import trio

from newsintel.config.reading import read_settings
from newsintel.domain.archive.query import build_fallback_query
from newsintel.domain.operations.ports import StoreLoad
from newsintel.errors import NewsIntelError, SchemaError, StoreRefusedError, UnavailableError
from newsintel.storage.opening import open_stores
from tests.storage.support import NOON, Servers, answer, article, kept, query
from tests.waiting import PATIENCE_S


def settings(tmp_path, **environ):
    """Settings from an environment."""
    names = {"NEWSINTEL_" + name: value for name, value in environ.items()}
    return read_settings((), {"NEWSINTEL_DATA_DIR": str(tmp_path / "data"), **names})


async def test_without_settings_embedded_servers_are_used(tmp_path, tally):
    """This is the development default.

    One step prepares it, and every store answers. Afterwards all servers are stopped.
    """
    async with open_stores(settings(tmp_path), tally) as stores:
        assert await stores.prepare(production=False) == ()
        await stores.check_schema()
        await stores.operations.ping_postgres()
        assert await stores.archive.articles.save_articles([(article(), NOON)], []) == 1
        found = await stores.archive.search.search(
            build_fallback_query(query("title"), ("newsapi", "guardian", "reddit")), 5, None
        )
        assert [hit.article for hit in found.hits] == [article()]
        await stores.personal.history.record_searches([])
        await stores.search.harvests.store(answer("k"), None)
        assert await kept(stores.search.harvests, "k") == answer("k")
        assert stores.operations.load() == StoreLoad(
            {"PostgreSQL": 0, "Redis": 0}, redis_breaker_open=False
        )
    data_dir = tmp_path / "data"
    assert [
        daemon.find_pid()
        for daemon in (Servers(data_dir, "", "").postgres, Servers(data_dir, "", "").redis)
    ] == [None, None]


async def test_stopped_external_servers_are_named_and_recover(
    tmp_path, tally, servers, database_url
):
    """Production checks the schema and does not migrate.

    A store that is down is named, and found again without a restart.
    """
    await servers.postgres.stop()
    await servers.redis.stop()
    known = settings(tmp_path, DATABASE_URL=database_url, REDIS_URL=servers.redis_url)
    async with open_stores(known, tally) as stores:
        assert await stores.prepare(production=True) == ("postgresql", "redis")
        assert await stores.prepare(production=False) == ("postgresql", "redis")
        await servers.postgres.ensure()
        await servers.redis.ensure()
        assert await stores.prepare(production=True) == ()
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("production", "change", "expected"),
    [
        (True, ("/test_", "/missing_"), StoreRefusedError),
        (False, ("newsintel@", "nobody@"), StoreRefusedError),
        (True, ("", ""), SchemaError),
    ],
)
async def test_permanent_error_ends_the_start(
    tmp_path, tally, servers, empty_url, *, production, change, expected
):
    """Wrong credentials, a missing database and a missing schema give one line each."""
    known = settings(tmp_path, DATABASE_URL=empty_url.replace(*change), REDIS_URL=servers.redis_url)
    async with open_stores(known, tally) as stores:
        with pytest.raises(expected) as refusal:
            await stores.prepare(production=production)
        assert isinstance(refusal.value, NewsIntelError)
        assert "\n" not in str(refusal.value)


async def test_another_role_may_migrate(tmp_path, tally, servers, empty_url):
    """Only the migration uses MIGRATE_DATABASE_URL, with its own password."""
    missing = empty_url.replace("newsintel@", "nobody@")
    known = settings(
        tmp_path, DATABASE_URL=empty_url, REDIS_URL=servers.redis_url, MIGRATE_DATABASE_URL=missing
    )
    async with open_stores(known, tally) as stores:
        await stores.operations.ping_postgres()
        with pytest.raises(StoreRefusedError):
            await stores.migrate()


async def test_crash_of_the_user_closes_the_stores(tmp_path, tally, servers, database_url):
    """The whole task tree is cancelled in mid-use.

    The stores close in bounded time and add no exception of their own.
    """
    known = settings(tmp_path, DATABASE_URL=database_url, REDIS_URL=servers.redis_url)

    async def use(stores):
        while True:
            try:
                await stores.archive.articles.save_articles([(article(), NOON)], [])
                await kept(stores.search.harvests, "k")
            except UnavailableError:
                await trio.sleep(0.001)

    for step in range(20):
        with trio.fail_after(PATIENCE_S), trio.move_on_after(0.002 * step):
            async with open_stores(known, tally) as stores, trio.open_nursery() as nursery:
                for _ in range(6):
                    nursery.start_soon(use, stores)
