"""The orders of archive results and the places in them: a page begins after the last article of the one before, not at a count.

So what is archived while somebody turns pages neither repeats an article nor hides one.

Relevance ranks the newest CANDIDATES matches (READ_CANDIDATES with a phrase or `title:`), or all if there are fewer: by ts_rank, ties by
newest. What is older follows, newest first. The first page fixes between which articles the ranked ones lie; a later page ranks what is
there by then, and since an article's rank depends on nothing but the article, each keeps its place.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from attrs import frozen

from newsintel.domain.paging import Position

CANDIDATES = 500
"""Matches that are ranked. Ranking a common word's every match takes 0.4 s at a million articles, this many 5 ms (docs/decisions/0010)."""

READ_CANDIDATES = 50
"""With a phrase or `title:` instead: the index does not know where in an article a word stands, so for one match five or ten are read."""

Row = Any
"""An asyncpg.Record with the columns ROWS, and rank where there is one; not a Mapping to asyncpg's annotations."""

ROWS = "id, public_id, published_at"
NEWEST = "published_at DESC, public_id"
OLDEST = "published_at, public_id DESC"
"""The same backwards, so one index serves both."""


INEXACT = 0.5
"""What a match is worth of which a word differs from the one typed in its marks: `Café` for `cafe`. Less than any in the same field."""


def rank_sql(words: str, exact: str) -> str:
    """How near an article is to the words wanted.

    A word in the title counts 1, in the description 0.4, in the content 0.2 (PostgreSQL's weights); 1 = divided by the logarithm of the
    length, or long texts would win by being long.

    Args:
        words: a tsquery in SQL.
        exact: a tsquery in SQL that holds where the words are spelt as typed.
    """
    return f"ts_rank(search, {words}, 1) * CASE WHEN search @@ {exact} THEN 1 ELSE {INEXACT} END"


@frozen
class Place:
    """An article's place by time."""

    at: datetime
    public_id: str

    @classmethod
    def of(cls, row: Row) -> "Place":
        """The place of a row that has ROWS."""
        return cls(row["published_at"], row["public_id"])

    @classmethod
    def read(cls, keys: Sequence[Any]) -> "Place":
        """The place that `keys` gave."""
        return cls(datetime.fromisoformat(keys[0]), keys[1])

    @property
    def keys(self) -> tuple[str, str]:
        """As JSON values."""
        return (self.at.isoformat(), self.public_id)

    @property
    def order(self) -> tuple[float, str]:
        """Sorts places, the newest first. Microseconds since 1970 are exact in a float."""
        return (-self.at.timestamp(), self.public_id)


def past_sql(number: int, *, oldest: bool) -> str:
    """A condition on what lies past a place; its time and id are the parameters `number` and the next. The first half is for the index."""
    at, public_id = f"${number}::timestamptz", f"${number + 1}::text"
    if oldest:
        return f"published_at >= {at} AND (published_at > {at} OR public_id < {public_id})"
    return f"published_at <= {at} AND (published_at < {at} OR public_id > {public_id})"


@frozen
class Ranked:
    """A place among the ranked matches.

    Attributes:
        rank: of the last article shown.
        last: where that one is by time.
        top: time of the newest match when the first page was made.
        floor: the last match that is ranked; None = there is none older.
    """

    rank: float
    last: Place
    top: datetime
    floor: Place | None

    @property
    def position(self) -> Position:
        """As a position."""
        return Position(("ranked", self.rank, *self.last.keys, self.top.isoformat(), *(self.floor.keys if self.floor else ())))

    @classmethod
    def read(cls, position: Position | None) -> "Ranked | None":
        """The place that a position names, None if it is not among the ranked."""
        if position is None or position.keys[0] != "ranked":
            return None
        _, rank, at, public_id, top, *floor = position.keys
        return cls(float(rank), Place.read((at, public_id)), datetime.fromisoformat(str(top)), Place.read(floor) if floor else None)


def best_first(rows: Iterable[Row], after: Ranked | None) -> list[Row]:
    """Rows by rank, then time; those past a place if there is one, and within the bounds that it carries."""
    kept = sorted(rows, key=_by_rank)
    if after is None:
        return kept
    last = (-after.rank, *after.last.order)
    floor = after.floor.order if after.floor else None
    return [row for row in kept if _by_rank(row) > last and (floor is None or Place.of(row).order <= floor)]


def _by_rank(row: Row) -> tuple[float, float, str]:
    return (-row["rank"], -row["published_at"].timestamp(), row["public_id"])  # as Place.order, without 500 places
