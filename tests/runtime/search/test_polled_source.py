"""The source `feeds` answers from the archive, and from nothing else."""

import pytest

from newsintel.domain.archive.model import ArchiveSort, Hit
from newsintel.domain.feeds.model import Origin, PollResult, PollStatus, Subscription
from newsintel.domain.search.outcome import Refusal, SourcePage, Status
from newsintel.domain.search.query import build_query
from newsintel.domain.search.query_model import Sort
from newsintel.errors import (
    ArchiveTimeoutError,
    BusyError,
    InvalidParameterError,
    UnavailableError,
)
from newsintel.runtime.search.polled_source import PolledSource
from tests.fakes.basics import MemorySearch
from tests.fakes.feeds import MemoryFeeds
from tests.make import NOON, article

HIT = Hit(article("1", source="feeds"), NOON, NOON)


def query(**changes):
    """A search of all sources."""
    return build_query("storm -cat OR flood", sources=("newsapi", "feeds"), **changes)


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        (Sort.RELEVANCE, ArchiveSort.RELEVANCE),
        (Sort.POPULAR, ArchiveSort.RELEVANCE),
        (Sort.NEWEST, ArchiveSort.NEWEST),
    ],
)
async def test_the_archive_is_asked_for_what_was_polled(sort, order):
    """With the words and filters of the search, for its own articles."""
    archive = MemorySearch([HIT])
    source = PolledSource(archive, MemoryFeeds())
    page = await source.fetch(query(language="de", start=NOON, sort=sort))
    assert page == SourcePage((HIT.article,), 1)
    ((asked, limit, after),) = archive.asked
    assert (asked.sources, asked.language, asked.start) == (("feeds",), "de", NOON)
    assert (asked.sort, limit, after) == (order, 100, None)
    assert len(asked.alternatives) == 2
    assert source.list_ignored_parameters(query(sort=sort)) == (
        ("sort",) if sort is Sort.POPULAR else ()
    )
    await source.keep_ready()


async def test_before_a_feed_was_read_an_empty_answer_is_no_answer():
    """It would look like no news. Afterwards the feeds are not asked about any more."""
    feeds = MemoryFeeds()
    source = PolledSource(MemorySearch(), feeds)
    assert await source.fetch(query()) == Refusal(Status.OVERLOADED, "no feed has been read yet")
    await feeds.add_feeds([Subscription("https://x.example/")], Origin.SETTING, NOON)
    leased = await feeds.lease_feed(NOON, NOON)
    await feeds.settle(leased, PollResult(PollStatus.OK, None, None, NOON), NOON)
    assert await source.fetch(query()) == SourcePage((), 0)
    feeds.away = True
    assert await source.fetch(query()) == SourcePage((), 0)


@pytest.mark.parametrize(
    ("error", "wanted"),
    [
        (InvalidParameterError("q", "only_stop_words", "no"), SourcePage((), 0)),
        (ArchiveTimeoutError("slow"), Refusal(Status.TIMEOUT, "slow", query_fault=True)),
        (BusyError("full"), Refusal(Status.UNREACHABLE, "the archive is away")),
        (UnavailableError("gone"), Refusal(Status.UNREACHABLE, "the archive is away")),
    ],
)
async def test_failures_of_the_archive(error, wanted):
    """They are values, as those of other sources. A slow query does not block other queries."""
    archive = MemorySearch([HIT])
    archive.raises = error
    assert await PolledSource(archive, MemoryFeeds()).fetch(query()) == wanted
