"""The poller: reads the feeds that are due, and sends their articles to the persister.

It has no inbox that could end, so the composition root cancels it when requests have ended. The
feeds and their state are in PostgreSQL. Several processes may run a poller: each leases one host at
a time for one poll, so no feed is polled twice, and every host has its pause.

A feed's new state is stored only after the persister has accepted its articles. While PostgreSQL is
away nothing is polled.
"""

import random
from collections.abc import Sequence
from datetime import timedelta

import trio
from attrs import define, field

from newsintel.domain.bounds.room import ByteBudget
from newsintel.domain.feeds.harvests import build_answer
from newsintel.domain.feeds.judging import (
    Moment,
    judge_full_archive,
    judge_refusal,
    judge_reply,
)
from newsintel.domain.feeds.model import LeasedFeed, Origin, PollResult, PollStatus
from newsintel.domain.feeds.ports import (
    FeedContent,
    FeedList,
    FeedReader,
    FeedRefusal,
    FeedStore,
)
from newsintel.domain.feeds.schedule import PollBounds
from newsintel.domain.ports import Count, WallClock
from newsintel.domain.search.article import Article
from newsintel.domain.search.harvest import ArchiveWrite
from newsintel.domain.text.request_urls import hide_query
from newsintel.errors import FeedListError, PoisonedBatchError, UnavailableError
from newsintel.runtime.heartbeats import at_work
from newsintel.runtime.offering import offer
from newsintel.runtime.periodic import sleep_with_jitter
from newsintel.runtime.telemetry.logs import get_logger
from newsintel.runtime.turns import run_in_turns

log = get_logger(__name__)

SLOTS = 8
"""Polls of one process at once, each of another host."""

POLL_S = 30.0
"""Time limit of one poll, with all its redirects: a server may send a byte now and then."""

LEASE_S = 120.0
"""How long a host is leased: a poll, and storing what came of it, with time to spare."""

IDLE_S = 2.0
"""Pause while no feed is due or PostgreSQL is away, shortened by up to half at random."""

RELOAD_S = 60.0
"""Pause before the list of feeds is read again after a failure, shortened by up to half at random.
"""


@define(eq=False)
class Poller:
    """Polls feeds.

    Owns: its send end to the persister.

    Attributes:
        to_persister: where articles go.
        room: the bytes that the persister's inbox may hold.
        store: the feeds and their state.
        reader: reads a feed over the network.
        listed: the list that the setting FEEDS names.
        bounds: the shortest and the longest pause between two polls of a feed.
        count: counts `polled_feeds`, `poll_failures`, `refusals` and `dropped_articles`.
        now: the time of day.
    """

    _to_persister: trio.MemorySendChannel[ArchiveWrite]
    _room: ByteBudget = field(kw_only=True)
    _store: FeedStore = field(kw_only=True)
    _reader: FeedReader = field(kw_only=True)
    _listed: FeedList = field(kw_only=True)
    _bounds: PollBounds = field(kw_only=True)
    _count: Count = field(kw_only=True)
    _now: WallClock = field(kw_only=True)
    _slots: trio.Semaphore = field(init=False, factory=lambda: trio.Semaphore(SLOTS))

    async def run(self) -> None:
        """Take over the configured list, then poll until cancelled."""
        with self._to_persister:
            while not await self._take_over_list():
                await sleep_with_jitter(RELOAD_S)
            async with trio.open_nursery() as polls:
                while True:
                    await self._slots.acquire()
                    with at_work():
                        feed = await self._lease()
                    if feed is None:
                        self._slots.release()
                        await sleep_with_jitter(IDLE_S)
                    else:
                        polls.start_soon(self._serve, feed, name=f"poll {feed.number}")

    async def _take_over_list(self) -> bool:
        """Bring the stored feeds in line with the configured list; False if it failed."""
        with at_work():
            try:
                feeds = await self._listed.load()
                new = await self._store.add_feeds(feeds, Origin.SETTING, self._now())
                removed = await self._store.keep_configured([feed.address for feed in feeds])
            except (FeedListError, PoisonedBatchError) as error:
                log.warning("feed_list_failed", reason=str(error))
                return False
            except UnavailableError:
                self._count("poll_failures")
                return False
        log.info("feeds_listed", feeds=len(feeds), new=new, removed=removed)
        return True

    async def _lease(self) -> LeasedFeed | None:
        now = self._now()
        try:
            return await self._store.lease_feed(now, now + timedelta(seconds=LEASE_S))
        except UnavailableError:
            self._count("poll_failures")
            return None

    async def _serve(self, feed: LeasedFeed) -> None:
        try:
            with at_work():
                result = await self._poll(feed)
                self._count("polled_feeds", status=result.status)
                if await self._settle(feed, result):
                    _log_change(feed, result)
        finally:
            self._slots.release()

    async def _poll(self, feed: LeasedFeed) -> PollResult:
        """Read a feed and pass its articles on. A bug in it fails only this poll."""
        try:
            with trio.move_on_after(POLL_S) as limit:
                reply = await self._reader.read(feed)
            if limit.cancelled_caught:
                reply = FeedRefusal(PollStatus.TIMEOUT, f"no complete reply within {POLL_S:g} s")
        except Exception:
            log.exception("poll_bug", feed=hide_query(feed.subscription.address))
            reply = FeedRefusal(PollStatus.NOT_A_FEED, "a bug in newsintel; its log has more")
        moment = Moment(self._bounds, self._now(), random.random())  # noqa: S311 - spreads load
        if isinstance(reply, FeedRefusal):
            return judge_refusal(feed, reply, moment)
        if reply.content is not None and not await self._deliver(feed, reply.content):
            return judge_full_archive(moment)
        return judge_reply(feed, reply, moment)

    async def _deliver(self, feed: LeasedFeed, content: FeedContent) -> bool:
        """Offer a feed's articles to the persister; return whether it accepted them."""
        page = content.page
        for reason, rows in page.dropped.items():
            self._count("dropped_articles", rows, source="feeds", reason=reason)
        if page.bug is not None:
            log.error("poll_bug", feed=hide_query(feed.subscription.address), exc_info=page.bug)
        if not page.articles:
            return True
        if await self._offer(page.articles):
            return True
        self._count("refusals", inbox="persister")
        return False

    async def _offer(self, articles: Sequence[Article]) -> bool:
        answer = await run_in_turns(build_answer(articles, self._now()))
        return offer(self._to_persister, ArchiveWrite(answer), self._room, answer.size_bytes)

    async def _settle(self, feed: LeasedFeed, result: PollResult) -> bool:
        """Store what came of a poll; False if it failed. Then the lease ends by itself."""
        try:
            if await self._store.settle(feed, result, self._now()):
                return True
            log.warning("poll_lease_lost", feed=hide_query(feed.subscription.address))
        except (UnavailableError, PoisonedBatchError):
            self._count("poll_failures")
        return False


def _log_change(feed: LeasedFeed, result: PollResult) -> None:
    """Log what operators want to know: a feed begins or ceases to fail, moves, or is gone."""
    named = {"feed": hide_query(feed.subscription.address)}
    if result.status is PollStatus.GONE:
        log.warning("feed_gone", **named)
    elif result.status.failed and not feed.failures:
        log.warning("feed_failing", **named, status=result.status, reason=result.reason)
    elif feed.failures and not result.status.failed:
        log.info("feed_answers_again", **named)
    if result.url is not None:
        log.info("feed_moved", **named, to=hide_query(result.url))
