"""The orders of archive results, and positions in them.

A page begins after the last article of the page before, not at an offset. So articles that are
archived between two pages neither repeat an article nor hide one.

Relevance ranks the newest CANDIDATES matches (READ_CANDIDATES with a phrase or `title:`), or all if
there are fewer: by ts_rank, ties newest first. Older matches follow, newest first. The first page
fixes the time range of the ranked matches. A later page ranks all matches that are in this range by
then. The rank of an article depends only on the article, so each article keeps its place.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from attrs import frozen

from newsintel.domain.paging import Position

CANDIDATES = 500
"""Number of matches that are ranked. At a million articles, ranking all matches of a common word
takes 0.4 s, ranking this many takes 5 ms (docs/decisions/0010).
"""

READ_CANDIDATES = 50
"""CANDIDATES for a query with a phrase or `title:`. The index does not hold the positions of words,
so PostgreSQL reads five or ten articles for one match.
"""

MatchRow = Any
"""An asyncpg.Record with the columns ROWS, and `rank` if ranked. asyncpg's annotations do not call
it a Mapping.
"""

ROWS = "id, public_id, published_at"
NEWEST = "published_at DESC, public_id"
OLDEST = "published_at, public_id DESC"
"""NEWEST backwards, so one index serves both."""


INEXACT = 0.5
"""Factor on the rank of a match whose words differ from the typed ones in diacritics: `Café` for
`cafe`. It ranks below every exact match in the same field.
"""


def rank_sql(words: str, exact: str) -> str:
    """Return the SQL of an article's relevance to the wanted words.

    A word in the title counts 1, in the description 0.4, in the content 0.2 (PostgreSQL's weights).
    The flag 1 divides by the logarithm of the length: without it long texts would win because they
    are long.

    Args:
        words: a tsquery in SQL.
        exact: a tsquery in SQL that matches if the words are spelt as typed.
    """
    return f"ts_rank(search, {words}, 1) * CASE WHEN search @@ {exact} THEN 1 ELSE {INEXACT} END"


@frozen
class Place:
    """An article's place by time."""

    at: datetime
    public_id: str

    @classmethod
    def of(cls, row: MatchRow) -> "Place":
        """Return the place of a row with ROWS."""
        return cls(row["published_at"], row["public_id"])

    @classmethod
    def from_keys(cls, keys: Sequence[Any]) -> "Place":
        """Read a place from its `keys`."""
        return cls(datetime.fromisoformat(keys[0]), keys[1])

    @property
    def keys(self) -> tuple[str, str]:
        """The place as JSON values."""
        return (self.at.isoformat(), self.public_id)

    @property
    def sort_key(self) -> tuple[float, str]:
        """The sort key, newest first. Microseconds since 1970 are exact in a float."""
        return (-self.at.timestamp(), self.public_id)


def build_after_place_sql(number: int, *, oldest: bool) -> str:
    """Return a condition that matches articles after a place.

    The place's time and id are the parameters `number` and `number + 1`. The first half of the
    condition is for the index.
    """
    at, public_id = f"${number}::timestamptz", f"${number + 1}::text"
    if oldest:
        return f"published_at >= {at} AND (published_at > {at} OR public_id < {public_id})"
    return f"published_at <= {at} AND (published_at < {at} OR public_id > {public_id})"


@frozen
class RankedPlace:
    """A place among the ranked matches.

    Attributes:
        rank: the rank of the last article shown.
        last: the place of that article by time.
        top: the time of the newest match when the first page was made.
        floor: the place of the oldest ranked match; None if all matches are ranked.
    """

    rank: float
    last: Place
    top: datetime
    floor: Place | None

    @property
    def position(self) -> Position:
        """The place as a position."""
        floor = self.floor.keys if self.floor else ()
        return Position(("ranked", self.rank, *self.last.keys, self.top.isoformat(), *floor))

    @classmethod
    def from_position(cls, position: Position | None) -> "RankedPlace | None":
        """Read the place from a position; None if it is not among the ranked matches."""
        if position is None or position.keys[0] != "ranked":
            return None
        _, rank, at, public_id, top, *floor = position.keys
        return cls(
            float(rank),
            Place.from_keys((at, public_id)),
            datetime.fromisoformat(str(top)),
            Place.from_keys(floor) if floor else None,
        )


def sort_best_first(rows: Iterable[MatchRow], after: RankedPlace | None) -> list[MatchRow]:
    """Sort rows by rank, then time; with `after`, keep those after it and not below its `floor`."""
    kept = sorted(rows, key=_rank_key)
    if after is None:
        return kept
    last = (-after.rank, *after.last.sort_key)
    floor = after.floor.sort_key if after.floor else None
    return [
        row
        for row in kept
        if _rank_key(row) > last and (floor is None or Place.of(row).sort_key <= floor)
    ]


def _rank_key(row: MatchRow) -> tuple[float, float, str]:
    # It repeats Place.sort_key, because 500 Place objects would cost too much.
    return (-row["rank"], -row["published_at"].timestamp(), row["public_id"])  # as Place.sort_key
