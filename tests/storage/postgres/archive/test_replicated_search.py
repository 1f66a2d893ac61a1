"""The archive's search on a replica: the rules with fakes, and a real streaming replica."""

import pytest
import trio

from newsintel.config.values import Secret
from newsintel.domain.archive.model import (
    ArchiveQuery,
    ArchiveSort,
    Bucket,
    Condition,
    Field,
    Hit,
)
from newsintel.errors import ArchiveTimeoutError, BusyError, StoreRefusedError, UnavailableError
from newsintel.storage.postgres.archive.articles import PostgresArchive
from newsintel.storage.postgres.archive.replicated_search import PAUSE_S, ReplicatedSearch
from newsintel.storage.postgres.archive.search import PostgresSearch
from newsintel.storage.postgres.migrate import migrate
from newsintel.storage.postgres.pool import open_postgres
from tests.fakes.basics import MemorySearch
from tests.make import NOON, article
from tests.storage.postgres_servers import copy_cluster, make_cluster, postgres_server
from tests.waiting import until


def query(word, sort=ArchiveSort.RELEVANCE):
    """A search of the archive for one word."""
    return ArchiveQuery(((Condition(Field.ANY, word),),), sort=sort)


READS = (
    lambda search: search.search(query("storm"), 10, None),
    lambda search: search.count_timeline(query("storm"), Bucket.DAY),
    lambda search: search.count_facets(query("storm")),
    lambda search: search.find_archived_sources(["guardian", "reddit"]),
)


@pytest.fixture
def both():
    """A replica and a primary that have different articles."""
    return (
        MemorySearch([Hit(article("old"), NOON, NOON)]),
        MemorySearch([Hit(article("new"), NOON, NOON)]),
    )


@pytest.mark.parametrize("read", READS)
async def test_all_reads_go_to_the_replica(both, read):
    """The primary is not asked."""
    replica, primary = both
    assert await read(ReplicatedSearch(*both)) == await read(replica)
    assert not primary.asked


@pytest.mark.parametrize("failure", [UnavailableError, StoreRefusedError])
@pytest.mark.parametrize("read", READS[:3])
async def test_while_the_replica_fails_the_primary_answers(both, read, failure, autojump_clock):
    """The replica is tried again after a pause, not by each search."""
    replica, primary = both
    search = ReplicatedSearch(*both)
    replica.raises = failure("away")
    for _ in range(3):
        assert await read(search) == await read(primary)
    assert len(replica.asked) == 1
    replica.raises = None
    await trio.sleep(PAUSE_S)
    asked = len(primary.asked)
    assert await read(search) == await read(replica)
    assert len(primary.asked) == asked


@pytest.mark.parametrize("failure", [ArchiveTimeoutError, BusyError, ZeroDivisionError])
async def test_what_is_too_much_for_the_replica_does_not_reach_the_primary(both, failure):
    """Nor does a bug."""
    replica, primary = both
    replica.raises = failure("too much")
    with pytest.raises(failure):
        await READS[0](ReplicatedSearch(*both))
    assert not primary.asked


async def test_a_streaming_replica_answers_as_the_primary(bridge, tmp_path, monkeypatch):
    """All reads, also without the primary; after the replica has crashed, the primary answers."""
    monkeypatch.setattr("newsintel.storage.postgres.connecting.CONNECT_S", 30)
    monkeypatch.setattr("newsintel.storage.postgres.pool.COMMAND_S", 30)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    async with (
        postgres_server(await make_cluster(tmp_path / "a")) as server,
        postgres_server(await copy_cluster(server, tmp_path / "b")) as copy,
        open_postgres(bridge, Secret(server.url), None, 2) as primary,
        open_postgres(bridge, Secret(copy.url), None, 2, name="replica") as replica,
    ):
        await migrate(bridge.add_lane("migrating", 1), Secret(server.url), None, primary)
        articles = [
            (article(f"{number}", title=f"Storm {number} hits the coast"), NOON)
            for number in range(30)
        ]
        await PostgresArchive(primary).save_articles(articles, [])
        on_primary, on_replica = PostgresSearch(primary), PostgresSearch(replica)
        search = ReplicatedSearch(on_replica, on_primary)

        async def has_all():
            try:
                page = await on_replica.search(query("storm"), 100, None)
            except UnavailableError:  # its schema arrives, too
                return False
            return len(page.hits) == 30

        await until(has_all)
        for sort in ArchiveSort:
            assert await search.search(query("storm", sort=sort), 7, None) == (
                await on_primary.search(query("storm", sort=sort), 7, None)
            )
        for read in READS:
            assert await read(search) == await read(on_primary)
        copy.crash()
        for read in READS:
            assert await read(search) == await read(on_primary)
