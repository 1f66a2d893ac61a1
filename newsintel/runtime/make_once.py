"""One makes, all wait: for work whose result everybody who asks meanwhile can share.

The work runs in the task of the first who asks, so that no task outlives the one that opened it.
"""

from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

import trio
from attrs import define, field

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


@define(eq=False)
class _Making(Generic[V]):
    """Work under way. Once it is over it has a result or an error; it has neither if its maker was cancelled."""

    over: trio.Event = field(factory=trio.Event)
    result: tuple[V] | None = None
    error: Exception | None = None


class MakeOnce(Generic[K, V]):
    """Makes a key's value once for all who ask for it at the same time. Remembers nothing afterwards.

    The first caller makes; the others wait for the same result or the same failure. If the maker is cancelled, the next of those who
    wait makes from the start. Bounded by its callers: a key is held only while one of them makes its value.

    Args:
        own_failures: what tells of the maker alone, such as a person's share of slots that is spent. It fails the maker; those who
            waited then make for themselves, at the same time, so that nobody queues behind one failure after the other.
    """

    def __init__(self, own_failures: type[Exception] | tuple[type[Exception], ...] = ()) -> None:
        self._own_failures = own_failures
        self._making: dict[K, _Making[V]] = {}

    async def make(self, key: K, make: Callable[[], Awaitable[V]]) -> V:
        """The value of a key.

        Args:
            key: those who give equal ones at the same time share the work.
            make: makes the value; it must not ask for its own key.

        Raises:
            Exception: what `make` raised, here or at the caller who made it; each caller has an exception of its own.
        """
        while (making := self._making.get(key)) is not None:
            await making.over.wait()
            if making.result is not None:
                return making.result[0]
            if isinstance(making.error, self._own_failures):
                return await make()
            if making.error is not None:
                raise _another(making.error) from making.error
        return await self._make(key, make)

    async def _make(self, key: K, make: Callable[[], Awaitable[V]]) -> V:
        making = self._making[key] = _Making[V]()
        try:
            making.result = (await make(),)
            return making.result[0]
        except Exception as error:
            making.error = error
            raise
        finally:
            del self._making[key]
            making.over.set()
            del making  # else the error would hold its own traceback in a cycle


def _another(error: Exception) -> Exception:
    """An equal exception: one that is raised collects its raiser's traceback. Not by its class's call, which may take other arguments."""
    kind = type(error)
    other = kind.__new__(kind, *error.args)
    other.__dict__.update(error.__dict__)
    return other
