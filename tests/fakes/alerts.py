"""Saved searches and the outbox of alerts in memory."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import count

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
from newsintel.domain.alerts.model import (
    Channel,
    Match,
    MatchPage,
    NewChannel,
    Preview,
    SavedSearch,
    SearchDraft,
    WatchedQuery,
)
from newsintel.domain.alerts.ports import Revise
from newsintel.domain.alerts.signing import create_secret
from newsintel.domain.paging import Position
from newsintel.errors import InvalidParameterError, UnavailableError
from tests.fakes.backlogs import MemoryBacklog


@define(slots=False)  # tests replace its methods
class MemoryDeliveries:
    """Implements `Deliveries` for tests of the deliverer and of routes.

    Attributes:
        waiting: deliveries with the time at which each is due.
        settled: each attempt with what followed from it, in order.
        owners: the id of the account that has each search.
        channels: the name of the search of each channel.
        ended: the reasons of the channels that were ended.
        put_off: how many deliveries a wrong clock has put off.
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
    put_off: int = 0
    away: bool = False

    async def claim(
        self, now: datetime, until: datetime, busy: Sequence[str] = ()
    ) -> ClaimedDelivery | None:
        """Claim what is due and not claimed, of a person who is not busy."""
        await self._check()
        for delivery, due_at in self.waiting.values():
            if due_at <= now and delivery.claimed_until <= now and delivery.person not in busy:
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

    async def correct_times(self, now: datetime) -> int:
        """Return `put_off`, once."""
        await self._check()
        late, self.put_off = self.put_off, 0
        return late

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
    """Implements `SavedSearches` for tests of routes.

    Attributes:
        rows: each search with the account that has it, the oldest first.
        matches: by the public id of a search, the latest first.
        pages: arranged pages of matches, by the account and the search, which go first.
        previewed: what `preview` answers.
        refusal: what `create`, `change` and `preview` raise.
        away: raise UnavailableError.
    """

    rows: dict[str, tuple[int, SavedSearch]] = field(factory=dict)
    matches: dict[str, list[Match]] = field(factory=dict)
    pages: dict[tuple[int, str], MatchPage] = field(factory=dict)
    previewed: Preview = Preview(0, (), (), ())
    refusal: InvalidParameterError | None = None
    away: bool = False
    _numbers: Iterator[int] = field(factory=lambda: count(1))

    async def create(
        self,
        user_id: int,
        draft: SearchDraft,
        channels: Sequence[NewChannel],
        most: int,
        at: datetime,
    ) -> SavedSearch | None:
        """Store a search."""
        await self._check(refusable=True)
        if sum(owner == user_id for owner, _ in self.rows.values()) >= most:
            return None
        public_id = f"w_{next(self._numbers):020d}".translate(str.maketrans("0189", "abcd"))
        made = SavedSearch(
            public_id=public_id,
            name=draft.name,
            query=draft.query,
            channels=self._make_channels(channels, ()),
            every=draft.every,
            time_zone=draft.time_zone,
            paused=draft.paused,
            later_members=draft.later_members,
            created_at=at,
            changed_at=at,
        )
        self.rows[public_id] = (user_id, made)
        return made

    async def list_of_user(self, user_id: int) -> tuple[SavedSearch, ...]:
        """Return an account's searches, the newest first."""
        await self._check()
        return tuple(one for owner, one in reversed(self.rows.values()) if owner == user_id)

    async def find(self, user_id: int, public_id: str) -> SavedSearch | None:
        """Return one search."""
        await self._check()
        owner, found = self.rows.get(public_id, (None, None))
        return found if owner == user_id else None

    async def change(
        self,
        user_id: int,
        public_id: str,
        revise: Revise,
        at: datetime,
    ) -> SavedSearch | None:
        """Store new values."""
        await self._check(refusable=True)
        old = await self.find(user_id, public_id)
        if old is None:
            return None
        draft, channels = revise(old)
        kept = old.channels
        new = evolve(
            old,
            name=draft.name,
            query=draft.query,
            channels=kept if channels is None else self._make_channels(channels, kept),
            every=draft.every,
            time_zone=draft.time_zone,
            paused=draft.paused,
            later_members=draft.later_members,
            changed_at=at,
        )
        self.rows[public_id] = (user_id, new)
        return new

    async def delete(self, user_id: int, public_id: str) -> bool:
        """Delete a search."""
        await self._check()
        if await self.find(user_id, public_id) is None:
            return False
        del self.rows[public_id]
        return True

    async def list_matches(
        self, user_id: int, public_id: str, limit: int, after: Position | None
    ) -> MatchPage | None:
        """Return a page of `matches`."""
        if (user_id, public_id) in self.pages:
            return self.pages[user_id, public_id]
        if await self.find(user_id, public_id) is None:
            return None
        start = int(after.keys[0]) if after else 0
        found = self.matches.get(public_id, [])
        end = start + limit
        following = Position((str(end),)) if end < len(found) else None
        return MatchPage(tuple(found[start:end]), following)

    async def preview(self, query: WatchedQuery, now: datetime) -> Preview:
        """Return `previewed`."""
        await self._check(refusable=True)
        return self.previewed

    def _make_channels(
        self, wanted: Sequence[NewChannel], kept: Sequence[Channel]
    ) -> tuple[Channel, ...]:
        known = {(one.kind, one.address): one for one in kept}
        return tuple(
            known.get((one.kind, one.address), Channel(next(self._numbers), one.kind, one.address))
            for one in wanted
        )

    async def _check(self, *, refusable: bool = False) -> None:
        await trio.lowlevel.checkpoint()
        if self.away:
            raise UnavailableError("PostgreSQL is away")
        if refusable and self.refusal is not None:
            raise self.refusal


class MemoryMatching(MemoryBacklog):
    """An `AlertMatching` with articles to match."""

    match_batch = MemoryBacklog.take

    async def prune_matches(self, before: datetime) -> int:
        """Delete nothing."""
        await trio.lowlevel.checkpoint()
        return 0
