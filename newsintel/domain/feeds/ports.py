"""Protocols of the feeds: their state in PostgreSQL, and how one is read over the network."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from attrs import frozen

from newsintel.domain.feeds.model import (
    FeedState,
    LeasedFeed,
    Origin,
    PollResult,
    PollStatus,
    Subscription,
    Validators,
)
from newsintel.domain.search.outcome import SourcePage


class FeedStore(Protocol):
    """The feeds in PostgreSQL, shared by all processes."""

    async def add_feeds(self, feeds: Sequence[Subscription], origin: Origin, now: datetime) -> int:
        """Add feeds; those that exist get what the list says of them, and keep their state.

        A feed that was removed by a command comes back only by a command.

        Returns:
            How many were new.
        """
        ...

    async def keep_configured(self, addresses: Sequence[str]) -> int:
        """Remove feeds that an earlier value of FEEDS had and these addresses have not.

        Returns:
            How many were removed.
        """
        ...

    async def remove_feed(self, address: str) -> bool:
        """Stop reading a feed, also if FEEDS names it; return whether it was read."""
        ...

    async def list_feeds(self) -> Sequence[FeedState]:
        """Return all feeds that are read, by their addresses."""
        ...

    async def lease_feed(self, now: datetime, until: datetime) -> LeasedFeed | None:
        """Lease the feed that is due longest, of a host that is free; None if there is none.

        Until `until`, or until `settle`, no process gets a feed of the same host.
        """
        ...

    async def settle(self, feed: LeasedFeed, result: PollResult, now: datetime) -> bool:
        """Store what came of a poll and free the host; False if the lease was no longer ours."""
        ...

    async def is_read(self) -> bool:
        """Return whether any feed has answered, or there are feeds and all of them were tried."""
        ...


@frozen
class FeedContent:
    """What a feed holds.

    Attributes:
        page: its articles, and what was dropped.
        ttl_s: how long the feed itself asks to be kept; 0 = it does not say.
        title: its own title.
        fault: what is wrong with it, so that articles may be missing; None if nothing.
    """

    page: SourcePage
    ttl_s: float = 0.0
    title: str | None = None
    fault: str | None = None


@frozen
class FeedReply:
    """A feed that was read.

    Attributes:
        content: None = it has not changed.
        headers: of the reply, by lower-case name.
        validators: what to send with the next request.
        moved_to: where it has moved for good: only permanent redirects led there; None if it has
            not moved.
    """

    content: FeedContent | None
    headers: Mapping[str, str]
    validators: Validators
    moved_to: str | None = None


@frozen
class FeedRefusal:
    """Why there is no feed. `reason` is one line without addresses.

    Attributes:
        retry_after: the header, if the server sent one.
    """

    status: PollStatus
    reason: str
    retry_after: str = ""


class FeedReader(Protocol):
    """Reads feeds over the network."""

    async def read(self, feed: LeasedFeed) -> FeedReply | FeedRefusal:
        """GET a feed and read it; expected failures are a FeedRefusal. The caller limits the time.

        It is not read again if the server, or the digest of its body, says that it is as before.
        """
        ...


class FeedList(Protocol):
    """The list that the setting FEEDS names."""

    async def load(self) -> Sequence[Subscription]:
        """Return the feeds of the list.

        Raises:
            FeedListError: the list cannot be read. The message is one line.
        """
        ...
