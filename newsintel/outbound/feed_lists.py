"""The list of feeds that the setting FEEDS names: ours, a file, an address, or addresses."""

from pathlib import Path

import trio
from attrs import frozen

from newsintel.config.values import FeedsChoice
from newsintel.domain.feeds.model import Subscription
from newsintel.domain.feeds.ports import FeedRefusal
from newsintel.domain.text.body import RAW_CAP_BYTES
from newsintel.domain.text.request_urls import (
    MAX_ADDRESS,
    find_url_fault,
    hide_query,
    to_ascii_url,
)
from newsintel.errors import FeedListError
from newsintel.outbound.feed_client import FeedClient
from newsintel.outbound.sources.feeds.default_list import load_default_feeds, mark_state_media
from newsintel.outbound.sources.feeds.opml import read_opml
from newsintel.runtime.turns import run_in_turns

LOAD_S = 30.0
"""Time limit for a list at an address."""


@frozen
class ConfiguredFeeds:
    """Implements `FeedList`."""

    _choice: FeedsChoice
    _client: FeedClient

    async def load(self) -> tuple[Subscription, ...]:
        """Return the feeds of the list; raise FeedListError if it cannot be read."""
        where = self._choice.where
        match self._choice.kind:
            case "default":
                return load_default_feeds()
            case "file":
                return await read_list(await _read_file(where[0]))
            case "opml":
                return await read_list(await self._fetch(where[0]))
            case _:
                return tuple(dict.fromkeys(map(_subscribe, where)))

    async def _fetch(self, address: str) -> bytes:
        with trio.move_on_after(LOAD_S):
            page = await self._client.fetch(address, {})
            if isinstance(page, FeedRefusal):
                raise FeedListError(f"the list of feeds cannot be read: {page.reason}")
            if page.status != 200:
                raise FeedListError(f"the list of feeds cannot be read: HTTP {page.status}")
            return page.body
        raise FeedListError(f"the list of feeds did not arrive within {LOAD_S:g} s")


def _subscribe(written: str) -> Subscription:
    """Return the feed at an address of the setting; raise FeedListError if it must not be asked."""
    address = to_ascii_url(written) or written
    if (fault := find_url_fault(address)) is not None:
        raise FeedListError(f"{hide_query(written[:MAX_ADDRESS])} in the list of feeds is {fault}")
    return mark_state_media(Subscription(address))


async def _read_file(path: str) -> bytes:
    """Return a file's bytes. Reading a local file takes milliseconds."""
    try:
        return await trio.to_thread.run_sync(read_list_file, Path(path))
    except OSError as error:
        reason = error.strerror or str(error)
        raise FeedListError(f"the list of feeds cannot be read: {reason}") from error


def read_list_file(path: Path) -> bytes:
    """Return a file's bytes, one more than the limit at most. Raises OSError."""
    with path.open("rb") as file:
        return file.read(RAW_CAP_BYTES + 1)


async def read_list(body: bytes) -> tuple[Subscription, ...]:
    """Return the feeds of a list in OPML, without those whose address must not be asked.

    Raises:
        FeedListError: it is too long, or no OPML with a feed in it.
    """
    if len(body) > RAW_CAP_BYTES:
        raise FeedListError(f"the list of feeds is larger than {RAW_CAP_BYTES} bytes")
    found = await run_in_turns(read_opml(body))
    if isinstance(found, str):
        raise FeedListError(f"the list of feeds cannot be read: {found}")
    return tuple(mark_state_media(feed) for feed in found if find_url_fault(feed.address) is None)
