"""Counts the newest matches of a search by source and by publisher."""

from collections import Counter
from collections.abc import Sequence
from itertools import islice
from typing import Any

from newsintel.domain.archive.model import ArchiveQuery, Facets
from newsintel.domain.bounds.slices import Sliced
from newsintel.storage.loop_turns import run_in_loop_turns
from newsintel.storage.postgres.archive.orders import NEWEST
from newsintel.storage.postgres.archive.prepared_condition import prepare_condition
from newsintel.storage.postgres.archive.unit_time import limit_time
from newsintel.storage.postgres.archive.walk import TimeRange, walk_until, window_sql
from newsintel.storage.postgres.pool import Connection

FACET_ROWS = 10_000
"""Number of matches that facets count. For a common word at a million articles, reading them takes
20 ms (docs/decisions/0010).
"""
FACET_ROWS_A_SLICE = 500
"""Rows that one slice counts or sorts: about 1 ms."""
FACET_VALUES = 20
"""Most values of each facet (contract)."""
COUNTED, BY_FACET = "source, publisher, count(*) AS number", "GROUP BY source, publisher"
NEWEST_FACETS = f"""
WITH found AS MATERIALIZED (
    SELECT source, publisher FROM articles
    WHERE {{condition}} ORDER BY {NEWEST} LIMIT {FACET_ROWS + 1}
),
newest AS (SELECT * FROM found LIMIT {FACET_ROWS})
SELECT {COUNTED}, (SELECT count(*) FROM found) > {FACET_ROWS} AS more FROM newest {BY_FACET}
"""
"""`more` is true if there are older matches, which are not counted."""


@limit_time
async def count_facets(connection: Connection, query: ArchiveQuery) -> Facets:
    """Count the matches of a search; of a broad one the newest FACET_ROWS.

    Raises:
        ArchiveTimeoutError: it took longer than UNIT_S.
    """
    condition = await prepare_condition(connection, query)
    if condition.narrow:
        sql = window_sql(
            condition.sql,
            len(condition.values),
            "source, publisher",
            f"SELECT {COUNTED} FROM found {BY_FACET}",
        )
        rows, ended = await walk_until(
            connection,
            sql,
            condition.values,
            TimeRange(query.start, query.end),
            FACET_ROWS,
            weigh=_sum_numbers,
        )
    else:
        rows = await connection.fetch(
            NEWEST_FACETS.format(condition=condition.sql), *condition.values
        )
        ended = not any(row["more"] for row in rows)
    return await run_in_loop_turns(_count_in_slices(rows, ended=ended))


def _sum_numbers(rows: Sequence[Any]) -> int:
    return sum(row["number"] for row in rows)


def _count_in_slices(rows: Sequence[Any], *, ended: bool) -> Sliced[Facets]:
    """Count facets in slices, since there may be as many publishers as matches.

    Args:
        rows: each the number of matches of a source and a publisher.
        ended: whether all matches are in `rows`.
    """
    sources, publishers = Counter[str](), Counter[str]()
    for turn, row in enumerate(rows, 1):
        sources[row["source"]] += row["number"]
        publishers[row["publisher"]] += row["number"]
        if turn % FACET_ROWS_A_SLICE == 0:
            yield
    return Facets(
        (yield from _find_most_common(sources)),
        (yield from _find_most_common(publishers)),
        None if ended else sources.total(),
    )


def _find_most_common(counts: Counter[str]) -> Sliced[tuple[tuple[str, int], ...]]:
    best: list[tuple[str, int]] = []
    left = iter(counts.items())
    while some := list(islice(left, FACET_ROWS_A_SLICE)):
        best = sorted(best + some, key=lambda one: (-one[1], one[0]))[:FACET_VALUES]
        yield
    return tuple(best)
