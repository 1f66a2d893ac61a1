"""Collects what the sources of one flight send, and groups it as it arrives."""

from collections.abc import Sequence
from typing import Self

from attrs import define, evolve, field

from newsintel.domain.bounds.room import ByteBudget
from newsintel.domain.bounds.slices import Sliced
from newsintel.domain.ports import WallClock
from newsintel.domain.search.article import Group
from newsintel.domain.search.dedup import Grouping
from newsintel.domain.search.harvest import Harvest
from newsintel.domain.search.merging import GroupedHarvest
from newsintel.domain.search.outcome import FetchOutcome, Status
from newsintel.domain.search.popularity import SaveCounter
from newsintel.domain.search.query_model import Dedupe
from newsintel.domain.search.sizes import outcome_bytes
from newsintel.domain.tracing import NO_SPAN, trace_step
from newsintel.runtime.search.flight import Flight, SourceReported
from newsintel.runtime.turns import run_in_turns


@define(eq=False)
class Gathering:
    """What a flight's sources have sent so far, in founder order, and grouped after each outcome.

    The order of arrival does not change the result. Groups are ranked only when they are read, at
    the landing at the latest. Grouping costs as little as possible, since all flights that wait for
    a source that hangs land at the same moment, its deadline. An outcome without articles changes
    no group. One with articles is added to the groups so far if no other one with articles comes
    later in founder order.

    Owns: the memory room for what sources brought; it is given back at exit.

    Attributes:
        found: everything so far.
    """

    _flight: Flight
    _room: ByteBudget
    _saves: SaveCounter
    _now: WallClock
    _taken_bytes: int = field(init=False, default=0)
    _outcomes: dict[str, FetchOutcome] = field(init=False, factory=dict)
    _grouping: Grouping = field(init=False, factory=lambda: Grouping(Dedupe.NORMAL))
    found: GroupedHarvest = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.found = GroupedHarvest(Harvest(self._flight.query, self._now(), ()))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._room.release(self._taken_bytes)

    async def receive(self, outcome: FetchOutcome) -> None:
        """Report a source's outcome; without its articles if there is no room for them."""
        size_bytes = outcome_bytes(outcome)
        if self._room.reserve(size_bytes):
            self._taken_bytes += size_bytes
        else:
            outcome = evolve(
                outcome,
                status=Status.OVERLOADED,
                articles=(),
                detail="no memory is free for its reply",
            )
        await self.report(outcome)

    async def report(self, outcome: FetchOutcome) -> None:
        """Add one source's outcome and publish it.

        Other tasks run meanwhile, but no other report of this flight.
        """
        self._outcomes[outcome.source] = outcome
        in_order = tuple(
            self._outcomes[name] for name in self._flight.query.sources if name in self._outcomes
        )
        saves = self._saves.select(article.id for each in in_order for article in each.articles)
        harvest = Harvest(self._flight.query, self._now(), in_order, saves=saves)
        with trace_step("merge", None if outcome.articles else NO_SPAN) as span:
            span.set({"newsintel.source": outcome.source})
            groups = await run_in_turns(self._group_articles(outcome, in_order))
        self.found = GroupedHarvest(harvest, groups)
        self._flight.append(SourceReported(outcome, self.found))

    def _group_articles(
        self, outcome: FetchOutcome, in_order: Sequence[FetchOutcome]
    ) -> Sliced[tuple[Group, ...]]:
        with_articles = [each for each in in_order if each.articles]
        if not outcome.articles or with_articles[-1] is outcome:
            return self._grouping.add(outcome.articles)
        self._grouping = Grouping(Dedupe.NORMAL)
        return self._grouping.add(article for each in with_articles for article in each.articles)

    def list_missing_sources(self) -> tuple[str, ...]:
        """Return the sources of the query that have no outcome yet."""
        return tuple(name for name in self._flight.query.sources if name not in self._outcomes)
