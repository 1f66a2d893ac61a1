"""The outbox of alerts in memory."""

from collections.abc import Sequence
from datetime import datetime

import trio
from attrs import define, evolve, field

from newsintel.domain.alerts.delivery_model import (
    AlertFeed,
    Attempt,
    ClaimedDelivery,
    DeliveryState,
    FreshMatch,
    LoggedDelivery,
    Settlement,
)
from newsintel.domain.alerts.model import MatchPage
from newsintel.domain.alerts.signing import create_secret
from newsintel.domain.paging import Position
from newsintel.errors import UnavailableError


@define(slots=False)
class MemoryDeliveries:
    """Implements `Deliveries` for tests of the deliverer and of routes.

    Attributes:
        waiting: deliveries with the time at which each is due.
        settled: each attempt with what followed from it, in order.
        owners: the id of the account that has each search.
        channels: the name of the search of each channel.
        ended: the reasons of the channels that were ended.
        away: raise UnavailableError.
    """

    waiting: dict[str, tuple[ClaimedDelivery, datetime]] = field(factory=dict)
    settled: list[tuple[str, Attempt, Settlement]] = field(factory=list)
    log: dict[str, list[LoggedDelivery]] = field(factory=dict)
    owners: dict[str, int] = field(factory=dict)
    webhooks: dict[tuple[str, str], str] = field(factory=dict)
    channels: dict[int, str] = field(factory=dict)
    ended: dict[int, str] = field(factory=dict)
    confirmed: set[int] = field(factory=set)
    feeds: dict[str, AlertFeed] = field(factory=dict)
    fresh: list[tuple[int, FreshMatch]] = field(factory=list)
    tests: list[str] = field(factory=list)
    away: bool = False

    async def claim(self, now: datetime, until: datetime) -> ClaimedDelivery | None:
        """Claim what is due and not claimed."""
        await self._check()
        for delivery, due_at in self.waiting.values():
            if due_at <= now and delivery.claimed_until <= now:
                claimed = evolve(delivery, claimed_until=until)
                self.waiting[delivery.id] = (claimed, due_at)
                return claimed
        return None

    async def settle(
        self,
        delivery: ClaimedDelivery,
        attempt: Attempt,
        settlement: Settlement,
        now: datetime,
        latency_ms: int,
    ) -> bool:
        """Store what came of it, if the claim still stands."""
        await self._check()
        held, _ = self.waiting.get(delivery.id, (None, None))
        if held is None or held.claimed_until != delivery.claimed_until:
            return False
        self.settled.append((delivery.id, attempt, settlement))
        if settlement.state is DeliveryState.PENDING and settlement.retry_at:
            again = evolve(held, attempts=held.attempts + 1, claimed_until=now)
            self.waiting[delivery.id] = (again, settlement.retry_at)
        else:
            del self.waiting[delivery.id]
        return True

    async def list_log(self, user_id: int, search_id: str) -> Sequence[LoggedDelivery] | None:
        """Return the arranged log."""
        await self._check()
        return self.log.get(search_id, []) if self.owners.get(search_id) == user_id else None

    async def create_tests(
        self, user_id: int, search_id: str, now: datetime, *, unconfirmed: bool = False
    ) -> int | None:
        """Note the test of a search."""
        await self._check()
        if self.owners.get(search_id) != user_id:
            return None
        self.tests.append(search_id)
        return 1

    async def rotate_secret(
        self, user_id: int, search_id: str, address: str, now: datetime
    ) -> str | None:
        """Give a webhook a new secret."""
        await self._check()
        if self.owners.get(search_id) != user_id or (search_id, address) not in self.webhooks:
            return None
        self.webhooks[search_id, address] = create_secret()
        return self.webhooks[search_id, address]

    async def confirm_channel(self, channel: int, now: datetime) -> str | None:
        """Note that a channel is confirmed."""
        await self._check()
        if channel in self.channels:
            self.confirmed.add(channel)
        return self.channels.get(channel)

    async def end_channel(self, channel: int, reason: str, now: datetime) -> str | None:
        """Note the end of a channel."""
        await self._check()
        if channel in self.channels:
            self.ended[channel] = reason
        return self.channels.get(channel)

    async def find_feed(self, digest: str) -> AlertFeed | None:
        """Return one of `feeds`."""
        await self._check()
        return self.feeds.get(digest)

    async def list_fresh(self, user_id: int, since: datetime, most: int) -> Sequence[FreshMatch]:
        """Return those of `fresh` that are new and the account's."""
        await self._check()
        return [
            one for owner, one in self.fresh if owner == user_id and one.match.matched_at >= since
        ][:most]

    async def prune_log(self, before: datetime) -> int:
        """Delete nothing."""
        await self._check()
        return 0

    async def reseal_all(self) -> int:
        """Encrypt nothing."""
        await self._check()
        return 0

    async def _check(self) -> None:
        await trio.lowlevel.checkpoint()
        if self.away:
            raise UnavailableError("PostgreSQL is away")


@define(slots=False)
class MemorySavedSearches:
    """The matches of saved searches, by the id of their account and their own."""

    pages: dict[tuple[int, str], MatchPage] = field(factory=dict)

    async def list_matches(
        self, user_id: int, public_id: str, limit: int, after: Position | None
    ) -> MatchPage | None:
        """Return the arranged page."""
        await trio.lowlevel.checkpoint()
        return self.pages.get((user_id, public_id))


@define(slots=False)
class MemoryMatching:
    """No article waits to be matched."""

    async def match_batch(self) -> int:
        """Match nothing."""
        await trio.lowlevel.checkpoint()
        return 0

    async def prune_matches(self, before: datetime) -> int:
        """Delete nothing."""
        await trio.lowlevel.checkpoint()
        return 0
