"""Verifies candidates by the archive's own condition, so that alerts and archive cannot disagree.

`conditions` writes the SQL of a query with numbered parameters. Here the same SQL takes them from a
row instead, so one statement verifies many queries: searches with the same SQL differ only in their
rows.
"""

import json
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from attrs import frozen

from newsintel.domain.alerts.watched import build_watched, read_watched
from newsintel.domain.bounds.batch_size import BatchSize
from newsintel.domain.bounds.chunks import cut_into_chunks
from newsintel.domain.bounds.sized_cache import SizedCache
from newsintel.domain.bounds.slices import Sliced
from newsintel.errors import InvalidParameterError
from newsintel.runtime.telemetry.logs import get_logger
from newsintel.storage.loop_turns import run_in_loop_turns
from newsintel.storage.postgres.alerts.candidates import Candidate
from newsintel.storage.postgres.archive.conditions import build_condition
from newsintel.storage.postgres.archive.prepared_condition import list_languages
from newsintel.storage.postgres.pool import Connection

log = get_logger(__name__)

VERIFIED_AT_ONCE = 1_000
"""Most candidates of one statement: about 50 ms."""

CONDITIONS_BYTES = 32 * 2**20
"""Size of the cache of conditions: those of about 30,000 queries."""

_PARAMETER = re.compile(r"\$(\d+)::(text\[\]|text|timestamptz)")

_READERS = {
    "text": "(asked ->> {place})",
    "text[]": "ARRAY(SELECT jsonb_array_elements_text(asked -> {place}))",
    "timestamptz": "(asked ->> {place})::timestamptz",
}

VERIFY = """
SELECT pair.number FROM unnest($1::integer[], $2::bigint[], $3::integer[])
    AS pair (number, article_id, query_number)
JOIN unnest($4::integer[], $5::integer[], $6::jsonb[]) AS held (query_number, shape, asked)
    USING (query_number)
JOIN articles ON articles.id = pair.article_id
WHERE CASE held.shape {cases} END
"""


@frozen
class RowCondition:
    """A query's condition, whose parameters are in the JSON array `asked` of a row."""

    sql: str
    asked: str


class Verifier:
    """Verifies candidates, and remembers the conditions of their queries."""

    def __init__(self) -> None:
        self._languages: tuple[str, ...] = ()
        self._conditions: SizedCache[str, tuple[RowCondition | None]] = SizedCache(CONDITIONS_BYTES)

    async def verify(
        self, connection: Connection, candidates: Sequence[Candidate], size: BatchSize
    ) -> list[Candidate]:
        """Return the candidates that match; `size` is that of each statement."""
        languages = await list_languages(connection) if candidates else self._languages
        if languages != self._languages:
            self._conditions.clear()
            self._languages = languages
        matching: list[Candidate] = []
        for some in cut_into_chunks(candidates, size.cut(VERIFIED_AT_ONCE)):
            conditions = await run_in_loop_turns(self._list_conditions(some))
            matching += await _verify(connection, some, conditions)
        return matching

    def _list_conditions(
        self, candidates: Iterable[Candidate]
    ) -> Sliced[dict[str, RowCondition | None]]:
        """Return the condition of each query; None if it cannot match."""
        found: dict[str, RowCondition | None] = {}
        for query in {candidate.query: None for candidate in candidates}:
            cached = self._conditions.get(query)
            if cached is None:
                cached = ((yield from _build_row_condition(query, self._languages)),)
                held = cached[0].asked + cached[0].sql if cached[0] else ""
                self._conditions.put(query, cached, 2 * len(query + held))
            found[query] = cached[0]
        return found


def _build_row_condition(query: str, languages: Sequence[str]) -> Sliced[RowCondition | None]:
    """Return the condition of a query; None if the archive would refuse it."""
    try:
        asked = build_watched(read_watched(json.loads(query)))
        condition = yield from build_condition(asked, languages)
    except InvalidParameterError as error:
        log.warning("saved_search_refused", code=error.code)
        return None
    sql = _PARAMETER.sub(_read_from_row, condition.sql)
    return RowCondition(sql, json.dumps(condition.values, default=datetime.isoformat))


def _read_from_row(parameter: re.Match[str]) -> str:
    return _READERS[parameter[2]].format(place=int(parameter[1]) - 1)


async def _verify(
    connection: Connection,
    candidates: Sequence[Candidate],
    conditions: dict[str, RowCondition | None],
) -> list[Candidate]:
    """Return those of some candidates that match, by one statement."""
    used = {query: one for query, one in conditions.items() if one is not None}
    shapes = {sql: place for place, sql in enumerate(sorted({one.sql for one in used.values()}))}
    numbers = {query: number for number, query in enumerate(used)}
    pairs = [
        (number, one.article, numbers[one.query])
        for number, one in enumerate(candidates)
        if one.query in used
    ]
    if not pairs:
        return []
    cases = " ".join(f"WHEN {place} THEN ({sql})" for sql, place in shapes.items())
    rows: list[Any] = await connection.fetch(
        VERIFY.format(cases=cases),
        *map(list, zip(*pairs, strict=True)),
        list(numbers.values()),
        [shapes[one.sql] for one in used.values()],
        [one.asked for one in used.values()],
    )
    return [candidates[row["number"]] for row in rows]
