"""The stores, for commands that need no more of the service. Importing this takes most of a second: the rest have `setup`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from newsintel.config.settings import Settings
from newsintel.runtime.telemetry.metrics import Metrics
from newsintel.storage.opening import open_stores
from newsintel.storage.stores import Stores


@asynccontextmanager
async def prepared_stores(settings: Settings) -> AsyncIterator[Stores]:
    """The stores without the service round them, their schema up to date (in production: checked).

    Raises:
        NewsIntelError: the stores cannot be used (wrong credentials, older schema).
    """
    async with open_stores(settings, Metrics().count) as stores:
        await stores.prepare(production=settings.production)
        yield stores
