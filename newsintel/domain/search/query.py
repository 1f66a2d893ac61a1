"""Builds the query of a live search and translates it for each source."""

import hashlib
import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime

from attrs import evolve

from newsintel.domain.search.query_model import Clause, Query, Sort, Term
from newsintel.domain.text.grammar import QueryToken, fold_case, parse_query, tidy_query
from newsintel.domain.text.languages import is_any_function_word
from newsintel.domain.text.tokens import split_words
from newsintel.errors import InvalidParameterError

ANY_QUERY = Query("", (), (), None, None, None, Sort.RELEVANCE, "")
"""Stands for the query of a reply that answers none: it excludes no article."""

_BARE = re.compile(r"[^\W_]+")
_OPERATORS = frozenset({"and", "or", "not"})
_QUOTED = str.maketrans({'"': "\N{HEBREW PUNCTUATION GERSHAYIM}", "\\": " "})


def build_query(
    q: str,
    *,
    sources: Sequence[str],
    start: datetime | None = None,
    end: datetime | None = None,
    language: str | None = None,
    sort: Sort = Sort.RELEVANCE,
) -> Query:
    """Parse a search.

    Args:
        q: as typed.
        sources: every source selected, in founder order.
        start: earliest time, inclusive, aware.
        end: latest time, inclusive, aware.
        language: two lower-case letters.
        sort: the order that the sources are asked for.

    Raises:
        InvalidParameterError: q is blank, too long, too complex, holds control characters, has no
            word, or only excludes.
    """
    text = tidy_query(q)
    clauses = _parse_clauses(text)
    start, end = (moment and moment.astimezone(UTC) for moment in (start, end))
    words = [
        [[_make_term_key(term) for term in terms] for terms in (clause.wanted, clause.unwanted)]
        for clause in clauses
    ]
    fetch = [
        words,
        list(sources),
        start and start.isoformat(),
        end and end.isoformat(),
        language,
        sort,
    ]
    key = hashlib.sha256(json.dumps(fetch).encode()).hexdigest()[:32]
    return Query(
        text=text,
        clauses=clauses,
        sources=tuple(sources),
        start=start,
        end=end,
        language=language,
        sort=sort,
        key=key,
    )


def translate_clauses(
    clauses: Sequence[Clause], *, without: str = " NOT ", max_chars: int | None = None
) -> str:
    """Translate a query for a source with the usual meaning of OR, quotes and parentheses.

    Terms that all alternatives share are written once, outside the parentheses:
    `a AND (b OR c) NOT d`.

    Args:
        clauses: the clauses of a query.
        without: the operator before an unwanted term.
        max_chars: the limit of the source, more than one term can have. To keep it, alternatives
            are dropped, then wanted terms, then unwanted ones, always the last first. The shorter
            query still finds what was asked for, but not all of it, or other articles, too.
    """
    kept = list(clauses)
    while True:
        text = _join_clauses(kept, without)
        if max_chars is None or len(text) <= max_chars:
            return text
        if len(kept) > 1:
            kept.pop()
        elif len(kept[0].wanted) > 1:
            kept[0] = evolve(kept[0], wanted=kept[0].wanted[:-1])
        else:
            kept[0] = evolve(kept[0], unwanted=kept[0].unwanted[:-1])


def _join_clauses(clauses: Sequence[Clause], without: str) -> str:
    if len(clauses) == 1:
        return _write_clause(clauses[0], without)
    wanted, unwanted = (
        find_common_terms([one.wanted for one in clauses]),
        find_common_terms([one.unwanted for one in clauses]),
    )
    if any(set(one.wanted) <= set(wanted) for one in clauses):  # else an alternative becomes empty
        wanted = ()
    own = [
        Clause(_exclude_terms(one.wanted, wanted), _exclude_terms(one.unwanted, unwanted))
        for one in clauses
    ]
    parts = [_write_clause(one, without) for one in own]
    either = " OR ".join(f"({part})" if " " in part else part for part in parts)
    if not wanted and not unwanted:
        return either
    return " AND ".join((*map(write_term, wanted), f"({either})")) + _write_excluded(
        unwanted, without
    )


def merge_alternatives(clauses: Sequence[Clause]) -> Clause:
    """Return one clause for a source without OR.

    It has the terms that all alternatives share. It then finds everything that was asked for, and
    other articles, too. If the alternatives share no wanted term, it is the first of them.
    """
    wanted = find_common_terms([one.wanted for one in clauses])
    return (
        Clause(wanted, find_common_terms([one.unwanted for one in clauses]))
        if wanted
        else clauses[0]
    )


def find_common_terms(each: Sequence[Sequence[Term]]) -> tuple[Term, ...]:
    """Return the terms that are in all lists, of which there is at least one, in their order."""
    return tuple(term for term in each[0] if all(term in terms for terms in each))


def _exclude_terms(terms: Sequence[Term], these: Sequence[Term]) -> tuple[Term, ...]:
    return tuple(term for term in terms if term not in these)


def _write_clause(clause: Clause, without: str) -> str:
    return " AND ".join(map(write_term, clause.wanted)) + _write_excluded(clause.unwanted, without)


def _write_excluded(terms: Sequence[Term], without: str) -> str:
    return "".join(without + write_term(term) for term in terms)


def write_term(term: Term) -> str:
    """Return a term bare if no source can misread it, else in quotes.

    So Reddit does not read `node.js` as a URL, nor `and` as an operator. A mark inside a Hebrew
    acronym becomes the Hebrew character. A backslash becomes a space, since it would escape the
    closing mark.
    """
    bare = not term.phrase and _BARE.fullmatch(term.text) and fold_case(term.text) not in _OPERATORS
    return term.text if bare else f'"{term.text.translate(_QUOTED)}"'


def _make_term_key(term: Term) -> list[str | bool]:
    """Return the parts of a term that change the answer, for the key.

    They are the folded text, whether it is a phrase, and capitals where they count.

    Capitals count in bare function words, which match only as names (`matching`): a search for
    `the storm` must not decide how the articles for `THE storm` rank.
    """
    text = fold_case(term.text)
    if (
        term.phrase
        or term.text == text
        or not any(is_any_function_word(token.word) for token in split_words(text))
    ):
        return [text, term.phrase]
    return [text, term.phrase, term.text.isupper()]


def _parse_clauses(text: str) -> tuple[Clause, ...]:
    clauses = tuple(_build_clause(tokens) for tokens in parse_query(text).alternatives)
    if not clauses:
        raise InvalidParameterError("q", "no_words", "q must hold a word to look for.")
    if not all(clause.wanted for clause in clauses):
        raise InvalidParameterError(
            "q",
            "only_exclusions",
            "q must say what to look for, not only what to leave out, on each side of OR.",
        )
    return clauses


def _build_clause(tokens: Sequence[QueryToken]) -> Clause:
    wanted, unwanted = (
        tuple(Term(token.text, token.phrase) for token in tokens if token.excluded is side)
        for side in (False, True)
    )
    return Clause(wanted, unwanted)
