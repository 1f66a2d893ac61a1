"""What a person types, taken apart: one grammar for every source and the archive, which adds `field:word` to it.

Words are joined by AND, `OR` in capitals parts alternatives and binds loosest, "…" holds a phrase, - excludes. The parser is as lenient as
PostgreSQL's websearch_to_tsquery: an unclosed quote runs to the end, a dangling OR or a lone - counts for nothing.
"""

import re
import unicodedata
from functools import cache
from typing import Literal

from attrs import frozen

from newsintel.errors import InvalidParameterError
from newsintel.text import fold, visible

MAX_CHARS = 256
"""Code points of a query after folding (contract)."""
# Normalising shortens a text at most so much; beyond it there is no need to look.
_MAX_RAW_CHARS = 16 * MAX_CHARS

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


@frozen
class Token:
    """A word or phrase as typed, folded and unquoted.

    Attributes:
        field: the name before its colon, or None.
        excluded: it stood after a -.
    """

    text: str
    field: str | None = None
    excluded: bool = False

    @property
    def phrase(self) -> bool:
        """True of several words, which are meant in a row."""
        return " " in self.text


def checked(raw: str, name: str = "q", form: Literal["NFC", "NFKC"] = "NFKC") -> str:
    """A parameter's text made tidy: normalised, trimmed, spaces folded, without what nobody sees.

    Args:
        raw: as typed.
        name: the parameter's, for the refusal.
        form: NFKC for words to look for, NFC for a name that must stay as it is written.

    Raises:
        InvalidParameterError: it is blank, too long, or holds what nobody types.
    """
    if _CONTROL.search(raw):
        raise InvalidParameterError(name, "control_character", f"{name} must not hold control characters or halves of characters.")
    if len(raw) > _MAX_RAW_CHARS:
        raise _too_long(name)
    text = " ".join(unicodedata.normalize(form, visible(raw)).split())
    if not text:
        raise InvalidParameterError(name, "blank", f"{name} must say what to look for.")
    if len(text) > MAX_CHARS:
        raise _too_long(name)
    return text


def alternatives(text: str, fields: tuple[str, ...] = ()) -> list[list[Token]]:
    """The tokens of each alternative, in order; an alternative may be empty.

    Args:
        text: from `checked`.
        fields: the names that count before a colon, in any case; every other colon is part of its word.
    """
    found: list[list[Token]] = [[]]
    for match in _pattern(fields).finditer(text):
        minus, field, phrase, word = match.groups()
        bare = not minus and field is None
        if word == "OR" and bare:
            found.append([])
        elif word != "AND" or not bare:  # AND says what holds anyway
            folded = fold(phrase if word is None else word)
            # A token must hold a letter or a digit; punctuation alone finds nothing anywhere.
            if any(char.isalnum() for char in folded):
                found[-1].append(Token(folded, field and field.lower(), excluded=bool(minus)))
    return found


@cache
def _pattern(fields: tuple[str, ...]) -> re.Pattern[str]:
    """A hyphen, a field, then a phrase or a word; without fields that group never takes part."""
    names = "|".join(fields) or "(?!)"
    return re.compile(rf'(-*)(?:((?i:{names})):(?=[^\s]))?(?:"([^"]*)"?|([^\s"]+))')


def _too_long(name: str) -> InvalidParameterError:
    return InvalidParameterError(name, "too_long", f"{name} must have at most {MAX_CHARS} characters.")
