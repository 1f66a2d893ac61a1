"""The RelatedSearches port: queries that share people or articles.

Shared people are counted by pairs of queries, shared articles by the first articles of the queries'
answers. The floor applies three times: to the seed, to the pair, and to the other query.
"""

from collections.abc import Sequence
from datetime import date, timedelta

from newsintel.domain.intelligence.search_counts import OPEN_DAYS, QueryRelation
from newsintel.storage.postgres.pool import Connection, Postgres

MOST_KIN = 200
"""How many of the closest queries of each kind are read; only a few are shown."""

# $1 queries, $2 the first open day, $3 the floor. A part is the people of one day; it counts only
# if it reaches the floor by itself.
PEOPLE = """
SELECT query, sum(people)::integer AS people FROM (
    SELECT query, people FROM search_days
    WHERE query = ANY($1::text[]) AND day < $2::date AND people >= $3
    UNION ALL
    SELECT query, count(*) FROM search_marks
    WHERE query = ANY($1::text[]) AND day >= $2::date GROUP BY query, day HAVING count(*) >= $3
) AS parts GROUP BY query
"""

_PAIRS_OF = """
SELECT {seed} AS seed, {other} AS query, people FROM pair_days
WHERE {seed} = ANY($1::text[]) AND day < $2::date AND people >= $3
UNION ALL
SELECT {seed}, {other}, count(*) FROM pair_marks
WHERE {seed} = ANY($1::text[]) AND day >= $2::date
GROUP BY low, high, day HAVING count(*) >= $3
"""
TOGETHER = """
SELECT seed, query, sum(people)::integer AS people FROM ({pairs}) AS parts
GROUP BY seed, query ORDER BY people DESC, query LIMIT $4
""".format(
    pairs=" UNION ALL ".join(
        _PAIRS_OF.format(seed=seed, other=other)
        for seed, other in (("low", "high"), ("high", "low"))
    )
)

# The floor is applied before the limit. Otherwise queries below the floor could take the places of
# others.
SHARED = """
SELECT seed.query AS seed, kin.query, shared,
       cardinality(seed.articles) + cardinality(kin.articles) - shared AS either
FROM search_answers AS seed
JOIN search_answers AS kin ON kin.articles && seed.articles AND kin.query <> seed.query
CROSS JOIN LATERAL (
    SELECT count(*)::integer AS shared FROM unnest(kin.articles) AS one
    WHERE one = ANY(seed.articles)
) AS counted
WHERE seed.query = ANY($1::text[]) AND (
    EXISTS (SELECT FROM search_days WHERE query = kin.query AND day < $2::date AND people >= $3)
    OR EXISTS (
        SELECT FROM search_marks
        WHERE query = kin.query AND day >= $2::date GROUP BY day HAVING count(*) >= $3
    )
)
ORDER BY shared DESC, kin.query LIMIT $4
"""


class PostgresRelatedSearches:
    """Looks up related queries; one unit of work, safe to repeat."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def find_related(
        self, seeds: Sequence[str], today: date, floor: int, *, own: bool
    ) -> Sequence[QueryRelation]:
        return await self._postgres.run(
            _find_related, list(seeds), today - timedelta(days=OPEN_DAYS - 1), floor, own=own
        )


async def _find_related(
    connection: Connection, seeds: list[str], opened: date, floor: int, *, own: bool
) -> list[QueryRelation]:
    known = await _people(connection, seeds, opened, floor)
    asked = seeds if own else [seed for seed in seeds if seed in known]
    if not asked:
        return []
    together = {
        (row["seed"], row["query"]): row["people"]
        for row in await connection.fetch(TOGETHER, asked, opened, floor, MOST_KIN)
    }
    shared = {
        (row["seed"], row["query"]): (row["shared"], row["either"])
        for row in await connection.fetch(SHARED, asked, opened, floor, MOST_KIN)
    }
    people = await _people(
        connection, [query for _, query in {**together, **shared}], opened, floor
    )
    return [
        QueryRelation(
            seed,
            query,
            people[query],
            known.get(seed, 0),
            together.get((seed, query), 0),
            *shared.get((seed, query), (0, 0)),
        )
        for seed, query in {**together, **shared}
        if query in people
    ]


async def _people(
    connection: Connection, queries: list[str], opened: date, floor: int
) -> dict[str, int]:
    """Return the number of people for each query that has reached the floor."""
    return {
        row["query"]: row["people"]
        for row in await connection.fetch(PEOPLE, queries, opened, floor)
    }
