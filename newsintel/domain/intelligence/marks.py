"""Counts people without identifying them: the same search of the same person has the same mark.

mark = the first 16 bytes of HMAC-SHA256(a key derived from SECRET_KEYS, UTC day | query's normal
form | person)

The same person and query on one day give one mark, so a person counts once. Two queries, or two
days, of one person give different marks. Without the key nobody can link them with each other or
with a person. A pair of queries has its own mark, different from that of either query.
"""

import hmac
from collections.abc import Sequence
from datetime import date
from functools import partial
from sys import getsizeof

from newsintel.config.values import Secret
from newsintel.domain.bounds.sized_cache import SizedCache
from newsintel.domain.intelligence.search_counts import MarkedSearch, MarksFinder, SameDayQuery
from newsintel.domain.search.history import SearchRecord
from newsintel.domain.security.keys import derive_key

MAX_BYTES = 10 * 2**20
"""Memory for the people of the day, usually 10,000. Beyond it the person whose last search is
oldest is removed, and starts again with their next search."""

MOST_QUERIES = 8
"""Latest queries of each person: about one sitting. A search makes at most this many pairs."""


class DailySearches:
    """The queries of each person on one day."""

    def __init__(self) -> None:
        self._day = date.min
        self._queries: SizedCache[str, tuple[str, ...]] = SizedCache(MAX_BYTES)

    def add(self, day: date, person: str, query: str) -> Sequence[str]:
        """Add a person's search and return their others of that day.

        Returns none if this search was added before or its day is over.
        """
        if day > self._day:
            self._day = day
            self._queries.clear()
        if day < self._day:
            return ()
        others = self._queries.get(person) or ()
        if query in others:
            return ()
        latest = (*others, query)[-MOST_QUERIES:]
        self._queries.put(
            person, latest, getsizeof(person) + getsizeof(latest) + sum(map(getsizeof, latest))
        )
        return others

    def forget(self, person: str) -> None:
        """Forget a person's searches."""
        self._queries.pop(person)


MARK_BYTES = 16
"""Two people's marks of one query and day are equal by chance once in 2^128."""


class SearchMarker:
    """Turns searches into marks for counting.

    Args:
        secret_keys: the first makes marks, as in every other process. The others only find the
            marks that they made before they were replaced.
    """

    def __init__(self, secret_keys: Sequence[Secret]) -> None:
        self._keys = [derive_key(key, "search marks 1") for key in secret_keys]
        self._together = DailySearches()

    def mark(self, search: SearchRecord) -> MarkedSearch | None:
        """Return what is counted of a search; None if its query is too long."""
        if search.form is None:
            return None
        day, query = search.searched_at.date(), search.form
        others = self._together.add(day, search.person, query)
        beside = tuple(
            SameDayQuery(
                other,
                self._make_newest_mark(day, search.person, other),
                self._make_newest_mark(day, search.person, *order_pair(query, other)),
            )
            for other in others
        )
        return MarkedSearch(
            query,
            search.searched_at,
            self._make_newest_mark(day, search.person, query),
            beside,
            search.articles,
            search.user_id,
        )

    def make_marks_finder(self, person: str) -> MarksFinder:
        """Return a function that finds a person's marks under all keys."""
        return partial(self._make_all_marks, person)

    def forget(self, person: str) -> None:
        """Forget a person's searches of today. The store deletes the marks."""
        self._together.forget(person)

    def _make_newest_mark(self, day: date, person: str, *queries: str) -> bytes:
        return _compute_mark(self._keys[0], day, person, queries)

    def _make_all_marks(self, person: str, day: date, *queries: str) -> tuple[bytes, ...]:
        return tuple(_compute_mark(key, day, person, queries) for key in self._keys)


def order_pair(one: str, other: str) -> tuple[str, str]:
    """Return two queries in the order in which their pair is stored: by code points."""
    return (one, other) if one < other else (other, one)


def _compute_mark(key: bytes, day: date, person: str, queries: Sequence[str]) -> bytes:
    """Compute a mark. NUL separates the members: none can contain it (`grammar.tidy_query`)."""
    return hmac.digest(key, "\0".join((day.isoformat(), *queries, person)).encode(), "sha256")[
        :MARK_BYTES
    ]
