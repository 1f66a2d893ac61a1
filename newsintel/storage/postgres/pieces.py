"""Deletes many rows in pieces, each of which PostgreSQL finishes within its time limit.

A deletion that exceeds the limit changes nothing, and the same one would be tried for ever.
"""

from newsintel.domain.bounds.batch_size import BatchSize
from newsintel.errors import ArchiveTimeoutError
from newsintel.runtime.heartbeats import beat
from newsintel.storage.postgres.changing import change_rows
from newsintel.storage.postgres.pool import Postgres

PIECE_ROWS = 5_000
"""Rows of a piece. Other rows may go with each of them."""


async def delete_in_pieces(
    postgres: Postgres, statement: str, *values: object, most: int = PIECE_ROWS
) -> int:
    """Delete rows until none are left; return how many went.

    After a piece that took too long, all further pieces are smaller.

    Args:
        postgres: the pool. Each piece is one unit of work.
        statement: deletes some rows; its last parameter is how many at most.
        values: the other parameters.
        most: rows of the first piece.

    Raises:
        ArchiveTimeoutError: even the smallest piece takes too long.
    """
    size, deleted = BatchSize(), 0
    while True:
        rows = size.cut(most)
        try:
            went = await postgres.run(change_rows, statement, *values, rows)
        except ArchiveTimeoutError:
            size.shrink()
            if size.cut(most) == rows:
                raise
            continue
        finally:
            beat()
        deleted += went
        if went < rows:
            return deleted
