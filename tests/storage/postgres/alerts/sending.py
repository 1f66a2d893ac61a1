"""A process that delivers alerts until it is killed: `python -m ... DATABASE_URL`."""

import sys
from datetime import UTC, datetime

import trio

from newsintel.actors.deliverer import Deliverer
from newsintel.config.values import Secret
from newsintel.domain.alerts.channels import ChannelKind
from newsintel.domain.security.sealing import Sealer
from newsintel.http.bodies.search import summarize_article
from newsintel.outbound.alerts.http_sender import open_http_sender
from newsintel.runtime.telemetry.metrics import Metrics
from newsintel.storage.bridge import open_bridge
from newsintel.storage.postgres.alerts.deliveries import PostgresDeliveries
from newsintel.storage.postgres.pool import open_postgres

KEYS = (Secret("K" * 43),)


def now() -> datetime:
    """The time."""
    return datetime.now(UTC)


async def main(url: str) -> None:
    """Deliver."""
    public = "http://localhost:8000"
    async with (
        open_bridge() as bridge,
        open_postgres(bridge, Secret(url), None, 4) as postgres,
        open_http_sender(summarize_article, public, private=True, now=now) as sender,
    ):
        store = PostgresDeliveries(postgres, lambda: Sealer(KEYS))
        await Deliverer(store, {ChannelKind.WEBHOOK: sender}, Metrics().count, now).run()


if __name__ == "__main__":
    trio.run(main, sys.argv[1])
