"""Reads a title part by part, as parts recur: the text between two spaces is read once.

A part is read alone if neither its tokens nor what they say depends on its neighbours. Only these
do: a number before its scale or before `p.m.`, a month, the beginning of a listed phrase before its
next word, and words of a title that may not be English. Such a title is read as a whole.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from newsintel.domain.search.stories.reading import (
    FOREIGN_WORDS,
    Read,
    Style,
    read_in_style,
    read_tokens,
)
from newsintel.domain.search.stories.tokens import Kind, Token, read_tokens_of, split_title
from newsintel.domain.search.stories.vocabulary import (
    is_foreign_function_word,
    load_vocabulary,
    read_calendar,
    read_numbers,
    may_be_rubric,
)

_CACHED_PARTS = 8_192
_MAX_PART_CHARS = 20
"""Parts that are kept, and how long they may be: typically 6 MiB."""

_ENDS_IN_DIGIT = re.compile(r"\d\Z")
_ENDS_IN_DATE = re.compile(r"[年년月월]\Z")
_HALF_OF_DAY = re.compile(r"[ap]\.?m\b")
_UNIT = "5 "
"""Stands for what may follow a number: a scale, `a.m.` or `p.m.`. No stem has a space."""
_CASED, _LOWER = Style(lower=False, language="en"), Style(lower=True, language="en")
_NONE: frozenset[str] = frozenset()


class ReadTitle(NamedTuple):
    """The tokens of a title.

    Attributes:
        tokens: in order.
        read: what they say, without those that say nothing.
        may_be_rubric: it has the longest word of a rubric.
    """

    tokens: Sequence[Token]
    read: Sequence[Read]
    may_be_rubric: bool


class _Part(NamedTuple):
    """What stands between two spaces.

    Attributes:
        tokens: in order.
        read: what they say in an English title with capitals.
        begins: the first stem, and _UNIT if it may belong to a number before it.
        awaits: which of those, at the beginning of the next part, join that part to this one.
        joined: it is never read alone.
        capital: has a capital.
        foreign: how many function words of other languages it has.
        rubric: it has the longest word of a rubric.
    """

    tokens: tuple[Token, ...]
    read: tuple[Read, ...]
    begins: frozenset[str]
    awaits: frozenset[str]
    joined: bool
    capital: bool
    foreign: int
    rubric: bool


def read_title(text: str) -> ReadTitle:
    """Read a title in NFKC with single spaces."""
    tokens: list[Token] = []
    read: list[Read] = []
    awaits = _NONE
    foreign = 0
    any_capital = any_rubric = False
    parts = text.split()
    for part in parts:
        own, said, begins, awaits_next, joined, capital, more_foreign, rubric = (
            _read_part(part) if len(part) <= _MAX_PART_CHARS else _make_part(part)
        )
        if joined or (awaits and not awaits.isdisjoint(begins)):
            return _read_whole(text)
        if own:
            tokens += own
            read += said
            awaits = awaits_next
            foreign += more_foreign
            any_capital = any_capital or capital
            any_rubric = any_rubric or rubric
    if foreign >= FOREIGN_WORDS:
        return _read_whole(text)
    if not any_capital:
        read = [one for part in parts for one in _say_lower(part)]
    return ReadTitle(tokens, read, any_rubric)


def _read_whole(text: str) -> ReadTitle:
    tokens = split_title(text)
    return ReadTitle(tokens, read_tokens(tokens), may_be_rubric=True)


def _make_part(part: str) -> _Part:
    tokens = read_tokens_of(part)
    calendar = read_calendar()
    joined = capital = rubric = False
    foreign = 0
    for kind, text, _, has_capital in tokens:
        joined = joined or kind is Kind.DATE or text in calendar
        capital = capital or has_capital
        rubric = rubric or may_be_rubric(text)
        if kind is Kind.WORD:
            foreign += is_foreign_function_word(text)
    begins, awaits = _NONE, _list_awaited(tokens)
    ends_in_digit = _ENDS_IN_DIGIT.search(part)
    if tokens:
        begins = frozenset([tokens[0].stem])
        if tokens[0].text in read_numbers("scales.txt") or _HALF_OF_DAY.match(part):
            begins |= {_UNIT}
        if ends_in_digit or tokens[-1].kind is Kind.NUMBER:
            awaits |= {_UNIT}
    elif ends_in_digit:
        joined = True
    joined = joined or bool(_ENDS_IN_DATE.search(part))
    read = tuple(read_in_style(tokens, _CASED))
    return _Part(tuple(tokens), read, begins, awaits, joined, capital, foreign, rubric)


def _list_awaited(tokens: Sequence[Token]) -> frozenset[str]:
    """Return the stems that would continue a listed phrase beyond the end of these tokens."""
    phrases = load_vocabulary().phrases
    stems = [token.stem for token in tokens]
    if phrases.keys().isdisjoint(stems):
        return _NONE
    return frozenset(
        phrase[len(stems) - place]
        for place, stem in enumerate(stems)
        for phrase in phrases.get(stem, ())
        if len(phrase) > len(stems) - place and list(phrase[: len(stems) - place]) == stems[place:]
    )


_read_part = lru_cache(maxsize=_CACHED_PARTS)(_make_part)


def _say_lower(part: str) -> tuple[Read, ...]:
    """Return what a part says in an English title without capitals."""
    if len(part) > _MAX_PART_CHARS:
        return tuple(read_in_style(read_tokens_of(part), _LOWER))
    return _read_lower(part)


@lru_cache(maxsize=_CACHED_PARTS)
def _read_lower(part: str) -> tuple[Read, ...]:
    return tuple(read_in_style(read_tokens_of(part), _LOWER))
