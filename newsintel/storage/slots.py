"""The slots of a store: how many operations may run at once, how many of them for one person, and who waits for the next.

The line has no bound of its own: those in it are requests and actors, which are bounded where they begin, and each leaves it after
`patience_s`.
"""

from collections import Counter

import trio
from attrs import field, frozen

from newsintel.errors import BusyError
from newsintel.runtime.asker import Asker, current_asker


@frozen
class Rules:
    """How slots are given out.

    Attributes:
        most: slots in all.
        each: of these, one person may hold.
        kept: of these, only urgent operations get.
        patience_s: an operation waits for a slot no longer than this.
    """

    most: int
    each: int | None = None
    kept: int = 0
    patience_s: float = 0.0


@frozen(eq=False)
class _Waiting:
    """An operation without a slot yet."""

    asker: Asker
    granted: trio.Event = field(factory=trio.Event)


class Slots:
    """Gives out slots, in the order in which they were asked for among those who may have one; urgent operations go first."""

    def __init__(self, name: str, rules: Rules) -> None:
        self._name = name
        self._rules = rules
        self._held: Counter[str | None] = Counter()
        self._line: list[_Waiting] = []

    @property
    def held(self) -> int:
        """Slots that are given out now."""
        return self._held.total()

    async def take(self) -> Asker:
        """Take a slot for the person that this task asks for; give it back once, with what this returns.

        Raises:
            BusyError: none became free in time.
        """
        asker = current_asker()
        if self._may(asker):
            self._held[asker.person] += 1
            return asker
        waiting = _Waiting(asker)
        if self._rules.patience_s:
            self._line.append(waiting)
            try:
                with trio.move_on_after(self._rules.patience_s):
                    await waiting.granted.wait()
            finally:
                if not waiting.granted.is_set():
                    self._line.remove(waiting)
        if not waiting.granted.is_set():
            raise BusyError(f"no place for {self._name} is free: {self.held} of {self._rules.most} are taken")
        return asker

    def give_back(self, asker: Asker) -> None:
        """Give a slot back; the next in line who may have it has it."""
        self._held[asker.person] -= 1
        self._held += Counter()  # forgets those who hold none
        for waiting in sorted(self._line, key=lambda one: not one.asker.urgent):
            if self.held >= self._rules.most:
                break
            if self._may(waiting.asker):
                self._held[waiting.asker.person] += 1
                self._line.remove(waiting)
                waiting.granted.set()

    def _may(self, asker: Asker) -> bool:
        if asker.urgent:
            return self.held < self._rules.most
        alone = asker.person is None or self._rules.each is None or self._held[asker.person] < self._rules.each
        return alone and self.held < self._rules.most - self._rules.kept
