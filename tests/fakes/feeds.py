"""The ports of feeds in memory, and a reader that follows a script."""

from datetime import datetime

import trio

from newsintel.domain.feeds.model import (
    FeedState,
    LeasedFeed,
    Origin,
    PollResult,
    PollStatus,
    Subscription,
    Validators,
    find_host,
)
from newsintel.domain.feeds.ports import FeedRefusal
from newsintel.errors import UnavailableError


class MemoryFeeds:
    """A `ports.FeedStore`. `results` has what was settled, in order."""

    def __init__(self) -> None:
        self.rows: dict[str, dict] = {}
        self.hosts: dict[str, tuple[datetime, str | None]] = {}
        self.removed: set[str] = set()
        self.results: list[tuple[str, PollResult]] = []
        self.away = False
        self.leases = 0

    async def _answer(self) -> None:
        await trio.lowlevel.checkpoint()
        if self.away:
            raise UnavailableError("postgresql is away")

    async def add_feeds(self, feeds, origin, now) -> int:
        await self._answer()
        new = 0
        for feed in feeds:
            if origin is Origin.COMMAND:
                self.removed.discard(feed.address)
            self.hosts.setdefault(find_host(feed.address), (now, None))
            if feed.address not in self.rows:
                new += 1
                self.rows[feed.address] = {
                    "feed": feed,
                    "origin": origin,
                    "url": feed.address,
                    "next_at": now,
                    "result": None,
                    "validators": Validators(),
                    "polled_at": None,
                }
        return new

    async def keep_configured(self, addresses) -> int:
        await self._answer()
        gone = [
            address
            for address, row in self.rows.items()
            if row["origin"] is Origin.SETTING and address not in addresses
        ]
        for address in gone:
            del self.rows[address]
        return len(gone)

    async def remove_feed(self, address) -> bool:
        await self._answer()
        known = address in self.rows and address not in self.removed
        self.removed.add(address)
        return known

    async def list_feeds(self):
        await self._answer()
        return [
            _state(row) for address, row in sorted(self.rows.items()) if address not in self.removed
        ]

    async def lease_feed(self, now, until) -> LeasedFeed | None:
        await self._answer()
        due = [
            (row["next_at"], address)
            for address, row in self.rows.items()
            if address not in self.removed
            and row["next_at"] is not None
            and row["next_at"] <= now
            and self.hosts[find_host(row["url"])][0] <= now
        ]
        if not due:
            return None
        row = self.rows[min(due)[1]]
        self.leases += 1
        lease = str(self.leases)
        self.hosts[find_host(row["url"])] = (until, lease)
        last: PollResult | None = row["result"]
        return LeasedFeed(
            1,
            row["feed"],
            row["url"],
            lease,
            row["validators"],
            last.failures if last else 0,
            (last.rhythm_s or 0.0) if last else 0.0,
            last.newest_at if last else None,
        )

    async def settle(self, feed, result, now) -> bool:
        await self._answer()
        host = find_host(feed.url)
        if self.hosts[host][1] != feed.lease:
            return False
        self.hosts[host] = (result.host_free_at, None)
        row = self.rows[feed.subscription.address]
        row |= {"next_at": result.next_at, "result": result, "polled_at": now}
        row["validators"] = result.validators or row["validators"]
        if result.url:
            row["url"] = result.url
            self.hosts.setdefault(find_host(result.url), (now, None))
        self.results.append((feed.subscription.address, result))
        return True

    async def is_read(self) -> bool:
        await self._answer()
        return bool(self.results)


def _state(row) -> FeedState:
    last: PollResult | None = row["result"]
    return FeedState(
        row["feed"],
        row["origin"],
        row["url"],
        last.status if last else PollStatus.WAITING,
        last.reason if last else None,
        row["polled_at"],
        row["polled_at"],
        row["next_at"],
        last.items if last else None,
        last.newest_at if last else None,
    )


class ScriptedReader:
    """A `ports.FeedReader`: `replies` by URL; each is a reply, a number of seconds, or an error.

    `asked` has the URLs in order, with the times at which they were asked.
    """

    def __init__(self, **replies) -> None:
        self.replies = replies
        self.default = FeedRefusal(PollStatus.UNREACHABLE, "nothing is there")
        self.asked: list[tuple[str, float]] = []
        self.feeds: list[LeasedFeed] = []
        self.running: dict[str, int] = {}
        self.most_at_once = 0

    async def read(self, feed: LeasedFeed):
        """Answer as the script says."""
        self.asked.append((feed.url, trio.current_time()))
        self.feeds.append(feed)
        host = find_host(feed.url)
        self.running[host] = self.running.get(host, 0) + 1
        assert self.running[host] == 1, f"{host} is polled twice at once"
        self.most_at_once = max(self.most_at_once, sum(self.running.values()))
        try:
            reply = self.replies.get(feed.url, self.default)
            if isinstance(reply, list):
                reply = reply.pop(0) if len(reply) > 1 else reply[0]
            if isinstance(reply, float | int):
                await trio.sleep(reply)
                reply = self.default
            await trio.lowlevel.checkpoint()
            if isinstance(reply, Exception):
                raise reply
            return reply
        finally:
            self.running[host] -= 1


class FixedList:
    """A `ports.FeedList`: `lists` in order, the last one for ever; an error is raised."""

    def __init__(self, *lists) -> None:
        self.lists = list(lists)

    async def load(self):
        """Return or raise the next of the lists."""
        await trio.lowlevel.checkpoint()
        found = self.lists.pop(0) if len(self.lists) > 1 else self.lists[0]
        if isinstance(found, Exception):
            raise found
        return tuple(Subscription(one) if isinstance(one, str) else one for one in found)
