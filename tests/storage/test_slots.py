"""Slots of a store: who gets one, who waits, and who is refused."""

import random

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from newsintel.errors import BusyError
from newsintel.runtime.asker import set_store_user, use_stores_urgently
from newsintel.storage.slots import Rules, Slots

FAIR = Rules(4, per_person=2, reserved=1, patience_s=0.25)


async def hold(slots, person=None, release=None, *, urgent=False, into=None, name=None):
    """Take a slot for a person and hold it until `release` is set; adds the outcome to `into`."""
    set_store_user(person)
    into = [] if into is None else into
    try:
        if urgent:
            with use_stores_urgently():
                held = await slots.take()
        else:
            held = await slots.take()
    except BusyError:
        into.append(f"{name} busy")
        return
    into.append(f"{name} in")
    await release.wait()
    slots.give_back(held)


async def test_one_person_gets_a_share_and_the_last_slot_is_for_urgent_calls(autojump_clock):
    """However many calls one person makes, others get a slot.

    The last slot stays free for identity lookups and probes.
    """
    slots, release, came = Slots("a store", FAIR), trio.Event(), []
    async with trio.open_nursery() as nursery:
        for _ in range(10):
            nursery.start_soon(lambda: hold(slots, "greedy", release, into=came, name="greedy"))
        await wait_all_tasks_blocked()
        assert (slots.held, came) == (2, ["greedy in"] * 2)
        nursery.start_soon(lambda: hold(slots, "other", release, into=came, name="other"))
        await wait_all_tasks_blocked()
        nursery.start_soon(lambda: hold(slots, None, release, into=came, name="own work"))
        await wait_all_tasks_blocked()
        assert (slots.held, came[2:]) == (3, ["other in"])
        nursery.start_soon(
            lambda: hold(slots, None, release, into=came, name="look-up", urgent=True)
        )
        await wait_all_tasks_blocked()
        assert (slots.held, came[3:]) == (4, ["look-up in"])
        await trio.sleep(0.3)
        assert sorted(came[4:]) == ["greedy busy"] * 8 + ["own work busy"]
        release.set()
    assert slots.held == 0


async def test_free_slot_goes_to_the_next_call_that_may_have_it(autojump_clock):
    """The order is that of the queue.

    A person with enough slots is skipped, and urgent calls come first.
    """
    slots, came = Slots("a store", FAIR), []
    first, rest = trio.Event(), trio.Event()
    async with trio.open_nursery() as nursery:
        for person, release in (("greedy", rest), ("greedy", rest), ("other", first)):
            nursery.start_soon(
                lambda person=person, release=release: hold(slots, person, release, name=person)
            )
            await wait_all_tasks_blocked()
        for person, urgent in (("greedy", False), ("third", False), ("fourth", False)):
            nursery.start_soon(
                lambda person=person, urgent=urgent: hold(
                    slots, person, rest, into=came, name=person, urgent=urgent
                )
            )
            await wait_all_tasks_blocked()
        assert came == []
        first.set()
        await wait_all_tasks_blocked()
        assert came == ["third in"]
        rest.set()
    assert sorted(came[1:]) == ["fourth in", "greedy in"]
    assert slots.held == 0


async def test_cancelled_wait_loses_no_slot(autojump_clock):
    """A caller that is cancelled while it waits gets no slot."""
    slots, release, came = Slots("a store", Rules(1, patience_s=10)), trio.Event(), []
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lambda: hold(slots, "first", release, into=came, name="first"))
        await wait_all_tasks_blocked()
        with trio.move_on_after(1):
            await slots.take()
        nursery.start_soon(lambda: hold(slots, "second", release, into=came, name="second"))
        await wait_all_tasks_blocked()
        release.set()
    assert (came, slots.held) == (["first in", "second in"], 0)


@pytest.mark.parametrize("leaves_first", [True, False])
async def test_a_caller_that_leaves_as_a_slot_comes_free_keeps_none(leaves_first):
    """Both happen before the caller's task runs again; a client may choose the moment."""
    slots, came = Slots("a store", Rules(1, patience_s=10)), []
    held = await slots.take()
    async with trio.open_nursery() as nursery:
        leaving, release = trio.CancelScope(), trio.Event()
        release.set()

        async def wait_and_leave():
            with leaving:
                slots.give_back(await slots.take())

        nursery.start_soon(wait_and_leave)
        await wait_all_tasks_blocked()
        nursery.start_soon(lambda: hold(slots, "second", release, into=came, name="second"))
        await wait_all_tasks_blocked()
        if leaves_first:
            leaving.cancel()
        slots.give_back(held)
        leaving.cancel()
    assert (came, slots.held) == (["second in"], 0)
    assert (await slots.take()).person is None


async def test_call_without_patience_is_busy_at_once():
    """With a patience of 0 s there is no queue."""
    slots = Slots("a store", Rules(1))
    held = await slots.take()
    with pytest.raises(BusyError, match="1 of 1"):
        await slots.take()
    slots.give_back(held)
    assert (await slots.take(), slots.held) == (held, 1)


async def test_random_visits_lose_no_slot_and_exceed_no_limit(autojump_clock):
    """Many people come, wait, time out and are cancelled at random."""
    dice, slots, most = random.Random(7), Slots("a store", FAIR), []

    async def visit():
        person, urgent = dice.choice(["a", "b", "c", None]), dice.random() < 0.1
        set_store_user(person)
        with trio.move_on_after(dice.choice([0.1, 1, 10])):
            try:
                if urgent:
                    with use_stores_urgently():
                        held = await slots.take()
                else:
                    held = await slots.take()
            except BusyError:
                return
            most.append(slots.held)
            with trio.CancelScope(shield=True):
                await trio.sleep(dice.uniform(0, 0.5))
            slots.give_back(held)

    async with trio.open_nursery() as nursery:
        for _ in range(400):
            nursery.start_soon(visit)
            await trio.sleep(dice.uniform(0, 0.1))
    assert max(most) == FAIR.total
    assert slots.held == 0
    held = await slots.take()
    assert held.person is None
