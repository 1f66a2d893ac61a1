"""A person's query as a condition in SQL. What the person wrote travels as parameters; the SQL text holds only their numbers."""

from collections.abc import Callable, Sequence
from functools import partial

from newsintel.model import Clause, Query, Term

MATCHES = """
SELECT {columns} FROM articles
WHERE search @@ ({tsquery})
  AND source = ANY({sources})
  AND ({language}::text IS NULL OR language IS NULL OR language = {language})
  AND ({start}::timestamptz IS NULL OR published_at >= {start})
  AND ({end}::timestamptz IS NULL OR published_at <= {end})
ORDER BY published_at DESC, public_id
LIMIT {limit}
"""


def matches_sql(query: Query, limit: int, columns: str) -> tuple[str, list[object]]:
    """The statement that finds a query's newest matches, and its parameters.

    A known other language is left out, an unknown one is kept, as in a live search. A clause whose wanted words are all stop words
    matches nothing: left to itself, `the -cat` would match everything without a cat.
    """
    values: list[object] = []
    bind = partial(_bind, values)
    sql = MATCHES.format(
        columns=columns,
        tsquery=" || ".join(_clause(clause, bind) for clause in query.clauses),
        sources=bind(list(query.sources)),
        language=bind(query.language),
        start=bind(query.start),
        end=bind(query.end),
        limit=bind(limit),
    )
    return sql, values


def _bind(values: list[object], value: object) -> str:
    values.append(value)
    return f"${len(values)}"


def _clause(clause: Clause, bind: Callable[[object], str]) -> str:
    wanted = _terms(clause.wanted, " && ", bind)
    if not clause.unwanted:
        return f"({wanted})"
    return f"(CASE WHEN numnode({wanted}) = 0 THEN ''::tsquery ELSE {wanted} && !!({_terms(clause.unwanted, ' || ', bind)}) END)"


def _terms(terms: Sequence[Term], joint: str, bind: Callable[[object], str]) -> str:
    return "(" + joint.join(f"{'phraseto' if term.phrase else 'plainto'}_tsquery('english', {bind(term.text)})" for term in terms) + ")"
