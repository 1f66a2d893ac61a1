"""The drainer saves what was spooled, and removes it only then."""

import pytest
import trio
from structlog.testing import capture_logs

from newsintel.actors import drainer
from newsintel.domain.archive.batch import ArchiveBatch
from newsintel.errors import ArchiveTimeoutError, PoisonedBatchError, UnavailableError
from newsintel.runtime.halving import ALONE_TOO_SLOW
from newsintel.runtime.spool import Spool
from tests.fakes.basics import Counts, MemoryArchive, MemoryHistory, MemorySpool
from tests.make import NOON, article, search_record


class Rig:
    """A drainer with two places and its stores."""

    def __init__(self):
        self.archive, self.history, self.counts = MemoryArchive(), MemoryHistory(), Counts()
        self.redis, self.file = MemorySpool("redis"), MemorySpool("file")
        self.spool = Spool((self.redis, self.file), self.counts)

    async def put(self, *names):
        """Spool articles, each in an entry of its own."""
        for name in names:
            await self.spool.put_piece(ArchiveBatch([(article(name), NOON)]), 1)

    async def run(self, seconds):
        """Run the actor for some seconds."""
        with trio.move_on_after(seconds):
            await drainer.run(
                spool=self.spool, archive=self.archive, history=self.history, count=self.counts
            )


async def test_both_places_are_drained(autojump_clock):
    """Each entry is saved and removed."""
    rig = Rig()
    await rig.put("a", "b")
    rig.redis.away = True
    await rig.put("c")
    rig.redis.away = False
    await rig.spool.put_searches([search_record(user_id=7)])
    await rig.run(10)
    assert sorted(rig.archive.kept) == ["a_a", "a_b", "a_c"]
    assert [search.query for search in rig.history.kept] == ["q"]
    for place in (rig.redis, rig.file):
        assert (place.kept, place.taken, place.size_bytes) == ([], [], 0)
    assert rig.counts["drained_rows"] == 4


async def test_without_redis_the_file_is_drained(autojump_clock):
    """A place that is away does not block the other one."""
    rig = Rig()
    rig.redis.away = True
    await rig.put("a")
    await rig.run(10)
    assert list(rig.archive.kept) == ["a_a"]


async def test_while_the_archive_is_away_entries_stay(autojump_clock):
    """Each attempt gives its entry back, and is counted."""
    rig = Rig()
    await rig.put("a", "b")
    rig.archive.away = True
    await rig.run(20)
    assert rig.redis.read_articles() == ["a_a", "a_b"]
    assert 10 <= rig.counts["archive_retries"] <= 20
    rig.archive.away = False
    await rig.run(5)
    assert sorted(rig.archive.kept) == ["a_a", "a_b"]


async def test_an_entry_that_cannot_be_removed_is_saved_twice(autojump_clock):
    """That is harmless: it is one article."""
    rig = Rig()
    await rig.put("a")
    save = rig.archive.save_articles

    async def save_and_lose_redis(articles, pairs):
        rig.redis.away = True
        return await save(articles, pairs)

    rig.archive.save_articles = save_and_lose_redis
    await rig.run(3)
    assert rig.redis.taken
    rig.redis.away = False
    rig.redis.kept, rig.redis.taken = rig.redis.taken, []  # as when its claim has lapsed
    rig.archive.save_articles = save
    await rig.run(3)
    assert list(rig.archive.kept) == ["a_a"]
    assert rig.redis.size_bytes == 0


async def test_an_article_that_is_too_slow_alone_becomes_a_dead_letter(autojump_clock):
    """It does so after TRIES_ALONE attempts, and the entries behind it follow."""
    rig = Rig()
    await rig.put("slow", "a")
    save, tries = rig.archive.save_articles, []

    async def save_others(articles, pairs):
        if any(each.id == "a_slow" for each, _ in articles):
            tries.append(trio.current_time())
            raise ArchiveTimeoutError
        return await save(articles, pairs)

    rig.archive.save_articles = save_others
    await rig.run(20)
    assert len(tries) == drainer.TRIES_ALONE
    assert rig.archive.buried == {"a_slow": ALONE_TOO_SLOW}
    assert list(rig.archive.kept) == ["a_a"]


async def test_an_article_that_not_even_a_dead_letter_can_hold_is_lost_aloud(autojump_clock):
    """A retry would block its entry for ever."""
    rig = Rig()
    await rig.put("bad", "a")
    rig.archive.poisoned = {"a_bad"}

    async def refuse(article, reason):
        raise PoisonedBatchError("not even text")

    rig.archive.store_dead_letter = refuse
    with capture_logs() as logs:
        await rig.run(10)
    assert list(rig.archive.kept) == ["a_a"]
    assert (rig.redis.kept, rig.redis.taken) == ([], [])
    assert rig.counts["lost_articles"] == 1
    assert [line["article"] for line in logs if line["event"] == "articles_lost"] == ["a_bad"]


async def test_an_entry_of_another_version_is_kept_aside(autojump_clock):
    """It is logged, and the entries behind it are saved."""
    rig = Rig()
    await rig.redis.add(b'{"format":99}')
    await rig.put("a")
    with capture_logs() as logs:
        await rig.run(10)
    assert rig.redis.aside == [b'{"format":99}']
    assert list(rig.archive.kept) == ["a_a"]
    assert [line["reason"] for line in logs if line["event"] == "spool_unreadable"] == [
        "not format 1"
    ]


async def test_unreadable_entries_cost_no_pause(autojump_clock):
    """Hundreds of them do not keep back the one behind them."""
    rig = Rig()
    for number in range(3 * drainer.MAX_UNREADABLE):
        await rig.redis.add(b'{"format":99,"n":%d}' % number)
    await rig.put("a")
    await rig.run(5 * drainer.EVERY_S)
    assert list(rig.archive.kept) == ["a_a"]
    assert len(rig.redis.aside) == 3 * drainer.MAX_UNREADABLE


@pytest.mark.parametrize("failure", [ZeroDivisionError, UnavailableError])
async def test_only_expected_failures_are_retried(autojump_clock, failure):
    """A bug ends the actor."""
    rig = Rig()
    await rig.put("a")
    rig.archive.failures.append(failure())
    if failure is ZeroDivisionError:
        with pytest.raises(ZeroDivisionError):
            await rig.run(10)
    else:
        await rig.run(10)
        assert list(rig.archive.kept) == ["a_a"]
