"""`newsintel prune` on embedded servers, by its setting."""

import asyncio

import asyncpg
import pytest

from tests.service import newsintel
from tests.storage.support import running_servers


async def fill(url):
    """Insert searches made 0, 5, 7 and 400 days ago."""
    connection = await asyncpg.connect(url)
    await connection.execute(
        "INSERT INTO search_history (query, key, results_count, searched_at)"
        " SELECT 'q', 'k', 1, now() - days * interval '1 day'"
        " FROM unnest(ARRAY[0, 5, 7, 400]) AS days"
    )
    await connection.close()


@pytest.mark.slow
def test_old_searches_are_deleted_and_counted(tmp_path):
    """By HISTORY_RETENTION_D; a second run deletes nothing; an empty folder is set up first."""
    assert newsintel(tmp_path, "prune").stdout == "0 searches older than 90 days deleted\n"
    with running_servers(tmp_path / "newsintel") as urls:
        asyncio.run(fill(urls["postgres_url"]))
        done = newsintel(tmp_path, "prune", HISTORY_RETENTION_D="6")
        assert (done.returncode, done.stdout) == (0, "2 searches older than 6 days deleted\n")
        assert (
            newsintel(tmp_path, "prune", HISTORY_RETENTION_D="6").stdout
            == "0 searches older than 6 days deleted\n"
        )


def test_an_invalid_retention_is_refused(tmp_path):
    """To delete by mistake is worse than an error: exit code 2, nothing starts."""
    done = newsintel(tmp_path, "prune", HISTORY_RETENTION_D="0")
    assert (done.returncode, done.stdout) == (2, "")
    assert "NEWSINTEL_HISTORY_RETENTION_D must be a whole number from 1 to 3650" in done.stderr
