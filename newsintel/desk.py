"""The desk: where routes and commands ask. An object in its caller's task, not an actor."""

from contextlib import suppress
from datetime import timedelta

import trio

from newsintel.errors import OverloadedError, UnavailableError
from newsintel.flight import Flight, landing
from newsintel.freshness import Freshness, Windows
from newsintel.l1 import AnswerCache
from newsintel.model import Answer, ArchivedArticle, Query, Reply, Via
from newsintel.ports import Archive, WallClock


class Desk:
    """Answers from memory, else puts the question on a flight; one key never has two flights in this process.

    Between looking a key up and entering its flight nothing awaits.

    Owns: nothing that needs closing. `to_merger` is the composition root's; its capacity is `max_flights`, so that a flight for which
    there is a place always fits.

    Args:
        max_flights: flights in the air at once; past that a new one is refused, joining never.
        search_deadline_s: seconds from joining to landing.
    """

    def __init__(
        self,
        to_merger: trio.MemorySendChannel[Flight],
        archive: Archive,
        *,
        windows: Windows,
        max_flights: int,
        search_deadline_s: float,
        now: WallClock,
    ) -> None:
        self._to_merger = to_merger
        self._archive = archive
        self._windows = windows
        self._max_flights = max_flights
        self._search_deadline_s = search_deadline_s
        self._now = now
        self._answers = AnswerCache()
        self._flights: dict[str, Flight] = {}

    async def search(self, query: Query) -> Reply:
        """Answer a query: from memory, from a flight in the air, or from a new one.

        Raises:
            OverloadedError: a new flight was needed and every place is taken.
            FlightBugError: a bug ended the flight.
        """
        if reply := self._from_memory(query):
            return reply
        collapsed = query.key in self._flights
        landed = await landing(self.join(query))
        if not landed.asked:
            return Reply(landed.answer, Via.HIT)
        return Reply(landed.answer, Via.COLLAPSED if collapsed else Via.MISS)

    def join(self, query: Query) -> Flight:
        """The flight of a query, started if none is in the air.

        Raises:
            OverloadedError: none was in the air and every place is taken.
        """
        if flight := self._flights.get(query.key):
            return flight
        if len(self._flights) >= self._max_flights:
            raise OverloadedError(f"{self._max_flights} searches are in the air")
        kept = self._answers.get(query.key)
        flight = Flight(
            query,
            trio.current_time() + self._search_deadline_s,
            known=kept.answer if kept else None,
            on_end=self._land,
        )
        self._to_merger.send_nowait(flight)
        self._flights[query.key] = flight
        return flight

    async def article(self, article_id: str) -> ArchivedArticle | None:
        """One article by its public id: from the archive, which knows most of it, else from recent answers.

        Raises:
            UnavailableError: the archive did not answer and no recent answer has the article.
        """
        try:
            return await self._archive.article(article_id) or self._answers.article(article_id)
        except UnavailableError:
            if recent := self._answers.article(article_id):
                return recent
            raise

    @property
    def flights(self) -> int:
        """Flights in the air."""
        return len(self._flights)

    def _from_memory(self, query: Query) -> Reply | None:
        kept = self._answers.get(query.key)
        if kept is None:
            return None
        now = self._now()
        freshness = self._windows.judge(kept.answer.harvest, now)
        if freshness is Freshness.FRESH:
            return Reply(kept.answer, Via.HIT)
        if freshness is not Freshness.REVALIDATE:
            return None
        if kept.quiet_until is None or now >= kept.quiet_until:
            # With every place taken, renewing can wait: a search that nothing in memory answers needs the place more.
            with suppress(OverloadedError):
                self.join(query)
        return Reply(kept.answer, Via.REVALIDATED)

    def _land(self, flight: Flight, answer: Answer | None) -> None:
        """End a flight: remember its answer unless that would put less in the place of more."""
        del self._flights[flight.query.key]
        if answer is None or not answer.harvest.cacheable or answer.refused:
            return
        kept = self._answers.get(flight.query.key)
        if kept and self._windows.outranks(kept.answer.harvest, answer.harvest, self._now()):
            kept.quiet_until = self._now() + timedelta(seconds=self._windows.partial_s)
        else:
            self._answers.put(answer)
