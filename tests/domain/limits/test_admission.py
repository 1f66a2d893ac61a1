"""When a source may be called.

Times are whole seconds where float rounding would break an equality.
"""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsintel.config.values import Quota
from newsintel.domain.limits.admission import LATE_START_S, Admission, Refused, Start
from newsintel.domain.limits.pauses import MAX_PAUSE_S
from newsintel.domain.limits.quotas import OwnStart, OwnStarts, SourceLimits, name_start
from newsintel.domain.search.outcome import HeldFrom, Refusal, SourcePage, Status

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
PAGE = SourcePage((), 0)


def wall(at_s: float) -> datetime:
    """The wall-clock time of a moment of the monotonic clock."""
    return EPOCH + timedelta(seconds=at_s)


class Gate:
    """An admission with the count of its starts, as a fetcher has them."""

    def __init__(self, *, pace_s: float, quota: Quota | None) -> None:
        terms = SourceLimits(pace_s, quota)
        self.admission, self.starts = Admission(terms), OwnStarts(terms)
        self.note, self.recall, self._given = self.admission.record_reply, self.admission.recheck, 0

    def ask(
        self, now_s: float, budget_s: float, *, signed_in: bool, person: str | None = None
    ) -> Start | Refused:
        """Ask for a start, and count it."""
        spent = self.starts.compute_spent(now_s, person)
        answer = self.admission.reserve(
            spent, now_s, wall(now_s), now_s + budget_s, signed_in=signed_in
        )
        if isinstance(answer, Refused):
            return answer
        self._given += 1
        name = name_start(person, str(self._given))
        self.starts.add(OwnStart(name, answer.at_s, shared=True))
        return Start(answer.at_s, name)

    def give_back(self, start: Start) -> None:
        """Undo a start."""
        self.starts.remove(start.name)


def ask(
    admission: Gate,
    now_s: float,
    budget_s: float = 1.0,
    *,
    signed_in: bool = True,
    person: str | None = None,
) -> Start | Refused:
    """Ask with a deadline `budget_s` from now."""
    return admission.ask(now_s, budget_s, signed_in=signed_in, person=person)


def refused(status: Status, pause_s: float | None = None) -> Refusal:
    """A refusal."""
    return Refusal(status, "why", pause_s=pause_s)


def after(admission: Gate, reply: SourcePage | Refusal, now_s: float) -> Start | Refused:
    """Ask right after a call that got this reply."""
    admission.note(Start(now_s), reply, now_s, 0.0)
    return ask(admission, now_s, 0.5)


@pytest.mark.parametrize("status", [Status.UNSUPPORTED, Status.BAD_PAYLOAD, Status.UNAUTHORIZED])
def test_a_refusal_caused_by_the_query_does_not_pause_the_source(status: Status) -> None:
    """However often it happens, and whatever pause the reply asks for."""
    admission = Gate(pace_s=0, quota=None)
    for pause_s in (None, 0.0, 30.0) * 3:
        assert after(
            admission, Refusal(status, "why", 426, pause_s, query_fault=True), 5.0
        ) == Start(5.0)
    assert admission.admission.find_pause(5.0, wall(5.0)) is None


def test_without_limits_every_call_starts_at_once() -> None:
    """No pace, no quota, no failures."""
    admission = Gate(pace_s=0, quota=None)
    assert [ask(admission, 5.0) for _ in range(20)] == [Start(5.0)] * 20


def test_pace_keeps_starts_apart_and_in_order() -> None:
    """A start that fits the deadline gets the next place.

    The first that does not is refused, with a time to retry.
    """
    admission = Gate(pace_s=1, quota=None)
    assert [ask(admission, 0, 2) for _ in range(4)] == [
        Start(0),
        Start(1),
        Start(2),
        Refused(Status.RATE_LIMITED, wall(3)),
    ]


def test_a_start_too_late_for_a_median_answer_is_refused() -> None:
    """The median latency counts against the deadline.

    A call whose answer would come too late is not made.
    """
    admission = Gate(pace_s=1, quota=None)
    for latency_s in (0.1, 0.5, 9):
        admission.note(Start(0), PAGE, latency_s, 0)
    assert ask(admission, 10, 1.4) == Start(10)
    assert ask(admission, 10, 1.4) == Refused(Status.RATE_LIMITED, wall(11))
    assert ask(admission, 10, 1.5) == Start(11)


def test_a_source_slower_than_the_deadline_is_still_asked() -> None:
    """If no wait is needed, the call is made.

    Otherwise the source could never show that it has recovered.
    """
    admission = Gate(pace_s=0, quota=None)
    admission.note(Start(0), PAGE, 30, 0)
    assert ask(admission, 40) == Start(40)


def test_quota_is_a_sliding_window() -> None:
    """A spent quota has room for one call when the oldest call leaves the window."""
    admission = Gate(pace_s=0, quota=Quota(2, 100))
    assert [ask(admission, 0), ask(admission, 30)] == [Start(0), Start(30)]
    assert ask(admission, 50) == Refused(Status.QUOTA_EXHAUSTED, wall(100))
    assert ask(admission, 100) == Start(100)
    assert ask(admission, 100) == Refused(Status.QUOTA_EXHAUSTED, wall(130))


def test_the_last_quarter_is_for_callers_who_are_signed_in() -> None:
    """Anonymous callers are refused when a quarter is left, with a time to retry.

    The quota itself binds everybody.
    """
    admission = Gate(pace_s=0, quota=Quota(8, 100))
    assert all(isinstance(ask(admission, at_s, signed_in=False), Start) for at_s in range(6))
    assert ask(admission, 6, signed_in=False) == Refused(
        Status.QUOTA_EXHAUSTED, wall(100), held_back=HeldFrom.ANONYMOUS
    )
    assert [ask(admission, 7), ask(admission, 8)] == [Start(7), Start(8)]
    assert ask(admission, 9) == Refused(Status.QUOTA_EXHAUSTED, wall(100))
    assert ask(admission, 9, signed_in=False) == Refused(
        Status.QUOTA_EXHAUSTED, wall(102), held_back=HeldFrom.ANONYMOUS
    )
    assert isinstance(ask(admission, 100), Start)
    assert ask(admission, 100.5, signed_in=False) == Refused(
        Status.QUOTA_EXHAUSTED, wall(103), held_back=HeldFrom.ANONYMOUS
    )


@pytest.mark.parametrize(
    ("signed_in", "shares"),
    [(False, [38, 19, 9, 5, 2, 1, 1, 0]), (True, [50, 25, 13, 6, 3, 2, 1, 0])],
)
def test_one_person_gets_at_most_half_of_what_is_left(signed_in: bool, shares: list[int]) -> None:  # noqa: FBT001
    """A person who asks without pause leaves half of what was left, and others are still served.

    The quota has 100 calls, as that of NewsAPI.
    """
    admission = Gate(pace_s=0, quota=Quota(100, 1000))
    for number, share in enumerate(shares):
        taken = [
            ask(admission, number, signed_in=signed_in, person=f"p{number}") for _ in range(60)
        ]
        assert sum(isinstance(one, Start) for one in taken) == share
        turned = taken[-1]
        assert isinstance(turned, Refused)
        if share:
            assert (
                turned
                == Refused(Status.QUOTA_EXHAUSTED, wall(1000 + number), held_back=HeldFrom.PERSON)
                or sum(shares[: number + 1]) >= 75
            )
    assert isinstance(ask(admission, 9, person=None), Start) is not signed_in


def test_a_share_comes_back_as_the_persons_calls_leave_the_window() -> None:
    """Of eight calls a person gets four.

    At 100 s the first of them leaves the window. Calls without a person, as from a command, have no
    share.
    """
    admission = Gate(pace_s=0, quota=Quota(8, 100))
    assert all(isinstance(ask(admission, at_s, person="p"), Start) for at_s in range(4))
    assert ask(admission, 50, person="p") == Refused(
        Status.QUOTA_EXHAUSTED, wall(100), held_back=HeldFrom.PERSON
    )
    assert isinstance(ask(admission, 50, person="q"), Start)
    assert isinstance(ask(admission, 100, person="p"), Start)
    assert ask(admission, 100, 0.5, person="p") == Refused(
        Status.QUOTA_EXHAUSTED, wall(101), held_back=HeldFrom.PERSON
    )
    assert all(isinstance(ask(admission, 100), Start) for _ in range(3))


def test_limits_for_everybody_are_reported_before_the_share_of_one_person() -> None:
    """A pause, a spent quota and the quarter for signed-in callers bind more people.

    They come first.
    """
    admission = Gate(pace_s=0, quota=Quota(4, 100))
    assert [
        isinstance(ask(admission, 0, signed_in=False, person="p"), Start) for _ in range(3)
    ] == [True, True, False]
    admission.note(Start(1), refused(Status.RATE_LIMITED, 20), 1, 0)
    assert ask(admission, 2, signed_in=False, person="p") == Refused(Status.RATE_LIMITED, wall(21))
    assert isinstance(ask(admission, 30, person="q"), Start)
    assert ask(admission, 31, signed_in=False, person="p") == Refused(
        Status.QUOTA_EXHAUSTED, wall(100), held_back=HeldFrom.ANONYMOUS
    )
    assert isinstance(ask(admission, 32, person="r"), Start)
    assert ask(admission, 33, person="p") == Refused(Status.QUOTA_EXHAUSTED, wall(100))


def test_a_start_waits_for_a_share_that_frees_up_within_the_deadline() -> None:
    """A start waits for the pace in the same way."""
    admission = Gate(pace_s=0, quota=Quota(4, 1))
    assert [ask(admission, 0, person="p") for _ in range(2)] == [Start(0), Start(0)]
    assert ask(admission, 0.5, 1, person="p") == Start(1)


def test_a_pause_holds_for_everybody() -> None:
    """A pause that the source asked for is not reported as held back from one kind of caller."""
    admission = Gate(pace_s=0, quota=Quota(4, 100))
    for at_s in range(3):
        ask(admission, at_s)
    admission.note(Start(3), refused(Status.RATE_LIMITED, 500), 3, 0)
    assert ask(admission, 4, signed_in=False) == Refused(Status.RATE_LIMITED, wall(503))


def test_quota_left_and_keep_time_follow_the_latest_count() -> None:
    """Each start counts at once, so the outcome of a call includes the call itself."""
    admission = Gate(pace_s=0, quota=Quota(4, 100))
    for left, keep_s in ((3, 50 / 3), (2, 50), (1, 150), (0, 1000)):
        ask(admission, 0)
        assert (admission.admission.quota_left(), admission.admission.min_fresh_s(1000)) == (
            left,
            pytest.approx(keep_s),
        )
    assert (
        ask(admission, 1)
        == admission.admission.find_pause(1, wall(1))
        == Refused(Status.QUOTA_EXHAUSTED, wall(100))
    )


@pytest.mark.parametrize(("asked_s", "pause_s"), [(30, 30), (0.0, 1), (-5, 1), (1e9, MAX_PAUSE_S)])
@pytest.mark.parametrize("status", [Status.RATE_LIMITED, Status.UNREACHABLE])
def test_a_pause_that_the_source_asks_for_is_kept_within_bounds(
    status: Status, asked_s: float, pause_s: float
) -> None:
    """Retry-After is obeyed within bounds, whatever status it came with."""
    admission = Gate(pace_s=0, quota=None)
    assert after(admission, refused(status, asked_s), 10) == Refused(
        Status.RATE_LIMITED, wall(10 + pause_s)
    )
    assert ask(admission, 10 + pause_s) == Start(10 + pause_s)


def test_a_page_may_ask_for_a_pause_too() -> None:
    """Reddit sends a page and says at the same time that its allowance is used up."""
    assert after(Gate(pace_s=0, quota=None), SourcePage((), 0, pause_s=20), 10) == Refused(
        Status.RATE_LIMITED, wall(30)
    )


def test_a_pause_recalls_a_start_that_waits() -> None:
    """No call is made during a pause, even if its start was assigned before."""
    admission = Gate(pace_s=1, quota=None)
    first, second = ask(admission, 0), ask(admission, 0)
    assert isinstance(first, Start)
    assert isinstance(second, Start)
    assert admission.recall(first, 0, wall(0)) is None
    admission.note(first, refused(Status.RATE_LIMITED, 30), 0.5, 0)
    assert admission.recall(second, 1, wall(1)) == Refused(Status.RATE_LIMITED, wall(30.5))


def test_missed_start_is_not_made_up_for() -> None:
    """A process that stood still would make several calls at once. Without a pace it may."""
    paced, free = Gate(pace_s=5, quota=None), Gate(pace_s=0, quota=Quota(10, 60))
    first, second = ask(paced, 0), ask(paced, 0, 10)
    assert isinstance(first, Start)
    assert isinstance(second, Start)
    assert paced.recall(first, LATE_START_S, wall(0.5)) is None
    assert paced.recall(second, 20, wall(20)) == Refused(Status.OVERLOADED, wall(20))
    start = ask(free, 0)
    assert isinstance(start, Start)
    assert free.recall(start, 20, wall(20)) is None


def test_a_shorter_pause_does_not_shorten_a_longer_one() -> None:
    """Two replies arrive for calls that ran at the same time: the longer pause holds."""
    admission = Gate(pace_s=0, quota=None)
    after(admission, refused(Status.RATE_LIMITED, 500), 0)
    assert after(admission, refused(Status.RATE_LIMITED, 5), 1) == Refused(
        Status.RATE_LIMITED, wall(500)
    )


@pytest.mark.parametrize(
    ("status", "pauses_s"),
    [
        (Status.RATE_LIMITED, [60, 120, 240, 480, 960, 1920, 3600, 3600]),
        (Status.QUOTA_EXHAUSTED, [3600, 3600]),
        (Status.UNAUTHORIZED, [300, 600, 1200, 2400, 3600, 3600]),
    ],
)
def test_refusals_without_a_time_get_growing_pauses(status: Status, pauses_s: list[float]) -> None:
    """If the source names no time, we choose one.

    It grows with each refusal in a row. The status names the reason.
    """
    admission, now_s = Gate(pace_s=0, quota=None), 0.0
    for pause_s in pauses_s:
        assert after(admission, refused(status), now_s) == Refused(status, wall(now_s + pause_s))
        now_s += pause_s
    assert isinstance(after(admission, PAGE, now_s), Start)
    assert after(admission, refused(status), now_s) == Refused(status, wall(now_s + pauses_s[0]))


def test_three_failures_in_a_row_open_the_circuit() -> None:
    """Failures of any kind count.

    Each further failure doubles the pause, up to five minutes. One success resets it.
    """
    admission, now_s = Gate(pace_s=0, quota=None), 0.0
    kinds = (Status.TIMEOUT, Status.UNREACHABLE, Status.BAD_PAYLOAD)
    assert isinstance(after(admission, refused(kinds[0]), now_s), Start)
    assert isinstance(after(admission, refused(kinds[1]), now_s), Start)
    for pause_s in (5, 10, 20, 40, 80, 160, 300, 300):
        assert after(admission, refused(kinds[2]), now_s) == Refused(
            Status.CIRCUIT_OPEN, wall(now_s + pause_s)
        )
        now_s += pause_s
    assert isinstance(after(admission, PAGE, now_s), Start)
    assert isinstance(after(admission, refused(kinds[0]), now_s), Start)


def test_failures_of_the_same_moment_count_once() -> None:
    """Ten calls that run while a source goes down are one outage."""
    admission = Gate(pace_s=0, quota=None)
    starts = [ask(admission, 0.0) for _ in range(10)]
    for start in starts:
        assert isinstance(start, Start)
        admission.note(start, refused(Status.UNREACHABLE), 1.0, 0)
    assert ask(admission, 1.0) == Refused(Status.CIRCUIT_OPEN, wall(6))


def test_jitter_only_lengthens_a_pause() -> None:
    """Jitter spreads the retries of several processes, and none is earlier than the rule allows."""
    admission = Gate(pace_s=0, quota=None)
    admission.note(Start(0), refused(Status.RATE_LIMITED), 0, 1.0)
    assert ask(admission, 0) == Refused(Status.RATE_LIMITED, wall(90))


def test_our_own_overload_does_not_open_the_circuit() -> None:
    """`overloaded` is our own status: it says nothing about the source."""
    admission = Gate(pace_s=0, quota=None)
    assert all(isinstance(after(admission, refused(Status.OVERLOADED), 0), Start) for _ in range(9))


REPLIES = st.one_of(
    st.just(PAGE),
    st.builds(SourcePage, st.just(()), st.just(0), pause_s=st.integers(0, 30).map(float)),
    st.builds(
        refused,
        st.sampled_from([status for status in Status if status.failed]),
        st.none() | st.floats(-1e9, 1e9),
    ),
)
STEPS = st.lists(
    st.tuples(
        st.integers(0, 20), st.integers(0, 40), st.sampled_from(["note", "drop", "leave"]), REPLIES
    ),
    max_size=60,
)


@given(STEPS, st.integers(0, 5), st.integers(1, 4), st.integers(1, 60), st.floats(0, 1))
def test_limits_hold_whatever_happens(
    steps: list[tuple[int, int, str, SourcePage | Refusal]],
    pace_s: int,
    calls: int,
    window_s: int,
    jitter: float,
) -> None:
    """The rules that hold for any sequence of replies.

    No window has too many calls, no two starts are closer than the pace, each start is between now
    and its deadline, and each retry_at is in the future.
    """
    admission, now_s, starts = Gate(pace_s=pace_s, quota=Quota(calls, window_s)), 0, []
    for step_s, budget_s, fate, reply in steps:
        now_s += step_s
        answer = ask(admission, now_s, budget_s)
        if isinstance(answer, Refused):
            assert answer.status.failed
            assert answer.retry_at > wall(now_s)
            continue
        assert now_s <= answer.at_s <= now_s + budget_s
        if fate == "drop":
            admission.give_back(answer)
            continue
        if admission.recall(answer, now_s, wall(now_s)) is not None:
            admission.give_back(answer)
            continue
        starts.append(answer.at_s)
        if fate == "note":
            admission.note(answer, reply, answer.at_s, jitter)
    assert starts == sorted(starts)
    assert all(b - a >= pace_s - 1e-6 for a, b in pairwise(starts))
    assert all(starts[i + calls] - starts[i] >= window_s - 1e-6 for i in range(len(starts) - calls))


@given(STEPS)
def test_asking_again_at_retry_at_succeeds(
    steps: list[tuple[int, int, str, SourcePage | Refusal]],
) -> None:
    """A caller that waits until retry_at, while nobody else asks, gets a start."""
    admission, now_s = Gate(pace_s=2, quota=Quota(3, 50)), 0
    for step_s, budget_s, _, reply in steps:
        now_s += step_s
        answer = ask(admission, now_s, budget_s)
        if isinstance(answer, Refused):
            again_s = (answer.retry_at - EPOCH).total_seconds() + 1e-5
            assert isinstance(ask(admission, again_s, 0), Start)
            return
        admission.note(answer, reply, answer.at_s, 0)
