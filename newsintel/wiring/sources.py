"""Opens the clients of the sources."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from newsintel.config.settings import SourceSettings
from newsintel.domain.archive.bulk import BulkSource
from newsintel.domain.ports import WallClock
from newsintel.domain.search.ports import Upstream
from newsintel.outbound.gdelt_downloads import open_gdelt_downloads
from newsintel.outbound.oauth.app_token import open_app_token
from newsintel.outbound.source_client import open_upstream
from newsintel.outbound.sources.source import PolledFeeds, Source
from newsintel.runtime.search.polled_source import PolledSource
from newsintel.storage.stores import ArchiveStores
from newsintel.wiring.core import Core


@asynccontextmanager
async def open_source(
    source: Source | PolledFeeds, settings: SourceSettings, stores: ArchiveStores, now: WallClock
) -> AsyncIterator[Upstream]:
    """Open a source's client, with an app-only token if the source uses one."""
    if isinstance(source, PolledFeeds):
        yield PolledSource(stores.search, stores.feeds)
        return
    async with AsyncExitStack() as stack:
        token = (
            await stack.enter_async_context(open_app_token(settings)) if source.uses_token else None
        )
        yield await stack.enter_async_context(open_upstream(source, settings, token=token, now=now))


@asynccontextmanager
async def open_bulk_source(core: Core) -> AsyncIterator[BulkSource | None]:
    """Open the client of GDELT's files; None if they are not wanted."""
    settings = core.settings.source.get("gdelt")
    if settings is None or not settings.enabled or not settings.values["bulk"]:
        yield None
        return
    async with open_gdelt_downloads(settings.values["bulk_url"], core.now) as downloads:
        yield downloads
