"""The stores, for commands that need nothing else of the service.

Importing this module takes most of a second; commands without stores import only `setup`.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from newsintel.config.settings import Settings
from newsintel.runtime.telemetry.metrics import Metrics
from newsintel.storage.opening import open_stores
from newsintel.storage.stores import Stores


@asynccontextmanager
async def open_prepared_stores(settings: Settings) -> AsyncIterator[Stores]:
    """Open the stores without the service, and migrate the schema (in production: check it).

    Raises:
        NewsIntelError: the stores cannot be used (wrong credentials, older schema).
    """
    async with open_stores(settings, Metrics().count) as stores:
        await stores.prepare(production=settings.production)
        yield stores
