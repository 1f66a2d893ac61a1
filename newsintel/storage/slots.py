"""The slots of a store: they limit how many operations run at once, in all and per person.

The queue for a slot has no bound of its own. Only requests and actors wait in it: their numbers are
bounded where they start, and each leaves the queue after `patience_s`.
"""

from collections import Counter

import trio
from attrs import field, frozen

from newsintel.errors import BusyError
from newsintel.runtime.asker import StoreUser, current_store_user


@frozen
class Rules:
    """How slots are given out.

    Attributes:
        total: number of slots.
        per_person: how many of them one person may hold; None is no limit.
        reserved: how many of them are reserved for urgent operations.
        patience_s: seconds that an operation waits for a slot at most.
    """

    total: int
    per_person: int | None = None
    reserved: int = 0
    patience_s: float = 0.0


@frozen(eq=False)
class _Waiting:
    """An operation that waits for a slot."""

    asker: StoreUser
    granted: trio.Event = field(factory=trio.Event)


class Slots:
    """Gives out slots: urgent operations first, then first come, first served.

    An operation whose person already holds `per_person` slots is skipped.
    """

    def __init__(self, name: str, rules: Rules) -> None:
        self._name = name
        self._rules = rules
        self._held: Counter[str | None] = Counter()
        self._line: list[_Waiting] = []

    @property
    def held(self) -> int:
        """Number of slots in use."""
        return self._held.total()

    async def take(self) -> StoreUser:
        """Take a slot for the person that this task works for (`current_store_user`).

        Returns:
            What `give_back` needs: call it exactly once.

        Raises:
            BusyError: no slot became free in time.
        """
        asker = current_store_user()
        if self._can_take(asker):
            self._held[asker.person] += 1
            return asker
        waiting = _Waiting(asker)
        if self._rules.patience_s:
            self._line.append(waiting)
            try:
                with trio.move_on_after(self._rules.patience_s):
                    await waiting.granted.wait()
            except trio.Cancelled:
                if waiting.granted.is_set():  # in the same step in which the caller left
                    self.give_back(asker)
                raise
            finally:
                if not waiting.granted.is_set():
                    self._line.remove(waiting)
        if not waiting.granted.is_set():
            raise BusyError(
                f"no slot for {self._name} is free: {self.held} of {self._rules.total} are in use"
            )
        return asker

    def give_back(self, asker: StoreUser) -> None:
        """Give a slot back: it goes to the next operation in the queue that may have one."""
        self._held[asker.person] -= 1
        self._held += Counter()  # removes persons who hold no slot
        for waiting in sorted(self._line, key=lambda one: not one.asker.urgent):
            if self.held >= self._rules.total:
                break
            if self._can_take(waiting.asker):
                self._held[waiting.asker.person] += 1
                self._line.remove(waiting)
                waiting.granted.set()

    def _can_take(self, asker: StoreUser) -> bool:
        if asker.urgent:
            return self.held < self._rules.total
        alone = (
            asker.person is None
            or self._rules.per_person is None
            or self._held[asker.person] < self._rules.per_person
        )
        return alone and self.held < self._rules.total - self._rules.reserved
