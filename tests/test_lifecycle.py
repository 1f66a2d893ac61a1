"""The service's life: phases, signs of life, signals."""

import faulthandler
import gc
import os
import signal

import pytest
import trio

from newsintel.errors import UnavailableError
from newsintel.lifecycle import Lifecycle, heed_signals, settle_memory
from newsintel.ports import Phase, Stores


async def well():
    """A store that answers."""


async def away():
    """A store that does not."""
    raise UnavailableError


async def test_health():
    """Phases are told as entered; each store answers for itself."""
    lifecycle = Lifecycle(well, away)
    assert lifecycle.alive()
    assert lifecycle.phase() is Phase.STARTING
    lifecycle.enter(Phase.SERVING)
    assert lifecycle.phase() is Phase.SERVING
    assert await lifecycle.stores() == Stores(postgresql=True, redis=False)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_first_signal_ends_in_order_and_second_gives_up(monkeypatch, number):
    """The first signal asks for an orderly end and sets the watchdog; the second stops waiting for it."""
    watchdog = []
    monkeypatch.setattr(faulthandler, "dump_traceback_later", lambda after_s, **how: watchdog.append((after_s, how)))
    shutdown, gave_up = trio.Event(), trio.Event()
    with trio.fail_after(300):
        async with trio.open_nursery() as nursery:
            await nursery.start(heed_signals, shutdown, gave_up.set, 20.0)
            os.kill(os.getpid(), number)
            await shutdown.wait()
            assert not gave_up.is_set()
            assert watchdog == [(25.0, {"exit": True})]
            os.kill(os.getpid(), number)
            await gave_up.wait()
            nursery.cancel_scope.cancel()


def test_settled_memory_is_passed_over():
    """What lives at start is no longer looked at by the collector."""
    before = gc.get_threshold()
    try:
        settle_memory()
        assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)
