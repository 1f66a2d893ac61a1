"""Parses what a person typed: one grammar for every source, the archive and saved articles.

docs/archive.md explains it. Words are joined by AND. OR separates alternatives and binds loosest, -
or NOT excludes, and parentheses group. The result always has one form, alternatives of words:
groups are resolved here, and no later code needs to know about them. The parser is lenient: an open
quotation or group ends with the text, and an operator without a word beside it is ignored.
"""

import re
import unicodedata
from collections.abc import Collection
from itertools import product
from typing import Literal

from attrs import define, field, frozen

from newsintel.domain.text.clean import limit_marks, remove_invisible
from newsintel.domain.text.languages import is_any_function_word
from newsintel.domain.text.spelling import Lexeme, LexemeKind, split_lexemes
from newsintel.domain.text.tokens import split_words
from newsintel.errors import InvalidParameterError

MAX_CHARS = 256
"""Maximum code points of a query in NFKC (contract)."""
# Longer texts are refused unread. The first limit counts what is typed, with spaces and invisible
# characters. The second counts what is then normalised, which makes one character of at most four.
_MAX_RAW_CHARS, _MAX_TIDY_CHARS = 16 * MAX_CHARS, 4 * MAX_CHARS
_FORMS: tuple[Literal["NFC"], Literal["NFKC"]] = ("NFC", "NFKC")

MAX_ALTERNATIVES, MAX_TOKENS = 64, 128
"""Maximum of a query once its groups are expanded. 256 characters without groups hold no more
(`a OR b`: 52; `a b`: 128), so such queries are never refused, and a group costs later code no more
than the same query written out."""

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


@frozen
class QueryToken:
    """A word or phrase as typed, unquoted.

    Attributes:
        field: the name before its colon, or None.
        excluded: the token must not occur.
        phrase: several words that must occur in a row, or a function word in quotes, which counts:
            "it".
    """

    text: str
    field: str | None = None
    excluded: bool = False
    phrase: bool = False


@frozen
class ParsedQuery:
    """A query's meaning.

    Attributes:
        alternatives: at least one must match with all of its tokens. None is empty.
        bounds: tokens of the fields that were named as bounds. They belong to no alternative.
    """

    alternatives: tuple[tuple[QueryToken, ...], ...]
    bounds: tuple[QueryToken, ...]


def tidy_query(raw: str, name: str = "q") -> str:
    """Return the text of a parameter in NFC, trimmed, spaces folded, without invisible characters.

    A text that is longer than MAX_CHARS in NFC but not in NFKC is returned in NFKC. So no result
    has more than MAX_CHARS.

    Args:
        raw: as typed.
        name: of the parameter, for the error message.

    Raises:
        InvalidParameterError: it is blank, too long, or holds control characters or surrogates.
    """
    if _CONTROL.search(raw):
        raise InvalidParameterError(
            name,
            "control_character",
            f"{name} must not hold control characters or halves of characters.",
        )
    if len(raw) > _MAX_RAW_CHARS:
        raise _too_long_error(name)
    tidy = " ".join(limit_marks(remove_invisible(raw)).split())
    if not tidy:
        raise InvalidParameterError(name, "blank", f"{name} must say what to look for.")
    if len(tidy) > _MAX_TIDY_CHARS:
        raise _too_long_error(name)
    text, compatible = (" ".join(unicodedata.normalize(form, tidy).split()) for form in _FORMS)
    if len(compatible) > MAX_CHARS:
        raise _too_long_error(name)
    return text if len(text) <= MAX_CHARS else compatible


def fold_case(text: str) -> str:
    """Return the form in which queries are compared: caseless NFKC (Unicode's toNFKC_Casefold)."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def parse_query(
    text: str, fields: Collection[str] = (), bounds: Collection[str] = ()
) -> ParsedQuery:
    """Parse a query. Repeated tokens of an alternative and repeated alternatives are dropped.

    Args:
        text: from `tidy_query`.
        fields: the names that may precede a colon, in any case. Every other colon is part of its
            word.
        bounds: the fields whose tokens are collected separately, wherever they occur.

    Raises:
        InvalidParameterError: the expanded groups exceed MAX_ALTERNATIVES or MAX_TOKENS.
    """
    aside: list[QueryToken] = []
    groups = [_Group()]
    negated = False
    for lexeme in split_lexemes(text, fields):
        group = groups[-1]
        if lexeme.kind is LexemeKind.NOT:
            negated = not negated
        elif lexeme.kind is LexemeKind.OPEN:
            groups.append(
                _Group(group.negated ^ negated ^ lexeme.excluded, lexeme.field or group.within)
            )
        elif lexeme.kind is LexemeKind.WORD:
            token = group.make_token(lexeme, negated=negated)
            if token.field in bounds:
                aside.append(token)
            elif any(
                split_words(token.text)
            ):  # punctuation and symbols alone find nothing anywhere
                group.add({_make_key(token): token})
        elif lexeme.kind is LexemeKind.OR:
            group.end_alternative()
        elif lexeme.kind is LexemeKind.CLOSE and len(groups) > 1:
            groups.pop().close_into(groups[-1])
        negated = negated if lexeme.kind in (LexemeKind.NOT, LexemeKind.AND) else False
    while len(groups) > 1:
        groups.pop().close_into(groups[-1])
    groups[0].end_alternative()
    return ParsedQuery(tuple(tuple(found.values()) for found in groups[0].finished), tuple(aside))


_Key = tuple[str | None, str, bool, bool]
_Alternative = dict[_Key, QueryToken]


@define
class _Group:
    """The content of a pair of parentheses, or the whole query, as alternatives.

    Negation is carried inwards (De Morgan): within a negated group each token is excluded, and OR
    and AND are swapped. `within` is the field before the group. `finished` and `current` are ()
    until something is added to them.
    """

    negated: bool = False
    within: str | None = None
    finished: tuple[_Alternative, ...] = field(default=(), init=False)
    current: tuple[_Alternative, ...] = field(default=(), init=False)

    def make_token(self, lexeme: Lexeme, *, negated: bool) -> QueryToken:
        return QueryToken(
            lexeme.text,
            lexeme.field or self.within,
            lexeme.excluded ^ negated ^ self.negated,
            _is_phrase(lexeme),
        )

    def add(self, *part: _Alternative) -> None:
        self.current = _combine_alternatives(self.current, part, either=self.negated)

    def end_alternative(self) -> None:
        self.finished = _combine_alternatives(self.finished, self.current, either=not self.negated)
        self.current = ()

    def close_into(self, outer: "_Group") -> None:
        """Add the alternatives to the enclosing group, if there are any."""
        self.end_alternative()
        outer.add(*self.finished)


def _combine_alternatives(
    left: tuple[_Alternative, ...], right: tuple[_Alternative, ...], *, either: bool
) -> tuple[_Alternative, ...]:
    """Combine the alternatives of two parts: with `either` one part must match, else both."""
    if not left or not right:
        return left or right
    if not either and len(left) * len(right) > MAX_ALTERNATIVES:
        raise _too_complex_error()
    found: dict[frozenset[_Key], _Alternative] = {}
    for one in (
        (*left, *right)
        if either
        else ({**first, **second, **first} for first, second in product(left, right))
    ):
        found.setdefault(frozenset(one), one)
    if len(found) > MAX_ALTERNATIVES or sum(map(len, found.values())) > MAX_TOKENS:
        raise _too_complex_error()
    return tuple(found.values())


def _make_key(token: QueryToken) -> _Key:
    return token.field, fold_case(token.text), token.excluded, token.phrase


def _is_phrase(lexeme: Lexeme) -> bool:
    return " " in lexeme.text or (
        lexeme.quoted
        and any(is_any_function_word(token.word) for token in split_words(lexeme.text))
    )


def _too_long_error(name: str) -> InvalidParameterError:
    return InvalidParameterError(
        name, "too_long", f"{name} must have at most {MAX_CHARS} characters."
    )


def _too_complex_error() -> InvalidParameterError:
    most = f"{MAX_ALTERNATIVES} alternatives and {MAX_TOKENS} words"
    return InvalidParameterError(
        "q", "too_complex", f"q must have at most {most} once its parentheses are multiplied out."
    )
