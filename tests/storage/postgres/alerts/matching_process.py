"""A process that matches until it is killed: `python -m ... DATABASE_URL`."""

import sys
from datetime import UTC, datetime

import trio

from newsintel.config.values import Secret
from newsintel.storage.bridge import open_bridge
from newsintel.storage.postgres.alerts import matching
from newsintel.storage.postgres.pool import open_postgres


async def main(url: str) -> None:
    """Match one article at a time, so that a kill comes in between."""
    async with (
        open_bridge() as bridge,
        open_postgres(bridge, Secret(url), None, 2) as postgres,
    ):
        store = matching.PostgresMatching(postgres, lambda: datetime.now(UTC))
        matching.BATCH_ROWS = 1
        while True:
            await store.match_batch()
            await trio.sleep(0.01)


if __name__ == "__main__":
    trio.run(main, sys.argv[1])
