"""A live search, understood: the query that every source is asked, in clauses, and its translation for each of them."""

import hashlib
import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime

from attrs import evolve

from newsintel.errors import InvalidParameterError
from newsintel.grammar import Token, alternatives, checked
from newsintel.model import Clause, Query, Sort, Term

_BARE = re.compile(r"[^\W_]+")
_OPERATORS = frozenset({"and", "or", "not"})


def build(
    q: str,
    *,
    sources: Sequence[str],
    start: datetime | None = None,
    end: datetime | None = None,
    language: str | None = None,
    sort: Sort = Sort.RELEVANCE,
) -> Query:
    """Understand a search.

    Args:
        q: as typed.
        sources: every source selected, in founder order.
        start: first moment wanted, aware.
        end: last moment wanted, aware.
        language: two lower-case letters.
        sort: the order to ask the sources for.

    Raises:
        InvalidParameterError: q is blank, too long, holds what nobody types, or nothing that could be looked for.
    """
    text = checked(q)
    clauses = _parse(text)
    start, end = (moment and moment.astimezone(UTC) for moment in (start, end))
    fetch = [translate(clauses), list(sources), start and start.isoformat(), end and end.isoformat(), language, sort]
    key = hashlib.sha256(json.dumps(fetch).encode()).hexdigest()[:32]
    return Query(text=text, clauses=clauses, sources=tuple(sources), start=start, end=end, language=language, sort=sort, key=key)


def translate(clauses: Sequence[Clause], *, both: str = " AND ", without: str = " NOT ", max_chars: int | None = None) -> str:
    """The query in a source's language, in which OR, quotes and parentheses mean what they mean everywhere.

    Args:
        clauses: a query's.
        both: what stands between two wanted terms.
        without: what stands before an unwanted one.
        max_chars: the source's limit, more than one term can have. Beyond it whole alternatives go, then wanted terms, the last
            first: a query with fewer of them still finds what was asked for, if not all of it or not it alone.
    """
    kept = list(clauses)
    while True:
        parts = [_clause(clause, both, without) for clause in kept]
        text = parts[0] if len(parts) == 1 else " OR ".join(f"({part})" if " " in part else part for part in parts)
        if max_chars is None or len(text) <= max_chars:
            return text
        if len(kept) > 1:
            kept.pop()
        elif len(kept[0].wanted) > 1:
            kept[0] = evolve(kept[0], wanted=kept[0].wanted[:-1])
        else:
            kept[0] = evolve(kept[0], unwanted=kept[0].unwanted[:-1])


def _clause(clause: Clause, both: str, without: str) -> str:
    return both.join(map(_term, clause.wanted)) + "".join(without + _term(term) for term in clause.unwanted)


def _term(term: Term) -> str:
    """A bare word if no source can read anything else into it, else in quotes; so `node.js` is no URL to Reddit and `and` no operator."""
    bare = _BARE.fullmatch(term.text) and term.text not in _OPERATORS
    return term.text if bare else f'"{term.text}"'


def _parse(text: str) -> tuple[Clause, ...]:
    """The alternatives of a query, without those in which nothing is left."""
    clauses = tuple(_parted(tokens) for tokens in alternatives(text) if tokens)
    if not clauses:
        raise InvalidParameterError("q", "no_words", "q must hold a word to look for.")
    if not all(clause.wanted for clause in clauses):
        raise InvalidParameterError("q", "only_exclusions", "q must say what to look for, not only what to leave out, on each side of OR.")
    return clauses


def _parted(tokens: Sequence[Token]) -> Clause:
    wanted, unwanted = ([token for token in tokens if token.excluded is side] for side in (False, True))
    return Clause(_terms(wanted), _terms(unwanted))


def _terms(tokens: Sequence[Token]) -> tuple[Term, ...]:
    return tuple(dict.fromkeys(Term(token.text, token.phrase) for token in tokens))
