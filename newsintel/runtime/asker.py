"""The person for whom the current task uses a store, so that no one person can hold all its slots.

It is part of the task's context, like the request id in the log, so routes need not pass it through
every port. The service's own work has no person.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from attrs import frozen


@frozen
class StoreUser:
    """A person (`Caller.person`) or None, and whether other requests depend on the result."""

    person: str | None = None
    urgent: bool = False


NOBODY = StoreUser()

_ASKER: ContextVar[StoreUser] = ContextVar("asker", default=NOBODY)


def current_store_user() -> StoreUser:
    """Return the asker of the current task."""
    return _ASKER.get()


def set_store_user(person: str | None) -> None:
    """Set the person for this task and the tasks that it starts from now on; None = nobody."""
    _ASKER.set(StoreUser(person))


@contextmanager
def use_stores_urgently() -> Iterator[None]:
    """Give the block's store operations priority and access to the reserved slots.

    This is for identifying callers and for checking that a store works.
    """
    token = _ASKER.set(StoreUser(urgent=True))
    try:
        yield
    finally:
        _ASKER.reset(token)
