"""The deliverer: each due alert is sent, once, and again after a failure."""

from datetime import timedelta

import trio
from attrs import define, evolve, field

from newsintel.actors.deliverer import CLAIM_S, IDLE_S, MOST_OF_PERSON, SLOTS, Deliverer
from newsintel.domain.alerts.channels import ChannelKind
from newsintel.domain.alerts.delivery_model import Attempt, DeliveryState, Outcome
from tests.domain.alerts.made import delivery
from tests.fakes.alerts import MemoryDeliveries
from tests.fakes.basics import Clock, Counts
from tests.make import NOON

OK = Attempt(Outcome.DELIVERED, 204)


@define
class ScriptedSender:
    """Answers as told; the last answer repeats."""

    answers: list = field(factory=lambda: [OK])
    takes_s: float = 0.0
    sent: list[str] = field(factory=list)
    running: int = 0
    most: int = 0

    async def send(self, sent) -> Attempt:
        """Send after a time."""
        self.sent.append(sent.id)
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await trio.sleep(self.takes_s)
        finally:
            self.running -= 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def waiting(*names: str, **changes) -> MemoryDeliveries:
    """An outbox with due deliveries."""
    made = [delivery(id=name, claimed_until=NOON, **changes) for name in names]
    return MemoryDeliveries({one.id: (one, NOON) for one in made})


def of_many(names) -> MemoryDeliveries:
    """An outbox with a due delivery for each of as many people."""
    made = [delivery(id=name, claimed_until=NOON, person=f"u_{name}") for name in names]
    return MemoryDeliveries({one.id: (one, NOON) for one in made})


async def run_for(time_s, store, sender, kinds=tuple(ChannelKind), now=None) -> Counts:
    """Run the actor until it is cancelled after a time, and return its counts."""
    counts = Counts()
    with trio.move_on_after(time_s):
        await Deliverer(store, dict.fromkeys(kinds, sender), counts, now or Clock()).run()
    return counts


async def test_what_is_due_is_sent_once(autojump_clock):
    """And counted by its kind and what came of it."""
    store, sender = waiting("d_1", "d_2"), ScriptedSender()
    counts = await run_for(60, store, sender)
    assert sorted(sender.sent) == ["d_1", "d_2"]
    assert store.waiting == {}
    assert counts == {"alert_attempts webhook delivered": 2}


async def test_an_alert_is_sent_within_seconds(autojump_clock):
    """The outbox is read about every second."""
    store, sender = waiting("d_1"), ScriptedSender()
    store.waiting["d_1"] = (store.waiting["d_1"][0], Clock()())
    await run_for(IDLE_S, store, sender)
    assert sender.sent == ["d_1"]


async def test_a_failure_is_tried_again_with_the_same_id(autojump_clock):
    """At the times of the schedule, with up to a tenth and the actor's own pause more."""
    store, sender = waiting("d_1"), ScriptedSender([Attempt(Outcome.TIMEOUT), OK])
    await run_for(30, store, sender)
    assert sender.sent == ["d_1", "d_1"]
    assert [settled[2].state for settled in store.settled] == [
        DeliveryState.PENDING,
        DeliveryState.DELIVERED,
    ]


async def test_ten_failures_in_three_days_end_a_delivery(autojump_clock):
    """And disable its channel."""
    store, sender = waiting("d_1"), ScriptedSender([Attempt(Outcome.REFUSED, 500)])
    now = Clock()
    while now() < NOON + timedelta(days=4):  # each attempt, and not every second in between
        await run_for(60, store, sender, now=now)
        due = [due_at for _, due_at in store.waiting.values()] or [NOON + timedelta(days=4)]
        await trio.sleep(max(0.0, (due[0] - now()).total_seconds()))
    assert len(sender.sent) == 10
    assert store.settled[-1][2].disable is not None
    assert store.waiting == {}


async def test_a_bug_in_a_sender_fails_only_this_attempt(autojump_clock):
    """The actor goes on, and the delivery is tried again."""
    store, sender = waiting("d_1"), ScriptedSender([ZeroDivisionError(), OK])
    counts = await run_for(30, store, sender)
    assert sender.sent == ["d_1", "d_1"]
    assert counts == {
        "alert_attempts webhook refused": 1,
        "alert_attempts webhook delivered": 1,
    }


async def test_a_kind_that_is_off_fails_and_waits(autojump_clock):
    """E-mail without SMTP_URL."""
    store, sender = waiting("d_1", kind=ChannelKind.EMAIL), ScriptedSender()
    await run_for(3, store, sender, kinds=(ChannelKind.WEBHOOK,))
    assert sender.sent == []
    (settled,) = store.settled
    assert settled[1].detail == "email is off in this service"


async def test_a_cancelled_attempt_is_claimed_again_later(autojump_clock):
    """As after kill -9: nothing is stored, and the next process sends the same id."""
    store, slow, next_one = waiting("d_1"), ScriptedSender(takes_s=50), ScriptedSender()
    await run_for(10, store, slow)
    assert (slow.sent, store.settled) == (["d_1"], [])
    await run_for(CLAIM_S - 20, store, next_one)
    assert next_one.sent == []
    held, due_at = store.waiting["d_1"]
    store.waiting["d_1"] = (evolve(held, claimed_until=NOON), due_at)
    await run_for(5, store, next_one)
    assert next_one.sent == ["d_1"]


async def test_no_more_than_the_slots_are_sent_at_once(autojump_clock):
    """And nothing more is claimed: what waits is in the outbox."""
    names = [f"d_{number}" for number in range(SLOTS + 5)]
    store, sender = of_many(names), ScriptedSender(takes_s=10)
    await run_for(5, store, sender)
    assert len(sender.sent) == SLOTS
    store = of_many(names)
    await run_for(60, store, sender)
    assert sender.most == SLOTS
    assert store.waiting == {}


async def test_a_person_holds_a_quarter_of_the_slots(autojump_clock):
    """Receivers of theirs that do not answer hold up nobody else, and theirs get on, too."""
    store = waiting(*(f"d_{number}" for number in range(SLOTS + 5)))
    store.waiting |= of_many(["d_other"]).waiting
    slow = ScriptedSender(takes_s=20)
    await run_for(5, store, slow)
    assert len(slow.sent) == MOST_OF_PERSON + 1
    assert "d_other" in slow.sent
    await run_for(300, store, slow)
    assert slow.most == MOST_OF_PERSON + 1
    assert len(set(slow.sent)) == SLOTS + 6


async def test_a_few_people_with_slow_receivers_do_not_take_turns_at_all_slots(autojump_clock):
    """Others come first, also those whose alerts are due later. Theirs get on when nobody waits."""
    people = SLOTS // MOST_OF_PERSON
    made = [
        delivery(id=f"d_{one}_{number}", claimed_until=NOON, person=f"u_{one}")
        for number in range(20)
        for one in range(people)
    ]
    store = MemoryDeliveries({one.id: (one, NOON) for one in made})
    store.waiting |= of_many(["d_other"]).waiting
    slow = ScriptedSender(takes_s=20)
    await run_for(30, store, slow)
    assert "d_other" in slow.sent
    assert len(slow.sent) == 2 * SLOTS
    await run_for(300, store, slow)
    assert len(set(slow.sent)) == 20 * people + 1


async def test_a_database_that_is_away_ends_nothing(autojump_clock):
    """What is due is sent when it is back."""
    store, sender = waiting("d_1"), ScriptedSender()
    store.away = True
    counts = await run_for(10, store, sender)
    assert counts["delivery_failures"] >= 10
    store.away = False
    await run_for(10, store, sender)
    assert sender.sent == ["d_1"]
