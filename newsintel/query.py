"""What a person types, understood: one grammar for every source and the archive.

Words are joined by AND, `OR` in capitals parts alternatives and binds loosest, "…" holds a phrase, - excludes. The parser is as lenient as
PostgreSQL's websearch_to_tsquery: an unclosed quote runs to the end, a dangling OR or a lone - counts for nothing.
"""

import hashlib
import json
import re
import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime

from attrs import evolve

from newsintel.errors import InvalidParameterError
from newsintel.model import Clause, Query, Sort, Term
from newsintel.text import fold, visible

MAX_CHARS = 256
"""Code points of a query after folding (contract)."""
# Normalising shortens a text at most so much; beyond it there is no need to look.
_MAX_RAW_CHARS = 16 * MAX_CHARS

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_TOKEN = re.compile(r'(-*)"([^"]*)"?|(-*)([^\s"]+)')
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
    text = _checked(q)
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


def _checked(q: str) -> str:
    if _CONTROL.search(q):
        raise InvalidParameterError("q", "control_character", "q must not hold control characters or halves of characters.")
    if len(q) > _MAX_RAW_CHARS:
        raise _too_long()
    text = " ".join(unicodedata.normalize("NFKC", visible(q)).split())
    if not text:
        raise InvalidParameterError("q", "blank", "q must say what to look for.")
    if len(text) > MAX_CHARS:
        raise _too_long()
    return text


def _too_long() -> InvalidParameterError:
    return InvalidParameterError("q", "too_long", f"q must have at most {MAX_CHARS} characters.")


def _parse(text: str) -> tuple[Clause, ...]:
    """The alternatives of a query, without those in which nothing is left."""
    found: list[tuple[list[Term], list[Term]]] = [([], [])]
    for match in _TOKEN.finditer(text):
        minus, phrase, hyphens, word = match.groups()
        if word == "OR" and not hyphens:
            found.append(([], []))
        elif word != "AND" or hyphens:  # AND says what holds anyway
            folded = fold(phrase if word is None else word)
            # A term must hold a letter or a digit; punctuation alone finds nothing anywhere.
            if any(char.isalnum() for char in folded):
                found[-1][1 if minus or hyphens else 0].append(Term(folded, phrase=" " in folded))
    clauses = tuple(
        Clause(tuple(dict.fromkeys(wanted)), tuple(dict.fromkeys(unwanted))) for wanted, unwanted in found if wanted or unwanted
    )
    if not clauses:
        raise InvalidParameterError("q", "no_words", "q must hold a word to look for.")
    if not all(clause.wanted for clause in clauses):
        raise InvalidParameterError("q", "only_exclusions", "q must say what to look for, not only what to leave out, on each side of OR.")
    return clauses
