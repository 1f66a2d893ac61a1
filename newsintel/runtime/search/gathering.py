"""What the sources of one flight have sent, grouped as it comes."""

from collections.abc import Sequence
from typing import Self

from attrs import define, evolve, field

from newsintel.domain.bounds.room import Room
from newsintel.domain.bounds.slices import Sliced
from newsintel.domain.ports import WallClock
from newsintel.domain.search.article import Group
from newsintel.domain.search.dedup import Grouping
from newsintel.domain.search.harvest import Harvest
from newsintel.domain.search.merging import Grouped
from newsintel.domain.search.outcome import FetchOutcome, Status
from newsintel.domain.search.popularity import Saves
from newsintel.domain.search.query_model import Dedupe
from newsintel.domain.search.sizes import outcome_bytes
from newsintel.runtime.search.flight import Flight, SourceReported
from newsintel.runtime.turns import in_turns


@define(eq=False)
class Gathering:
    """What a flight's sources have sent so far, in founder order and grouped after each: arrival order leaves no trace.

    Groups are ranked when somebody reads them, at the landing at the latest. An outcome without articles changes no group: at the deadline
    of a source that hangs, every flight that waits for it lands in the same instant. What comes last in founder order is put to the groups
    that are there.

    Owns: the room in memory for what sources brought, given back at its exit.

    Attributes:
        found: everything so far.
    """

    _flight: Flight
    _room: Room
    _saves: Saves
    _now: WallClock
    _taken_bytes: int = field(init=False, default=0)
    _outcomes: dict[str, FetchOutcome] = field(init=False, factory=dict)
    _grouping: Grouping = field(init=False, factory=lambda: Grouping(Dedupe.NORMAL))
    found: Grouped = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.found = Grouped(Harvest(self._flight.query, self._now(), ()))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._room.give_back(self._taken_bytes)

    async def receive(self, outcome: FetchOutcome) -> None:
        """Report what a source just brought; without its articles if there is no room for them."""
        size_bytes = outcome_bytes(outcome)
        if self._room.take(size_bytes):
            self._taken_bytes += size_bytes
        else:
            outcome = evolve(outcome, status=Status.OVERLOADED, articles=(), detail="no room in memory for what it brought")
        await self.report(outcome)

    async def report(self, outcome: FetchOutcome) -> None:
        """Take one source's outcome and publish it. Others run meanwhile, but no other report of this flight."""
        self._outcomes[outcome.source] = outcome
        in_order = tuple(self._outcomes[name] for name in self._flight.query.sources if name in self._outcomes)
        saves = self._saves.of(article.id for each in in_order for article in each.articles)
        harvest = Harvest(self._flight.query, self._now(), in_order, saves=saves)
        self.found = Grouped(harvest, await in_turns(self._grouped(outcome, in_order)))
        self._flight.append(SourceReported(outcome, self.found))

    def _grouped(self, outcome: FetchOutcome, in_order: Sequence[FetchOutcome]) -> Sliced[tuple[Group, ...]]:
        if not outcome.articles or in_order[-1] is outcome:
            return self._grouping.add(outcome.articles)
        self._grouping = Grouping(Dedupe.NORMAL)
        return self._grouping.add(article for each in in_order for article in each.articles)

    def missing(self) -> tuple[str, ...]:
        """Asked minus answered."""
        return tuple(name for name in self._flight.query.sources if name not in self._outcomes)
