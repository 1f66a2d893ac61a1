"""What each person has searched for today, in memory alone: from it comes which queries go together. It ends with the day.

Each process knows what it answered itself. Two queries of one person that two processes answered are not seen as a pair.
"""

from collections.abc import Sequence
from datetime import date

MOST_PEOPLE = 10_000
"""People remembered at once, in about 10 MiB; past that whoever came first is forgotten, and starts afresh with their next search."""
MOST_QUERIES = 8
"""Of each person the latest: what was searched for in one sitting. So a search makes at most as many pairs."""


class Together:
    """People's queries of one day."""

    def __init__(self) -> None:
        self._day = date.min
        self._queries: dict[str, list[str]] = {}

    def add(self, day: date, person: str, query: str) -> Sequence[str]:
        """Remember a person's search; returns the others of that day, none if this one was known or its day is over."""
        if day > self._day:
            self._day = day
            self._queries.clear()
        if day < self._day:
            return ()
        if person not in self._queries and len(self._queries) >= MOST_PEOPLE:
            del self._queries[next(iter(self._queries))]
        known = self._queries.setdefault(person, [])
        if query in known:
            return ()
        others = tuple(known)
        known.append(query)
        del known[:-MOST_QUERIES]
        return others

    def forget(self, person: str) -> None:
        """Forget a person's searches."""
        self._queries.pop(person, None)
