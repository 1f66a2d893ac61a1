"""The persister loses no accepted article without counting it."""

from hashlib import sha256

import pytest
import trio
from structlog.testing import capture_logs
from trio.testing import wait_all_tasks_blocked

from newsintel.actors import persister
from newsintel.domain.archive.batch import BATCH_BYTES, BATCH_ROWS, ArchiveBatch
from newsintel.domain.archive.recent_saves import KEEP_S
from newsintel.domain.archive.spooled import load_spooled
from newsintel.domain.bounds.room import ByteBudget
from newsintel.domain.bounds.slices import run_all
from newsintel.domain.search.article import Pair, Rule
from newsintel.domain.search.harvest import ArchiveWrite
from newsintel.domain.search.merging import build_pairs
from newsintel.domain.search.sizes import articles_bytes
from newsintel.errors import ArchiveTimeoutError, UnavailableError
from newsintel.runtime.attempts import PROBE_S, SAVE_S
from newsintel.runtime.edges import PERSISTER_INBOX
from newsintel.runtime.spool import Spool
from tests.fakes.basics import Counts, MemoryArchive, MemorySpool
from tests.fakes.spans import RecordedSpan
from tests.make import NOON, answer, article, outcome


def landed(*names):
    """An answer with articles of these names."""
    return answer(outcome(articles=tuple(article(name) for name in names)))


def numbered(first, last, **changes):
    """An answer with articles of these numbers, of which no two are a pair."""
    return answer(outcome(articles=unlike(first, last, **changes)))


def unlike(first, last, **changes):
    """Articles of these numbers, whose titles have nothing in common."""
    return tuple(
        article(str(number), title=sha256(b"%d" % number).hexdigest(), **changes)
        for number in range(first, last)
    )


async def hang(*_):
    """Answer nothing, like a frozen PostgreSQL."""
    await trio.sleep_forever()


class Rig:
    """A persister with its archive, its spool and its inbox."""

    def __init__(self, room=64):
        self.archive, self.counts = MemoryArchive(), Counts()
        self.redis, self.file = MemorySpool("redis"), MemorySpool("file")
        self.spool = Spool((self.redis, self.file), self.counts)
        self.send, self.inbox = trio.open_memory_channel(room)
        self.room = ByteBudget(32 * 2**20)

    async def run(self):
        """Run the actor."""
        await persister.run(
            self.inbox, room=self.room, archive=self.archive, spool=self.spool, count=self.counts
        )

    async def run_all(self, *answers):
        """Send answers, end the channel, and let the actor finish."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.run)
            with self.send:
                for each in answers:
                    assert self.room.reserve(each.size_bytes)
                    await self.send.send(ArchiveWrite(each))
        assert self.room.reserved_bytes == 0


async def test_small_answers_share_a_batch(autojump_clock):
    """Answers that arrive within the batch's time are saved in one call."""
    rig = Rig()
    await rig.run_all(landed("a"), landed("b"), landed("c"))
    assert sorted(rig.archive.kept) == ["a_a", "a_b", "a_c"]
    assert rig.archive.calls[0] == 3
    assert rig.counts["archived_articles"] == 3


async def test_a_batch_is_written_when_its_time_is_up(autojump_clock):
    """A single answer is saved a quarter of a second after it arrived.

    The channel is still open.
    """
    rig = Rig()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(rig.run)
        await rig.send.send(ArchiveWrite(landed("a")))
        await trio.sleep(persister.BATCH_S + 0.01)
        assert list(rig.archive.kept) == ["a_a"]
        rig.send.close()


async def test_large_harvests_are_split_into_batches(autojump_clock):
    """No call has more than BATCH_ROWS rows, and no row is left out."""
    rig = Rig()
    await rig.run_all(numbered(0, 300), numbered(300, 600))
    assert len(rig.archive.kept) == 600
    assert max(rig.archive.calls) <= BATCH_ROWS


async def test_large_articles_are_split_by_bytes(autojump_clock):
    """Four answers of 100 articles with 19 kB: no call has more than BATCH_BYTES."""
    rig = Rig()
    content = "x" * 19_000
    size_bytes = articles_bytes([article("100", content=content)])
    await rig.run_all(
        *(numbered(first, first + 100, content=content) for first in range(0, 400, 100))
    )
    assert len(rig.archive.kept) == 400
    assert max(rig.archive.calls) == BATCH_BYTES // size_bytes


async def test_an_article_that_was_just_saved_is_not_saved_again(autojump_clock):
    """Nor is a pair; a changed article is. After a while, all are saved again."""
    rig = Rig()
    same = answer(outcome(articles=(article("a", title="Same"), article("b", title="Same"))))
    assert len(build_pairs(same.merge)) == 1
    async with trio.open_nursery() as nursery:
        nursery.start_soon(rig.run)
        for each in (same, same, landed("a"), same):
            assert rig.room.reserve(each.size_bytes)
            await rig.send.send(ArchiveWrite(each))
            await trio.sleep(1)
        assert rig.archive.calls == [2, 0, 1, 1]  # the last one: it has changed back
        assert rig.archive.kept["a_a"].article.title == "Same"
        await trio.sleep(KEEP_S)
        assert rig.room.reserve(same.size_bytes)
        await rig.send.send(ArchiveWrite(same))
        rig.send.close()
    assert rig.archive.calls == [2, 0, 1, 1, 2, 0]
    assert rig.room.reserved_bytes == 0


async def test_an_article_that_was_just_spooled_is_not_spooled_again(autojump_clock):
    """However many searches find it while the archive is away."""
    rig = Rig(PERSISTER_INBOX)
    rig.archive.away = True
    await rig.run_all(*[landed("a") for _ in range(300)], landed("a", "b"))
    assert rig.redis.read_articles() == ["a_a", "a_b"]


async def test_pairs_that_were_just_spooled_are_not_spooled_again(autojump_clock):
    """They are in most answers of a busy minute."""
    rig = Rig()
    rig.archive.away = True
    same = answer(outcome(articles=(article("a", title="Same"), article("b", title="Same"))))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(rig.run)
        for _ in range(5):
            assert rig.room.reserve(same.size_bytes)
            await rig.send.send(ArchiveWrite(same))
            await trio.sleep(1)
        rig.send.close()
    entries = [run_all(load_spooled(entry)) for entry in rig.redis.kept]
    assert [len(entry.pairs) for entry in entries if entry.pairs] == [1]


async def test_what_was_lost_is_saved_with_the_next_answer(autojump_clock):
    """Only what the archive has is left out."""
    rig = Rig()
    rig.archive.away = rig.redis.away = rig.file.away = True
    async with trio.open_nursery() as nursery:
        nursery.start_soon(rig.run)
        await rig.send.send(ArchiveWrite(landed("a")))
        await trio.sleep(1)
        assert rig.counts["lost_articles"] == 1
        rig.archive.away = False
        await trio.sleep(PROBE_S)
        await rig.send.send(ArchiveWrite(landed("a")))
        rig.send.close()
    assert list(rig.archive.kept) == ["a_a"]


@pytest.mark.slow
@pytest.mark.parametrize("room", [100, 4_000])
async def test_while_too_much_waits_articles_are_spooled(autojump_clock, room):
    """A slow archive does not fill the inbox, in messages or in bytes: the spool is faster."""
    rig, sent = Rig(room), 400
    rig.room = ByteBudget(2**40 if room == 100 else 100 * numbered(0, 10).size_bytes)
    save = rig.archive.save_articles

    async def slow(articles, pairs):
        await trio.sleep(SAVE_S / 2)
        return await save(articles, pairs)

    rig.archive.save_articles = slow
    async with trio.open_nursery() as nursery:
        nursery.start_soon(rig.run)
        for number in range(sent):
            each = numbered(10 * number, 10 * number + 10)
            assert rig.room.reserve(each.size_bytes)  # the merger would count a loss
            rig.send.send_nowait(ArchiveWrite(each))
            await trio.sleep(0.01)
        rig.send.close()
    spooled = rig.redis.read_articles()
    assert len(rig.archive.kept) + len(spooled) == 10 * sent
    assert len(rig.archive.kept) >= 10 * sent / 10 <= len(spooled)


async def test_what_is_known_of_an_answer_takes_no_room(autojump_clock):
    """Searches of the same news: one article in eleven is new. The inbox alone fills the room."""
    rig, sent, pause_s = Rig(PERSISTER_INBOX), 300, 0.02
    known = [article(f"known {number}") for number in range(10)]
    waiting = SAVE_S / pause_s  # while one batch is saved
    each = answer(outcome(articles=(*known, article("new 100"))))
    rig.room = ByteBudget(round(1.3 * waiting) * each.size_bytes)
    save = rig.archive.save_articles

    async def slow(articles, pairs):
        await trio.sleep(0.9 * SAVE_S)
        return await save(articles, pairs)

    rig.archive.save_articles = slow
    async with trio.open_nursery() as nursery:
        nursery.start_soon(rig.run)
        for number in range(sent):
            each = answer(outcome(articles=(*known, article(f"new {number}"))))
            assert rig.room.reserve(each.size_bytes)  # the merger would count a loss
            rig.send.send_nowait(ArchiveWrite(each))
            await trio.sleep(pause_s)
        rig.send.close()
    assert len({*rig.archive.kept, *rig.redis.read_articles()}) == sent + len(known)
    assert rig.room.reserved_bytes == 0


async def test_what_a_full_spool_refuses_is_saved_while_the_archive_works(autojump_clock):
    """Too much waits, so the spool is tried first; nothing is lost because it is full."""
    rig = Rig()
    rig.redis.away, rig.file.max_bytes = True, 0
    rig.room = ByteBudget(numbered(0, 50).size_bytes + 1)
    await rig.run_all(numbered(0, 50))
    assert len(rig.archive.kept) == 50
    assert rig.counts["lost_articles"] == 0


async def test_pairs_alone_are_spooled_at_a_cancel(autojump_clock):
    """Their articles were saved before: only the pairs are new."""
    rig = Rig()
    same = answer(outcome(articles=(article("a", title="Same"), article("b", title="Same"))))
    pairs = build_pairs(same.merge)
    save = rig.archive.save_articles

    async def save_rows_only(articles, pairs):
        if pairs:
            await trio.sleep_forever()
        return await save(articles, pairs)

    rig.archive.save_articles = save_rows_only
    async with trio.open_nursery() as nursery:
        nursery.start_soon(rig.run)
        await rig.send.send(ArchiveWrite(same))
        await trio.sleep(persister.BATCH_S + SAVE_S / 2)
        nursery.cancel_scope.cancel()
    assert [run_all(load_spooled(data)).pairs for data in rig.redis.kept] == [list(pairs)]


async def test_thousands_of_pairs_lose_no_article(autojump_clock):
    """They are entries of their own, of a bounded size, behind those of their articles."""
    rig = Rig()
    rig.archive.away = True
    pairs = [Pair(f"a_{number}", "a_0", Rule.TITLE, 0.9) for number in range(20_000)]
    batch = ArchiveBatch([(one, NOON) for one in unlike(0, 10)], list(pairs))
    await rig.spool.put_piece(batch, 10)
    entries = [run_all(load_spooled(data)) for data in rig.redis.kept]
    assert [len(entry.rows) for entry in entries] == [10] + [0] * (len(entries) - 1)
    assert [pair for entry in entries for pair in entry.pairs] == pairs
    assert (batch.rows, batch.pairs, rig.counts["lost_articles"]) == ([], [], 0)


async def test_pairs_without_room_are_counted(autojump_clock):
    """They are no articles, and a later merge finds them again."""
    rig = Rig()
    rig.redis.away = rig.file.away = True
    await rig.spool.put_piece(ArchiveBatch([], [Pair("a_1", "a_0", Rule.TITLE, 0.9)]), 0)
    assert (rig.counts["refused_pairs"], rig.counts["lost_articles"]) == (1, 0)


async def test_a_batch_that_is_too_slow_is_halved(autojump_clock):
    """PostgreSQL saves at most 30 rows within its time limit: no larger batch is tried again."""
    rig = Rig()
    tried, save = [], rig.archive.save_articles

    async def slow(articles, pairs):
        tried.append(len(articles))
        if len(articles) > 30:
            raise ArchiveTimeoutError
        return await save(articles, pairs)

    rig.archive.save_articles = slow
    await rig.run_all(numbered(0, 200))
    assert len(rig.archive.kept) == 200
    assert rig.redis.kept == []
    assert [tried.count(rows) for rows in (200, 100, 50)] == [1, 2, 4]


async def test_a_poisoned_row_is_put_aside_and_the_others_are_saved(autojump_clock):
    """A refused batch is halved until the bad row is alone.

    The row is buried with the archive's reason.
    """
    rig = Rig()
    rig.archive.poisoned = {"a_7", "a_42"}
    await rig.run_all(numbered(0, 100))
    assert len(rig.archive.kept) == 98
    assert set(rig.archive.buried) == {"a_7", "a_42"}
    assert "refused" in rig.archive.buried["a_7"]
    assert rig.counts["dead_letters"] == 2
    assert rig.counts["archived_articles"] == 98


@pytest.mark.slow
async def test_while_the_archive_is_frozen_every_answer_is_spooled(autojump_clock):
    """150 answers of 55 articles arrive at once. None is lost, and the inbox refuses none.

    Only one batch waits for PostgreSQL; while it does, the inbox takes the others.
    """
    rig = Rig(room=PERSISTER_INBOX)
    rig.redis.max_bytes = 32 * 2**20
    rig.archive.save_articles = hang
    async with trio.open_nursery() as nursery:
        nursery.start_soon(rig.run)
        await wait_all_tasks_blocked()
        for first in range(0, 8250, 55):
            each = numbered(first, first + 55)
            assert rig.room.reserve(each.size_bytes)
            rig.send.send_nowait(ArchiveWrite(each))
        await trio.sleep(SAVE_S + PROBE_S - 0.1)
        assert rig.room.reserved_bytes == 0
        rig.send.close()
    assert rig.redis.read_articles() == [f"a_{number}" for number in range(8250)]
    assert rig.counts["spooled_rows articles redis"] == 8250
    assert rig.counts["lost_articles"] == 0


async def test_after_a_pause_one_batch_tries_whether_the_archive_is_back(autojump_clock):
    """Until then everything is spooled without an attempt."""
    rig = Rig()
    rig.archive.failures.append(UnavailableError("away"))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(rig.run)
        for name in "ab":
            await rig.send.send(ArchiveWrite(landed(name)))
            await trio.sleep(1)
        assert rig.archive.kept == {}
        await trio.sleep(PROBE_S)
        await rig.send.send(ArchiveWrite(landed("c")))
        await trio.sleep(1)
        rig.send.close()
    assert rig.redis.read_articles() == ["a_a", "a_b"]
    assert list(rig.archive.kept) == ["a_c"]


async def test_what_is_saved_of_a_batch_is_not_spooled(autojump_clock):
    """The second piece fails: only its rows are spooled, and the pairs after them."""
    rig = Rig()
    save, calls = rig.archive.save_articles, []

    async def fail_second(articles, pairs):
        calls.append(len(articles))
        if len(calls) == 2:
            raise UnavailableError("away")
        return await save(articles, pairs)

    rig.archive.save_articles = fail_second
    twins = tuple(article(str(number), title="One title of twins") for number in (298, 299))
    await rig.run_all(answer(outcome(articles=unlike(0, 298) + twins)))
    assert len(rig.archive.kept) == BATCH_ROWS
    entries = [run_all(load_spooled(data)) for data in rig.redis.kept]
    assert [row[0].id for entry in entries for row in entry.rows] == [
        f"a_{number}" for number in range(200, 300)
    ]
    assert [(one.member_id, one.founder_id) for one in entries[-1].pairs] == [("a_299", "a_298")]
    assert rig.archive.pairs == []


async def test_pairs_wait_for_their_articles(autojump_clock, monkeypatch):
    """The first piece is spooled and the second saved. The pairs are spooled, behind the first."""
    rig = Rig()
    save, calls = rig.archive.save_articles, []

    async def fail_first(articles, pairs):
        calls.append(len(articles))
        if len(calls) == 1:
            await trio.sleep_forever()
        return await save(articles, pairs)

    rig.archive.save_articles = fail_first
    twins = tuple(article(name, title="One title of twins") for name in ("x", "y"))
    monkeypatch.setattr("newsintel.runtime.attempts.PROBE_S", 0)
    await rig.run_all(answer(outcome(articles=twins + unlike(0, 298))))
    assert len(rig.redis.read_articles()) == BATCH_ROWS
    assert len(rig.archive.kept) == 100
    assert rig.archive.pairs == []
    *_, last = (run_all(load_spooled(data)) for data in rig.redis.kept)
    assert (last.rows, [one.member_id for one in last.pairs]) == ([], ["a_y"])


async def test_without_redis_the_file_takes_what_is_spooled(autojump_clock):
    """The refusal of the first place is counted."""
    rig = Rig()
    rig.archive.away = rig.redis.away = True
    await rig.run_all(landed("a"))
    assert rig.file.read_articles() == ["a_a"]
    assert rig.counts["spool_refusals redis away"] == 1


async def test_past_all_bounds_articles_are_lost_counted_and_logged(autojump_clock):
    """The log has the number and the reason of each place, at most once a minute."""
    rig = Rig()
    rig.archive.away = rig.file.away = True
    rig.redis.max_bytes = 0
    with capture_logs() as logs:
        await rig.run_all(*(numbered(first, first + 100) for first in range(0, 1000, 100)))
    lost = [line for line in logs if line["event"] == "articles_lost"]
    assert [line["articles"] for line in lost] == [200, 800]
    assert {line["reason"] for line in lost} == {"redis: no room; file: the place is away"}
    assert rig.counts["lost_articles"] == 1000
    assert rig.counts["spool_refusals redis full"] == 5


async def test_cancellation_spools_every_article(autojump_clock):
    """The archive is frozen. The articles in the inbox count too."""
    rig = Rig()
    rig.archive.save_articles = hang
    with trio.move_on_after(SAVE_S / 2):
        await rig.run_all(numbered(0, 250), numbered(250, 300), landed("last"))
    assert len(rig.redis.read_articles()) == 301
    assert rig.counts["lost_articles"] == 0


async def test_cancellation_counts_what_is_not_spooled_in_time(autojump_clock):
    """A place that hangs delays the end only for LAST_SPOOL_S."""
    rig = Rig()
    rig.archive.save_articles = rig.redis.add = hang
    with trio.move_on_after(5):
        await rig.run_all(numbered(0, 250), numbered(250, 300), landed("last"))
    assert trio.current_time() == pytest.approx(5 + persister.LAST_SPOOL_S)
    assert rig.counts["lost_articles"] == 301


async def test_a_bug_ends_the_actor_and_spools_what_it_held(autojump_clock):
    """An unexpected exception is not swallowed."""
    rig = Rig()
    rig.archive.failures.append(ZeroDivisionError())
    with pytest.RaisesGroup(ZeroDivisionError):
        await rig.run_all(landed("a"))
    assert rig.redis.read_articles() == ["a_a"]
    with pytest.raises(trio.ClosedResourceError):
        await rig.inbox.receive()


async def test_in_a_shutdown_it_saves_for_a_while_and_spools_the_rest(autojump_clock):
    """PostgreSQL takes a second for each batch: five are saved, then the time is over."""
    rig = Rig(room=PERSISTER_INBOX)
    save = rig.archive.save_articles

    async def slow(articles, pairs):
        await trio.sleep(1)
        return await save(articles, pairs)

    rig.archive.save_articles = slow
    rig.spool.urgent_from = trio.current_time() + 5.5
    await rig.run_all(*(numbered(first, first + 200) for first in range(0, 2000, 200)))
    assert len(rig.archive.kept) == 1000
    assert len(rig.redis.read_articles()) == 1000
    assert trio.current_time() == pytest.approx(5.5)


@pytest.mark.parametrize("step", range(20))
async def test_cancelled_at_any_checkpoint_every_article_is_saved_or_spooled(autojump_clock, step):
    """No accepted article is missing from both."""
    rig = Rig()
    for name in "abc":
        rig.send.send_nowait(ArchiveWrite(landed(name)))
    with trio.CancelScope() as scope:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(rig.run)
            for _ in range(step):
                await trio.lowlevel.checkpoint()
            if step > 10:
                await wait_all_tasks_blocked()
                await trio.sleep(0.25)
            scope.cancel()
    assert {*rig.archive.kept, *rig.redis.read_articles()} == {"a_a", "a_b", "a_c"}
    assert rig.inbox.statistics().open_receive_channels == 0


@pytest.mark.parametrize("away", [False, True])
async def test_saving_is_a_step_of_each_search(autojump_clock, away):
    """It ends when the batch is saved or spooled, also for an answer that brought nothing new."""
    rig, searches = Rig(), [RecordedSpan(name) for name in "abc"]
    if away:
        rig.archive.save_articles = hang
    async with trio.open_nursery() as nursery:
        nursery.start_soon(rig.run)
        for search, each in zip(searches, (landed("a"), landed("a"), landed("b")), strict=True):
            assert rig.room.reserve(each.size_bytes)
            await rig.send.send(ArchiveWrite(each, search))
        rig.send.close()
    for search in searches:
        (step,) = search.children
        assert (step.name, step.is_recording) == ("persist", False)
        assert step.attributes == {"newsintel.spooled": away}


async def test_a_cancelled_persister_ends_the_steps(autojump_clock):
    """What it held is spooled."""
    rig, search = Rig(), RecordedSpan("search")
    rig.archive.save_articles = hang
    async with trio.open_nursery() as nursery:
        nursery.start_soon(rig.run)
        await rig.send.send(ArchiveWrite(landed("a"), search))
        await trio.sleep(persister.BATCH_S + 0.01)
        nursery.cancel_scope.cancel()
    (step,) = search.children
    assert (step.is_recording, step.attributes) == (False, {"newsintel.spooled": True})
