"""The service's life: phases, signs of life, its end."""

import gc

from newsintel.domain.operations.ports import Phase, Stores
from newsintel.errors import UnavailableError
from newsintel.runtime.lifecycle import Ending, Lifecycle, settle_memory


async def well():
    """A store that answers."""


async def away():
    """A store that does not."""
    raise UnavailableError


async def test_health():
    """Phases are told as entered; each store answers for itself."""
    lifecycle = Lifecycle(well, away)
    assert lifecycle.phase() is Phase.STARTING
    lifecycle.enter(Phase.SERVING)
    assert lifecycle.phase() is Phase.SERVING
    assert await lifecycle.stores() == Stores(postgresql=True, redis=False)


def test_a_service_that_serves_ends_in_order_unless_somebody_insists():
    """The first time it is asked; the second time it is given up."""
    given_up = []
    ending = Ending(lambda: given_up.append("given up"), 20.0)
    ending.in_order = True
    ending.begin()
    assert ending.begun.is_set()
    assert (given_up, ending.in_order) == ([], True)
    ending.insist()
    assert (given_up, ending.in_order) == (["given up"], False)


def test_a_service_that_does_not_serve_yet_ends_at_once():
    """There is nothing to finish."""
    given_up = []
    ending = Ending(lambda: given_up.append("given up"), 20.0)
    ending.begin()
    assert (given_up, ending.in_order) == (["given up"], False)


def test_settled_memory_is_passed_over():
    """What lives at start is no longer looked at by the collector."""
    before, callbacks, living = gc.get_threshold(), list(gc.callbacks), [[]]
    gc.unfreeze()
    try:
        settle_memory()
        assert gc.get_freeze_count() > 0
        assert not any(one is living for one in gc.get_objects())
    finally:
        gc.callbacks[:] = callbacks
        gc.set_threshold(*before)
