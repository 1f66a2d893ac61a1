"""Parses a search of saved articles: the common grammar without fields; may only exclude."""

from newsintel.domain.search.matching import STOP_WORDS_MESSAGE, has_only_function_words
from newsintel.domain.search.query_model import Clause, Term
from newsintel.domain.text.grammar import parse_query, tidy_query
from newsintel.errors import InvalidParameterError


def parse_saved_query(q: str) -> tuple[Clause, ...]:
    """Return the alternatives, of which a saved article must match one.

    `wanted` is empty in an alternative that only excludes.

    Args:
        q: as typed.

    Raises:
        InvalidParameterError: q is blank, too long, too complex, holds control characters, has no
            word, or only stop words.
    """
    alternatives = parse_query(tidy_query(q)).alternatives
    if not alternatives:
        raise InvalidParameterError(
            "q", "no_words", "q must hold a word to look for; leave it out to see everything."
        )
    clauses = []
    for tokens in alternatives:
        wanted, unwanted = (
            tuple(Term(one.text, one.phrase) for one in tokens if one.excluded is side)
            for side in (False, True)
        )
        if not has_only_function_words(wanted):
            clauses.append(Clause(wanted, unwanted))
    if not clauses:
        raise InvalidParameterError("q", "only_stop_words", STOP_WORDS_MESSAGE)
    return tuple(clauses)
