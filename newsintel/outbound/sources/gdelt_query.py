"""Translates a query for GDELT's DOC API.

Its words are joined by AND. `-` excludes, quotes make phrases, and OR may only be used between
words within one pair of parentheses. Words that are too short are an error
(blog.gdeltproject.org/gdelt-doc-2-0-api-debuts, and the API's own messages).
"""

from collections.abc import Sequence

from newsintel.domain.search.query import find_common_terms, write_term
from newsintel.domain.search.query_model import Clause, Term
from newsintel.outbound.sources.gdelt_names import name_language

_SHORTEST_WORD, _SHORTEST_PHRASE = 3, 5
"""Characters. `AI` and the phrase `"AAON"` are answered with "too short"; `"f-16"`, with a sign
inside, is the API's own example of a phrase."""


def translate_query(clauses: Sequence[Clause], language: str | None) -> str | None:
    """Return the query's text; None if all of its words are too short for GDELT.

    Words that are too short are left out, and so are alternatives of nothing else. Alternatives of
    several words become one choice for each of their places: `(a AND b) OR (c AND d)` is asked as
    `(a OR c) (b OR d)`, which finds everything that was asked for, and other articles, too.

    Args:
        clauses: the clauses of a query.
        language: two letters, or None; one that GDELT does not know is not sent.
    """
    wanted = [usable for one in clauses if (usable := _select_usable(one.wanted))]
    if not wanted:
        return None
    common = find_common_terms(wanted)
    own = [[term for term in terms if term not in common] for terms in wanted]
    unwanted = _select_usable(find_common_terms([one.unwanted for one in clauses]))
    name = name_language(language) if language else None
    parts = [
        *map(write_term, common),
        *(_write_alternatives(terms) for terms in zip(*own, strict=False)),
        *("-" + write_term(term) for term in unwanted),
        *([f"sourcelang:{name}"] if name else []),
    ]
    return " ".join(parts)


def _write_alternatives(terms: Sequence[Term]) -> str:
    """Parentheses around a single word are an error."""
    words = list(dict.fromkeys(map(write_term, terms)))
    return f"({' OR '.join(words)})" if len(words) > 1 else words[0]


def _select_usable(terms: Sequence[Term]) -> tuple[Term, ...]:
    return tuple(term for term in terms if _is_usable(term.text, write_term(term)))


def _is_usable(text: str, written: str) -> bool:
    """Return whether a word is long enough. Nothing is known of other scripts: they are sent."""
    if not text.isascii() or (written != text and not text.isalnum()):
        return len(text) > 1
    return len(text) >= (_SHORTEST_WORD if written == text else _SHORTEST_PHRASE)
