"""A search of one's saved articles, understood: the grammar of every search, without fields; exclusions alone will do."""

from collections.abc import Sequence

from newsintel.archive_model import Condition, Field
from newsintel.errors import InvalidParameterError
from newsintel.grammar import checked, parse
from newsintel.spelling import spelled


def build(q: str) -> tuple[tuple[Condition, ...], ...]:
    """The alternatives of which a saved article must meet one, each with all of its conditions.

    Args:
        q: as typed.

    Raises:
        InvalidParameterError: q is blank, too long, too complex, holds what nobody types, or nothing to look for.
    """
    alternatives = parse(checked(q)).alternatives
    if not alternatives:
        raise InvalidParameterError("q", "no_words", "q must hold a word to look for; leave it out to see everything.")
    return tuple(tuple(Condition(Field.ANY, one.text, one.phrase, one.excluded) for one in tokens) for tokens in alternatives)


def in_websearch(alternatives: Sequence[Sequence[Condition]]) -> str:
    """The same in the language of PostgreSQL's websearch_to_tsquery.

    It has no parentheses and needs none here: as in our grammar, words in a row are all wanted, and OR binds loosest. Every `or`
    is an operator to it, and every `"` a mark, in `צה"ל` too.
    """
    return " OR ".join(" ".join(("-" if one.negated else "") + _websearch_term(one.text) for one in each) for each in alternatives)


def _websearch_term(text: str) -> str:
    bare = spelled(text) == text and text.casefold() != "or" and '"' not in text
    return text if bare else '"{}"'.format(text.replace('"', " "))
