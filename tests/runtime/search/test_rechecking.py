"""Archived articles are checked at their source; what it deleted leaves the archive."""

import pytest
import trio
from attrs import define, field

from newsintel.config.values import Quota
from newsintel.domain.archive.ports import DueCheck
from newsintel.domain.limits.admission import Admission
from newsintel.domain.limits.quotas import SourceLimits
from newsintel.domain.search.outcome import Refusal, SourcePage, Status
from newsintel.runtime.limits.allowance import Allowance
from newsintel.runtime.search.rechecking import ASK_S, LARGEST_LOSS, Rechecker
from tests.fakes.basics import Clock, Counts, MemoryArchive, MemoryLedger
from tests.fakes.upkeep import MemoryChecks
from tests.make import article


def due(*names):
    """Articles that are due; their ids at the source are like Reddit's."""
    return [DueCheck(f"a_{name}", f"t3_{name}") for name in names]


def post(name, **changes):
    """An article as the source still has it."""
    return article(name, source="reddit", external_id=f"t3_{name}", author="someone", **changes)


@define
class Reddit:
    """An upstream that still has some posts."""

    has: dict
    dropped: dict = field(factory=dict)
    refusal: Refusal | None = None
    takes_s: float = 0.0
    asked: list = field(factory=list)

    async def recheck(self, ids):
        await trio.sleep(self.takes_s)
        self.asked.append(list(ids))
        if self.refusal:
            return self.refusal
        found = tuple(self.has[one] for one in ids if one in self.has)
        return SourcePage(found, len(found) + sum(self.dropped.values()), self.dropped, 200)


@define
class Rig:
    """A checker of one source over stores in memory."""

    reddit: Reddit
    checks: MemoryChecks
    archive: MemoryArchive = field(factory=MemoryArchive)
    counts: Counts = field(factory=Counts)
    limits: SourceLimits = field(factory=lambda: SourceLimits(1.0, Quota(500, 86400)))

    async def run_for(self, time_s):
        """Check until cancelled."""
        admission = Admission(self.limits)
        checker = Rechecker(
            source="reddit",
            id_pattern="t3_[a-z0-9]+",
            most_ids=100,
            every_s=60.0,
            upstream=self.reddit,
            admission=admission,
            allowance=Allowance("reddit", self.limits, MemoryLedger(), self.counts),
            checks=self.checks,
            archive=self.archive,
            count=self.counts,
            now=Clock(),
        )
        with trio.move_on_after(time_s) as scope:
            await checker.run()
        assert scope.cancelled_caught


async def test_deleted_posts_leave_the_archive(autojump_clock):
    """Those that are there are refreshed; an author who is gone loses the name."""
    nameless = post("b")
    has = {"t3_a": post("a"), "t3_b": article("b", external_id="t3_b", author=None)}
    assert nameless.author
    rig = Rig(Reddit(has, {"removed": 1}), MemoryChecks(reddit=due("a", "b", "c", "d")))
    await rig.run_for(70)
    assert rig.reddit.asked == [["t3_a", "t3_b", "t3_c", "t3_d"]]
    assert rig.checks.finished == [
        {"kept": ["a_a", "a_b"], "anonymous": ["a_b"], "gone": ["a_c", "a_d"]}
    ]
    assert set(rig.archive.kept) == {"a_a", "a_b"}
    assert (rig.counts["rechecked_articles reddit"], rig.counts["withdrawn_articles reddit"]) == (
        2,
        2,
    )


async def test_batches_follow_each_other(autojump_clock):
    """At most a hundred in a call, a call a minute."""
    names = [f"{number:03}" for number in range(250)]
    has = {f"t3_{name}": post(name) for name in names}
    rig = Rig(Reddit(has), MemoryChecks(reddit=due(*names)))
    await rig.run_for(181)
    assert [len(ids) for ids in rig.reddit.asked] == [100, 100, 50]
    assert rig.counts["rechecked_articles reddit"] == 250


@pytest.mark.parametrize(
    ("has", "dropped", "number"),
    [
        ({}, {}, LARGEST_LOSS + 1),
        ({"t3_0": post("0")}, {"bug": 1}, 3),
        ({"t3_0": post("0")}, {"removed": 1, "bad_url": 1}, 3),
    ],
)
async def test_doubtful_replies_delete_nothing(autojump_clock, has, dropped, number):
    """An empty reply about many articles, or rows that we could not read."""
    rig = Rig(Reddit(has, dropped), MemoryChecks(reddit=due(*map(str, range(number)))))
    await rig.run_for(70)
    assert [one["gone"] for one in rig.checks.finished] == [[]]
    assert len(rig.checks.finished[0]["kept"]) == len(has)


async def test_few_articles_may_all_be_gone(autojump_clock):
    """An empty reply about one article means that it is gone."""
    rig = Rig(Reddit({}), MemoryChecks(reddit=due("a")))
    await rig.run_for(70)
    assert rig.checks.finished == [{"kept": [], "anonymous": [], "gone": ["a_a"]}]


async def test_foreign_ids_are_left_alone(autojump_clock):
    """An import may bring articles whose ids the source does not know."""
    foreign = DueCheck("a_x", "https://example.org/x")
    rig = Rig(Reddit({"t3_a": post("a")}), MemoryChecks(reddit=[foreign, *due("a")]))
    await rig.run_for(70)
    assert rig.reddit.asked == [["t3_a"]]
    assert rig.checks.finished == [
        {"kept": ["a_x"], "anonymous": [], "gone": []},
        {"kept": ["a_a"], "anonymous": [], "gone": []},
    ]
    alone = Rig(Reddit({}), MemoryChecks(reddit=[foreign]))
    await alone.run_for(70)
    assert alone.reddit.asked == []


@pytest.mark.parametrize(
    "trouble",
    [{"refusal": Refusal(Status.UNREACHABLE, "lost")}, {"takes_s": ASK_S + 1}],
)
async def test_a_source_that_does_not_answer_deletes_nothing(autojump_clock, trouble):
    """The articles are due again when their lease ends."""
    rig = Rig(Reddit({}, **trouble), MemoryChecks(reddit=due("a")))
    await rig.run_for(100)
    assert rig.checks.finished == []
    assert rig.counts["recheck_failures reddit"] == 1


async def test_a_pause_of_the_source_is_respected(autojump_clock):
    """After a 429 nobody asks, not even for checks."""
    refusal = Refusal(Status.RATE_LIMITED, "too many", 429, 3600.0)
    names = [f"{number:03}" for number in range(500)]
    rig = Rig(Reddit({}, refusal=refusal), MemoryChecks(reddit=due(*names)))
    await rig.run_for(1800)
    assert len(rig.reddit.asked) == 1


async def test_quota_for_people_is_never_used(autojump_clock):
    """Checks stop where an anonymous caller would be refused."""
    names = [f"{number:05}" for number in range(20_000)]
    has = {f"t3_{name}": post(name) for name in names}
    rig = Rig(
        Reddit(has), MemoryChecks(reddit=due(*names)), limits=SourceLimits(0.0, Quota(40, 86400))
    )
    await rig.run_for(12 * 3600)
    assert 0 < len(rig.reddit.asked) < 40


@pytest.mark.parametrize("away", ["checks", "archive"])
async def test_a_database_that_is_away_is_counted(autojump_clock, away):
    """The checker goes on."""
    rig = Rig(Reddit({"t3_a": post("a")}), MemoryChecks(reddit=due("a")))
    getattr(rig, away).away = True
    await rig.run_for(70)
    assert rig.counts["recheck_failures reddit"] >= 1
    assert rig.checks.finished == []


async def test_a_bug_ends_it(autojump_clock):
    """An unexpected exception is not swallowed."""
    rig = Rig(Reddit(None), MemoryChecks(reddit=due("a")))
    with pytest.raises(TypeError):
        await rig.run_for(70)
