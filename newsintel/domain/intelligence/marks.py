"""How people are counted without being known: each search is kept under a mark that only the same person's same search makes again.

mark = the first 16 bytes of HMAC-SHA256(a key derived from SECRET_KEYS, UTC day | query's normal form | person)

The same person and query on one day give one mark, so a person counts once. Two queries, or two days, of one person give marks that
nobody without the key can link, with each other or with anybody. A pair of queries has a mark of its own, unlike either query's.
"""

import hmac
from collections.abc import Sequence
from datetime import date
from functools import partial
from sys import getsizeof

from newsintel.config.values import Secret
from newsintel.domain.bounds.sized_cache import SizedCache
from newsintel.domain.intelligence.search_counts import Beside, MarkedSearch, MarksOf
from newsintel.domain.search.history import SearchRecord
from newsintel.domain.security.keys import derive

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


MARK_BYTES = 16
"""Two people's marks of one query and day are alike by chance once in 2^128."""


class Marking:
    """Turns searches into what is counted of them.

    Args:
        secret_keys: the first makes marks, as in every other process; the others find what they made before they were replaced.
    """

    def __init__(self, secret_keys: Sequence[Secret]) -> None:
        self._keys = [derive(key, "search marks 1") for key in secret_keys]
        self._together = Together()

    def mark(self, search: SearchRecord) -> MarkedSearch | None:
        """What is counted of a search; None of one whose query is too long."""
        if search.form is None:
            return None
        day, query = search.searched_at.date(), search.form
        others = self._together.add(day, search.person, query)
        beside = tuple(
            Beside(other, self._first(day, search.person, other), self._first(day, search.person, *pair(query, other))) for other in others
        )
        return MarkedSearch(query, search.searched_at, self._first(day, search.person, query), beside, search.articles, search.user_id)

    def marks_of(self, person: str) -> MarksOf:
        """Finds a person's marks again, under whichever of the keys."""
        return partial(self._all, person)

    def forget(self, person: str) -> None:
        """Forget what a person has searched for today; the marks are the store's to forget."""
        self._together.forget(person)

    def _first(self, day: date, person: str, *queries: str) -> bytes:
        return _mark(self._keys[0], day, person, queries)

    def _all(self, person: str, day: date, *queries: str) -> tuple[bytes, ...]:
        return tuple(_mark(key, day, person, queries) for key in self._keys)


def pair(one: str, other: str) -> tuple[str, str]:
    """Two queries in the order in which their pair is kept: that of their code points."""
    return (one, other) if one < other else (other, one)


def _mark(key: bytes, day: date, person: str, queries: Sequence[str]) -> bytes:
    """NUL parts the members: none of them can hold it (`grammar.checked`)."""
    return hmac.digest(key, "\0".join((day.isoformat(), *queries, person)).encode(), "sha256")[:MARK_BYTES]
