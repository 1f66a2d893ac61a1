"""Parses a search of saved articles: the common grammar without fields; may only exclude."""

from newsintel.domain.search.matching import ONLY_STOP_WORDS, says_nothing
from newsintel.domain.search.query_model import Clause, Term
from newsintel.domain.text.grammar import checked, parse
from newsintel.errors import InvalidParameterError


def build(q: str) -> tuple[Clause, ...]:
    """Return the alternatives, of which a saved article must match one.

    `wanted` is empty in an alternative that only excludes.

    Args:
        q: as typed.

    Raises:
        InvalidParameterError: q is blank, too long, too complex, holds control characters, has no
            word, or only stop words.
    """
    alternatives = parse(checked(q)).alternatives
    if not alternatives:
        raise InvalidParameterError("q", "no_words", "q must hold a word to look for; leave it out to see everything.")
    clauses = []
    for tokens in alternatives:
        wanted, unwanted = (tuple(Term(one.text, one.phrase) for one in tokens if one.excluded is side) for side in (False, True))
        if not says_nothing(wanted):
            clauses.append(Clause(wanted, unwanted))
    if not clauses:
        raise InvalidParameterError("q", "only_stop_words", ONLY_STOP_WORDS)
    return tuple(clauses)
