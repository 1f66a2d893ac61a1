"""Signals in commands: an exception outside the loop, a cancel on it."""

import os
import signal

import pytest
import trio

from newsintel.runtime import command_loop, stopping
from newsintel.runtime.stopping import SIGNALS, Stopped, handle_signals, raise_on_signal


@pytest.fixture(autouse=True)
def limits(monkeypatch):
    """Collect the time limits for the process's end instead of applying them."""
    found = []
    monkeypatch.setattr(stopping, "end_within", found.append)
    before = [signal.getsignal(number) for number in SIGNALS]
    yield found
    stopping.clear_limit()
    assert [signal.getsignal(number) for number in SIGNALS] == before


def send(number):
    """Send this process a signal."""
    os.kill(os.getpid(), number)


@pytest.mark.parametrize("number", SIGNALS)
def test_on_the_loop_a_signal_is_a_cancel(limits, number):
    """The cancel arrives at the next checkpoint.

    Further signals do not disturb cleanup behind a shield.
    """
    done = []

    async def command():
        try:
            send(number)
            done.append("went on")
            await trio.sleep_forever()
        finally:
            with trio.CancelScope(shield=True):
                for _ in range(3):
                    send(number)
                    await trio.lowlevel.checkpoint()
                done.append("cleaned up")

    with pytest.raises(Stopped) as stopped:
        command_loop.run(command)
    assert stopped.value.exit_code == 128 + number
    assert done == ["went on", "cleaned up"]
    assert limits == [stopping.END_S]


def test_a_result_that_is_ready_is_returned():
    """A signal that arrives when no work is left changes nothing."""

    async def command(value):
        send(signal.SIGTERM)
        return value

    assert command_loop.run(command, 5) == 5


def test_a_signal_before_the_loop_is_kept():
    """It arrives before the loop runs and takes effect at the loop's first checkpoint."""

    async def command():
        await trio.sleep_forever()

    with handle_signals(lambda: None):
        send(signal.SIGHUP)
        with pytest.raises(Stopped) as stopped:
            command_loop.run(command)
    assert stopped.value.exit_code == 129


def test_an_exception_ends_a_blocking_call_on_the_loop():
    """The signal arrives during the call, or just before it, when the loop has not seen it yet."""

    async def command(*, before):
        if before:
            send(signal.SIGTERM)
        with raise_on_signal():
            send(signal.SIGINT)
            raise AssertionError("it went on")

    for before, code in ((False, 130), (True, 143)):
        with pytest.raises(Stopped) as stopped:
            command_loop.run(lambda before=before: command(before=before))
        assert stopped.value.exit_code == code
        stopping.clear_limit()


def test_only_the_first_signal_raises():
    """A second exception could stop the cleanup after the first."""

    def stopped():
        try:
            send(signal.SIGTERM)
        finally:
            send(signal.SIGTERM)
            send(signal.SIGINT)

    with pytest.raises(Stopped), raise_on_signal():
        stopped()


async def test_a_service_learns_of_the_first_and_of_each_further_signal(limits):
    """The callbacks run on its loop; its time limit counts from the first signal."""
    told = []
    with command_loop.call_on_signals(
        lambda: told.append("first"), lambda: told.append("again"), end_s=7
    ):
        for number in SIGNALS:
            send(number)
        await trio.sleep(0.01)
    assert told == ["first", "again", "again"]
    assert limits == [7]


def test_an_ignored_signal_stays_ignored():
    """`nohup` needs this."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with raise_on_signal():
            send(signal.SIGHUP)
            assert stopping.first_signal() is None
    finally:
        signal.signal(signal.SIGHUP, before)
