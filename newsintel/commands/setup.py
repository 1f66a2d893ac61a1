"""What several commands need before they start."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from newsintel.codec import dump_answer, load_answer
from newsintel.settings import Settings, load
from newsintel.sources import REGISTRY
from newsintel.storage.stores import Stores, open_stores
from newsintel.telemetry import Metrics


def load_settings(overrides: Mapping[str, str] | None = None) -> Settings:
    """The settings of this process's environment.

    Args:
        overrides: environment names that count before the environment's own.

    Raises:
        SettingsError: naming the first setting that cannot be used.
    """
    return load([source.options for source in REGISTRY.values()], overrides=overrides)


@asynccontextmanager
async def prepared_stores(settings: Settings) -> AsyncIterator[Stores]:
    """The stores without the service round them, their schema up to date (in production: checked).

    Raises:
        NewsIntelError: the stores cannot be used (wrong credentials, older schema).
    """
    async with open_stores(settings, Metrics().count, dump_answer, load_answer) as stores:
        await stores.prepare(production=settings.production)
        yield stores
