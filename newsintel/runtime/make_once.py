"""Shares one computation between concurrent callers: the first computes, the others wait.

The work runs in the task of the first caller, so no task outlives the one that opened it.
"""

from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

import trio
from attrs import define, field

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


@define(eq=False)
class _Making(Generic[V]):
    """Work in progress. At its end it has a result or an error, or neither if it was cancelled."""

    ended: trio.Event = field(factory=trio.Event)
    result: tuple[V] | None = None
    error: Exception | None = None


class MakeOnce(Generic[K, V]):
    """Makes a key's value once for all concurrent callers, and does not keep it.

    The first caller makes the value; the others wait for the same result or the same failure. If
    the maker is cancelled, the next waiter starts again. It holds a key only while a caller makes
    its value, so the callers bound its size.

    Args:
        own_failures: errors that concern only the maker, for example because a person's share of
            slots is used up. Such an error fails only the maker. Each waiter then makes the value
            itself, all at the same time, so that no waiter queues behind several failures.
    """

    def __init__(self, own_failures: type[Exception] | tuple[type[Exception], ...] = ()) -> None:
        self._own_failures = own_failures
        self._making: dict[K, _Making[V]] = {}

    async def make(self, key: K, make: Callable[[], Awaitable[V]]) -> V:
        """Return the value of a key.

        Args:
            key: concurrent callers with equal keys share the work.
            make: makes the value; it must not ask for its own key.

        Raises:
            Exception: what `make` raised, for this caller or for the one that made the value; each
                caller gets its own exception.
        """
        while (making := self._making.get(key)) is not None:
            await making.ended.wait()
            if making.result is not None:
                return making.result[0]
            if isinstance(making.error, self._own_failures):
                return await make()
            if making.error is not None:
                raise _copy_exception(making.error) from making.error
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
            making.ended.set()
            del making  # otherwise the error and its traceback would form a reference cycle


def _copy_exception(error: Exception) -> Exception:
    """Return a copy of an exception, since a raised exception collects its raiser's traceback.

    It does not call the class, whose constructor may take other arguments.
    """
    kind = type(error)
    other = kind.__new__(kind, *error.args)
    other.__dict__.update(error.__dict__)
    return other
