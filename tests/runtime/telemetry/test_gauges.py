"""The age of a backlog, measured by looking at channels."""

import trio

from newsintel.runtime.telemetry.gauges import QueueGauges


async def test_age_counts_from_the_last_look_at_an_empty_inbox(autojump_clock):
    """It is never less than the age of the oldest message.

    It is 0 as soon as the inbox is seen empty.
    """
    send, receive = trio.open_memory_channel(3)
    backlog = QueueGauges({"sink": receive}, dict)
    assert (backlog.read_depth(), backlog.read_capacity(), backlog.read_age_s()) == (
        {("sink",): 0},
        {("sink",): 3},
        {("sink",): 0},
    )
    await trio.sleep(10)
    send.send_nowait("late")
    await trio.sleep(5)
    assert (backlog.read_depth(), backlog.read_age_s()) == ({("sink",): 1}, {("sink",): 15})
    receive.receive_nowait()
    assert backlog.read_age_s() == {("sink",): 0}
    send.send_nowait("again")
    await trio.sleep(2)
    assert backlog.read_age_s() == {("sink",): 2}
    with send, receive:
        pass
    assert backlog.read_capacity() == {("sink",): 3}


async def test_the_spool_is_a_queue_too(autojump_clock):
    """The age of each place: what waits there has not waited for longer."""
    sizes = {("redis",): 0, ("file",): 700}
    backlog = QueueGauges({}, lambda: sizes)
    await trio.sleep(10)
    assert backlog.read_age_s() == {("spool redis",): 0, ("spool file",): 10}
    sizes = {("redis",): 500, ("file",): 0}
    await trio.sleep(5)
    assert backlog.read_age_s() == {("spool redis",): 5, ("spool file",): 0}
