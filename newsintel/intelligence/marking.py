"""How people are counted without being known: each search is kept under a mark that only the same person's same search makes again.

mark = the first 16 bytes of HMAC-SHA256(a key derived from SECRET_KEYS, UTC day | query's normal form | person)

The same person and query on one day give one mark, so a person counts once. Two queries, or two days, of one person give marks that
nobody without the key can link, with each other or with anybody. A pair of queries has a mark of its own, unlike either query's.
"""

import hmac
from collections.abc import Sequence
from datetime import date
from functools import partial

from newsintel.intelligence.search_model import Beside, MarkedSearch, MarksOf
from newsintel.intelligence.together import Together
from newsintel.keys import derive
from newsintel.model import SearchRecord
from newsintel.options import Secret

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
