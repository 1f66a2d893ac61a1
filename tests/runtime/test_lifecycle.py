"""The life of the service: its phases, its health and its end."""

import gc
import subprocess
import sys

import pytest

from newsintel.domain.operations.ports import Phase, StoreHealth
from newsintel.errors import UnavailableError
from newsintel.runtime import lifecycle
from newsintel.runtime.heartbeats import Heartbeats
from newsintel.runtime.lifecycle import Lifecycle, Shutdown, configure_gc


async def well():
    """A store that answers."""


async def away():
    """A store that is unavailable."""
    raise UnavailableError


async def test_lifecycle_reports_its_phase_and_each_store():
    """The phase is the last one entered; one failing store does not affect the other."""
    lifecycle = Lifecycle(well, away, Heartbeats())
    assert lifecycle.get_phase() is Phase.STARTING
    lifecycle.enter_phase(Phase.SERVING)
    assert lifecycle.get_phase() is Phase.SERVING
    assert lifecycle.get_stores() is None
    await lifecycle.check_stores()
    assert lifecycle.get_stores() == StoreHealth(postgresql=True, redis=False)


def test_a_serving_service_ends_in_order_and_at_once_if_asked_twice():
    """The first request begins an orderly end; the second ends the service at once."""
    given_up = []
    ending = Shutdown(lambda: given_up.append("given up"), 20.0)
    ending.in_order = True
    ending.begin()
    assert ending.begun.is_set()
    assert (given_up, ending.in_order) == ([], True)
    ending.end_now()
    assert (given_up, ending.in_order) == (["given up"], False)


def test_a_service_that_does_not_serve_yet_ends_at_once():
    """It has no requests to finish."""
    given_up = []
    ending = Shutdown(lambda: given_up.append("given up"), 20.0)
    ending.begin()
    assert (given_up, ending.in_order) == (["given up"], False)


def test_the_collector_ignores_objects_from_the_start():
    """The garbage collector no longer visits objects that exist once the service has started."""
    before, callbacks, living = gc.get_threshold(), list(gc.callbacks), [[]]
    gc.unfreeze()
    try:
        configure_gc()
        assert gc.get_freeze_count() > 0
        assert not any(one is living for one in gc.get_objects())
    finally:
        gc.callbacks[:] = callbacks
        gc.set_threshold(*before)


OLD_CYCLE = """
import gc, sys, weakref
from newsintel.runtime import lifecycle

class Old:
    pass

peaks = iter([0])
lifecycle.read_peak_bytes = lambda: next(peaks, int(sys.argv[1]))
lifecycle.configure_gc()
old = Old()
old.itself = old
gone = weakref.ref(old)
living = [[] for _ in range(20_000)]  # `old` survives and is frozen
del old
living += ([] for _ in range(600_000))
print(gone() is None)
"""


@pytest.mark.parametrize(
    ("peak_bytes", "found"),
    [(lifecycle.GC_MAX_GROWTH_BYTES - 1, False), (lifecycle.GC_MAX_GROWTH_BYTES, True)],
)
def test_the_collector_finds_old_cycles_when_the_memory_has_grown(peak_bytes, found):
    """Otherwise a kind of cycle that we do not know would fill the memory."""
    command = [sys.executable, "-c", OLD_CYCLE, str(peak_bytes)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(found)


def test_the_peak_of_the_memory_is_in_bytes():
    """The unit of the system's value differs between systems."""
    grown = bytearray(32 * 2**20)
    assert len(grown) < lifecycle.read_peak_bytes() < 2**40
