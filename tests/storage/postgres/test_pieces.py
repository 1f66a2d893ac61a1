"""Deletions in pieces on a real PostgreSQL, which ends what takes too long."""

import pytest

from newsintel.errors import ArchiveTimeoutError
from newsintel.storage.postgres.pieces import delete_in_pieces
from tests.storage.postgres.slow_deletions import slow_deletion

FILL = """
CREATE TABLE many (id integer PRIMARY KEY);
INSERT INTO many SELECT generate_series(1, {rows})
"""
DELETE = """
DELETE FROM many WHERE id IN (SELECT id FROM many WHERE id > $1 ORDER BY id LIMIT $2)
"""


@pytest.mark.parametrize(("rows", "most"), [(0, 9), (8, 4), (9, 4), (10, 4), (10, 1)])
async def test_pieces_that_take_too_long_become_smaller(postgres, execute, fetch, rows, most):
    """Until they fit. The same one would be tried for ever."""
    await execute(FILL.format(rows=rows), slow_deletion("many", most))
    assert await delete_in_pieces(postgres, DELETE, 0, most=16) == rows
    assert await fetch("SELECT count(*) FROM many") == [(0,)]


async def test_a_row_that_takes_too_long_alone_fails(postgres, execute, fetch):
    """Others stay as they are."""
    await execute(FILL.format(rows=3), slow_deletion("many", 0))
    with pytest.raises(ArchiveTimeoutError):
        await delete_in_pieces(postgres, DELETE, 1, most=16)
    assert await fetch("SELECT count(*) FROM many") == [(3,)]
