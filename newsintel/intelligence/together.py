"""What each person has searched for today, in memory alone: from it comes which queries go together. It ends with the day.

Each process knows what it answered itself. Two queries of one person that two processes answered are not seen as a pair.
"""

from collections.abc import Sequence
from datetime import date
from sys import getsizeof

from newsintel.sized_cache import SizedCache

MAX_BYTES = 10 * 2**20
"""For the people remembered, 10,000 as a rule; past that whoever searched longest ago is forgotten, and starts with their next search."""
MOST_QUERIES = 8
"""Of each person the latest: what was searched for in one sitting. So a search makes at most as many pairs."""


class Together:
    """People's queries of one day."""

    def __init__(self) -> None:
        self._day = date.min
        self._queries: SizedCache[str, tuple[str, ...]] = SizedCache(MAX_BYTES)

    def add(self, day: date, person: str, query: str) -> Sequence[str]:
        """Remember a person's search; returns the others of that day, none if this one was known or its day is over."""
        if day > self._day:
            self._day = day
            self._queries.clear()
        if day < self._day:
            return ()
        others = self._queries.get(person) or ()
        if query in others:
            return ()
        latest = (*others, query)[-MOST_QUERIES:]
        self._queries.put(person, latest, getsizeof(person) + getsizeof(latest) + sum(map(getsizeof, latest)))
        return others

    def forget(self, person: str) -> None:
        """Forget a person's searches."""
        self._queries.pop(person)
