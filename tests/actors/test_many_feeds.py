"""Two processes poll 2,000 feeds for a day: every pause is kept, and nothing grows."""

from collections import defaultdict
from itertools import pairwise

import pytest
import trio

from newsintel.actors.poller import POLL_S
from newsintel.domain.feeds.judging import PACE_S
from tests.actors.test_poller import UNCHANGED, World

HOURS = 6


@pytest.mark.slow
async def test_two_thousand_feeds_over_two_processes(autojump_clock):
    """Each feed hourly by its server's wish, each host never twice within its pause."""
    feeds = [f"https://h{number % 100}.example/{number}" for number in range(2_000)]
    hourly = UNCHANGED.__class__(None, {"cache-control": "max-age=3600"}, UNCHANGED.validators)
    world = World(*feeds, **dict.fromkeys(feeds, hourly))
    async with trio.open_nursery() as nursery:
        for _ in range(2):
            nursery.start_soon(world.run, HOURS * 3600)
    by_feed, by_host = defaultdict(list), defaultdict(list)
    for url, at in world.reader.asked:
        by_feed[url].append(at)
        by_host[url.split("/")[2]].append(at)
    assert set(by_feed) == set(feeds)
    for times in by_feed.values():
        assert HOURS - 1 <= len(times) <= HOURS
        assert all(later - earlier >= 3600 for earlier, later in pairwise(times))
        assert all(later - earlier <= 3960 + POLL_S + 60 for earlier, later in pairwise(times))
    for times in by_host.values():
        assert all(later - earlier >= PACE_S for earlier, later in pairwise(times))
