"""`newsintel prune` as people run it: on embedded servers, by the setting."""

import asyncio

import asyncpg

from tests.service import newsintel
from tests.storage.support import running_servers


async def fill(url):
    """Searches made so many days ago."""
    connection = await asyncpg.connect(url)
    await connection.execute(
        "INSERT INTO search_history (query, key, results_count, searched_at)"
        " SELECT 'q', 'k', 1, now() - days * interval '1 day' FROM unnest(ARRAY[0, 5, 7, 400]) AS days"
    )
    await connection.close()


def test_old_searches_go_and_their_number_is_printed(tmp_path):
    """By HISTORY_RETENTION_D; again, there is nothing left to do; an empty folder is made fit for use first."""
    assert newsintel(tmp_path, "prune").stdout == "0 searches older than 90 days deleted\n"
    with running_servers(tmp_path / "newsintel") as urls:
        asyncio.run(fill(urls["postgres_url"]))
        done = newsintel(tmp_path, "prune", HISTORY_RETENTION_D="6")
        assert (done.returncode, done.stdout) == (0, "2 searches older than 6 days deleted\n")
        assert newsintel(tmp_path, "prune", HISTORY_RETENTION_D="6").stdout == "0 searches older than 6 days deleted\n"


def test_a_time_that_is_none_is_refused(tmp_path):
    """Deleting by mistake is worse than an error: 2, and nothing is started."""
    done = newsintel(tmp_path, "prune", HISTORY_RETENTION_D="0")
    assert (done.returncode, done.stdout) == (2, "")
    assert "NEWSINTEL_HISTORY_RETENTION_D must be a whole number from 1 to 3650" in done.stderr
