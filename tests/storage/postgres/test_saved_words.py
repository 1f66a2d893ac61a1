# ruff: noqa: S608 - our own constants
"""PostgreSQL checks the search of saved articles.

Its to_tsquery checks queries with groups, and its websearch_to_tsquery those that it can read.
"""

from random import Random

from newsintel.domain.personal.saved_query import parse_saved_query
from newsintel.domain.search.matching import PreparedQuery, prepare_text
from newsintel.domain.text.languages import SIMPLE
from newsintel.errors import InvalidParameterError

WORDS = ("ant", "bee", "cat", "dog")
DOCUMENTS = [
    " ".join(word for at, word in enumerate(WORDS) if number >> at & 1)
    for number in range(2 ** len(WORDS))
]
"""Every document that the four words can make."""


def quoted(text):
    """A string literal of SQL."""
    return "'" + text.replace("'", "''") + "'"


async def verdicts(fetch, function, queries):
    """The documents that each query of PostgreSQL matches, as a string of 0 and 1."""
    asked = ", ".join(f"({place}, {quoted(query)})" for place, query in enumerate(queries))
    documents = ", ".join(
        f"({number}, {quoted(document)})" for number, document in enumerate(DOCUMENTS)
    )
    holds = f"to_tsvector('simple', document) @@ {function}('simple', query)"
    statement = (
        f"SELECT place, string_agg(({holds})::int::text, '' ORDER BY number)"
        f" FROM (VALUES {asked}) AS asked (place, query),"
        f" (VALUES {documents}) AS documents (number, document)"
        " GROUP BY place ORDER BY place"
    )
    return [verdict for _, verdict in await fetch(statement)]


def ours(clauses):
    """The same string for a query of ours."""
    asked = PreparedQuery(clauses)
    return "".join(
        str(int(asked.matches([prepare_text(document, SIMPLE)], SIMPLE))) for document in DOCUMENTS
    )


def tree(random, depth=3):
    """A random query as typed, and the same query for to_tsquery."""
    if depth == 0 or random.random() < 0.3:
        word = random.choice(WORDS)
        return random.choice([word, f"“{word}”", f"({word})"]), word
    if random.random() < 0.25:
        typed, meant = tree(random, depth - 1)
        return f"{random.choice(['-', '–', 'NOT '])}({typed})", f"!({meant})"
    parts = [tree(random, depth - 1) for _ in range(random.randint(1, 3))]
    either = random.random() < 0.5
    typed = (" OR " if either else random.choice([" ", " AND "])).join(
        f"({one})" for one, _ in parts
    )
    return typed, (" | " if either else " & ").join(f"({one})" for _, one in parts)


async def test_groups_match_like_to_tsquery(fetch):
    """to_tsquery has groups too."""
    random = Random(1)
    pairs = []
    while len(pairs) < 300:
        typed, meant = tree(random)
        try:
            pairs.append((ours(parse_saved_query(typed)), meant))
        except InvalidParameterError as refusal:
            assert refusal.code in ("too_long", "too_complex")
    theirs = await verdicts(fetch, "to_tsquery", [one for _, one in pairs])
    assert [one for one, _ in pairs] == theirs
    assert len(set(theirs)) > 30


async def test_queries_match_like_websearch_to_tsquery(fetch):
    """Covers words, phrases, OR between them, - before them, and an open quote.

    A dangling OR is a word for websearch, so it is left out.
    """
    random = Random(2)
    pieces = [*WORDS, *WORDS, "-ant", "-bee", '"cat"', '-"dog"', '"ant bee"', '-"bee cat"']
    typed = []
    for _ in range(300):
        chosen = random.choices(pieces, k=random.randint(1, 6)) + random.choices(
            ["ant", '"cat dog', '-"dog'], k=1
        )
        typed.append(
            "".join(one + random.choice([" ", " ", " OR "]) for one in chosen[:-1]) + chosen[-1]
        )
    theirs = await verdicts(fetch, "websearch_to_tsquery", typed)
    assert [
        (one, verdict)
        for one, verdict in zip(typed, theirs, strict=True)
        if ours(parse_saved_query(one)) != verdict
    ] == []
    assert len(set(theirs)) > 30
