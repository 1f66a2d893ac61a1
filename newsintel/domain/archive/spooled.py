"""Serialises what waits for PostgreSQL: articles with their pairs, and searches of the history.

Loaded bytes are not trusted: the spool outlives versions. A later version must read the formats of
earlier ones, because articles may wait while the service is updated.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from math import isfinite
from typing import Any

import orjson
from attrs import frozen

from newsintel.domain.archive.batch import FetchedArticle
from newsintel.domain.bounds.slices import Sliced
from newsintel.domain.search.article import Pair, Rule
from newsintel.domain.search.codec import (
    article_from_row,
    article_to_row,
    check_size,
    read_envelope,
)
from newsintel.domain.search.history import SearchRecord
from newsintel.errors import PoisonedBatchError

FORMAT = 1

MAX_BYTES = 2 * 2**20
"""Maximum size of an entry. Ours have at most BATCH_BYTES of texts, which JSON may double."""


@frozen
class Spooled:
    """The contents of one entry of the spool."""

    rows: Sequence[FetchedArticle] = ()
    pairs: Sequence[Pair] = ()
    searches: Sequence[SearchRecord] = ()

    def __len__(self) -> int:
        return len(self.rows) + len(self.pairs) + len(self.searches)


def dump_spooled(spooled: Spooled) -> Sliced[bytes]:
    """Serialise an entry.

    Of a search, only the columns of the history are kept: not the person, whom the history does not
    know either.

    Raises:
        PoisonedBatchError: a value cannot be serialised, such as text with a lone surrogate, or the
            entry exceeds MAX_BYTES.
    """
    rows = []
    for article, fetched_at in spooled.rows:
        rows.append([article_to_row(article), _dump_time(fetched_at)])
        yield
    pairs = [
        [one.member_id, one.founder_id, one.rule, one.similarity]
        for one in spooled.pairs
        if isfinite(one.similarity)  # JSON has no NaN, and PostgreSQL would refuse the pair
    ]
    searches = [
        [one.query, one.key, one.results_count, _dump_time(one.searched_at), one.user_id]
        for one in spooled.searches
    ]
    try:
        data = orjson.dumps({"format": FORMAT, "rows": rows, "pairs": pairs, "searches": searches})
        check_size(data, MAX_BYTES)
    except (TypeError, ValueError) as error:
        raise PoisonedBatchError(f"not fit for the spool: {error}") from error
    return data


def load_spooled(data: bytes) -> Sliced[Spooled]:
    """Return the entry that `dump_spooled` serialised.

    Raises:
        ValueError: the bytes are not an entry in this format, or more than MAX_BYTES. The message
            quotes nothing of them.
    """
    entry = read_envelope(data, FORMAT, MAX_BYTES)
    yield
    try:
        rows = []
        for article, fetched_at in entry["rows"]:
            rows.append((article_from_row(article), _read_time(fetched_at)))
            yield
        pairs = [
            Pair(member_id, founder_id, Rule(rule), float(similarity))
            for member_id, founder_id, rule, similarity in entry["pairs"]
        ]
        return Spooled(rows, pairs, [_read_search(*row) for row in entry["searches"]])
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise ValueError(f"not an entry of the spool ({type(error).__name__})") from error


def _dump_time(moment: datetime) -> str:
    if moment.tzinfo is None:
        raise PoisonedBatchError("a time has no zone")
    return moment.isoformat()


def _read_time(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("expected an offset")
    return moment.astimezone(UTC)


def _read_search(
    query: str, key: str, results_count: int, searched_at: Any, user_id: int | None
) -> SearchRecord:
    return SearchRecord(
        query=query,
        key=key,
        results_count=results_count,
        searched_at=_read_time(searched_at),
        user_id=user_id,
        person="",
        repeat_key="",
        form=None,
        articles=(),
    )
