"""For whom the current task asks a store, so that no one person can have all of its slots.

Context of a task, as the request id in the log is: a route need not hand it down through every port. Work of our own has no person.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from attrs import frozen


@frozen
class Asker:
    """Who asks: a person (`Caller.person`) or None, and whether others depend on the answer."""

    person: str | None = None
    urgent: bool = False


NOBODY = Asker()

_ASKER: ContextVar[Asker] = ContextVar("asker", default=NOBODY)


def current_asker() -> Asker:
    """For whom this task asks now."""
    return _ASKER.get()


def ask_for(person: str | None) -> None:
    """From now on this task, and those that it starts, ask for a person, or with None for nobody."""
    _ASKER.set(Asker(person))


@contextmanager
def asking_urgently() -> Iterator[None]:
    """What is asked within goes first and has a slot of its own: who a request is from, whether the store is well."""
    token = _ASKER.set(Asker(urgent=True))
    try:
        yield
    finally:
        _ASKER.reset(token)
