"""Reads a title part by part, as parts recur: the text between two spaces is read once.

A part is read alone if neither its tokens nor what they say depends on its neighbours. Only these
do: a number with its scale or `p.m.`, a month, the beginning of a listed phrase before its next
word, and words of a title that may not be English. Such a title is read as a whole.
"""

import re
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from functools import lru_cache
from typing import NamedTuple

from newsintel.domain.search.stories.reading import (
    FOREIGN_WORDS,
    Read,
    Style,
    read_in_style,
    read_title_tokens,
)
from newsintel.domain.search.stories.tokens import (
    Kind,
    Token,
    join_tokens,
    read_tokens,
    split_title,
)
from newsintel.domain.search.stories.vocabulary import (
    is_foreign_function_word,
    load_vocabulary,
    may_be_rubric,
    read_calendar,
    read_numbers,
)

_CACHED_PARTS = 16_384
_MAX_PART_CHARS = 20
"""Parts that are kept, those of a day of headlines, and how long they may be: typically 12 MiB."""

_ENDS_OF_DATES = "年년月월"
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
        first: the first stem; "" if there is no token.
        unit: it may belong to a number before it.
        awaits: the first stems, and _UNIT, that join the next part to this one.
        joined: it is never read alone.
        capital: has a capital.
        foreign: how many function words of other languages it has.
        rubric: it has the longest word of a rubric.
    """

    tokens: Sequence[Token]
    read: Sequence[Read]
    first: str
    unit: bool
    awaits: AbstractSet[str]
    joined: bool
    capital: bool
    foreign: int
    rubric: bool


def read_title(text: str) -> ReadTitle:
    """Read a title in NFKC with single spaces."""
    parts = text.split()
    tokens: list[Token] = []
    said: list[Read] = []
    awaited: AbstractSet[str] = _NONE
    foreign = 0
    any_capital = any_rubric = False
    for part in parts:
        own, read, first, unit, awaits, joined, capital, more_foreign, rubric = (
            _read_part(part) if len(part) <= _MAX_PART_CHARS else _make_part(part)
        )
        if joined or (awaited and (first in awaited or (unit and _UNIT in awaited))):
            return _read_whole(text)
        if own:
            tokens += own
            said += read
            awaited = awaits
            foreign += more_foreign
            any_capital = any_capital or capital
            any_rubric = any_rubric or rubric
    if foreign >= FOREIGN_WORDS:
        return _read_whole(text)
    if not any_capital:
        said = [read for part in parts for read in _look_up_lower(part)]
    return ReadTitle(tokens, said, any_rubric)


def _read_whole(text: str) -> ReadTitle:
    tokens = split_title(text)
    return ReadTitle(tokens, read_title_tokens(tokens), may_be_rubric=True)


def _make_part(part: str) -> _Part:
    tokens = read_tokens(part)
    calendar = read_calendar()
    joined = capital = rubric = False
    foreign = 0
    for kind, text, _, has_capital in tokens:
        joined = joined or text in calendar
        capital = capital or has_capital
        rubric = rubric or may_be_rubric(text)
        if kind is Kind.WORD:
            foreign += is_foreign_function_word(text)
    awaits: AbstractSet[str] = _list_awaited(tokens)
    ends_in_digit = part[-1].isdecimal()
    if ends_in_digit or (tokens and tokens[-1].kind is Kind.NUMBER):
        awaits = {*awaits, _UNIT}
    joined = (
        joined
        or part[-1] in _ENDS_OF_DATES
        or (ends_in_digit and not tokens)
        or (len(tokens) > 1 and join_tokens(tokens) != tokens)
    )
    first, unit = "", False
    if tokens:
        first = tokens[0].stem
        unit = tokens[0].text in read_numbers("scales.txt") or bool(_HALF_OF_DAY.match(part))
    read = read_in_style(tokens, _CASED)
    return _Part(tuple(tokens), tuple(read), first, unit, awaits, joined, capital, foreign, rubric)


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


def _look_up_lower(part: str) -> Sequence[Read]:
    """Return what a part says in an English title without capitals."""
    if len(part) > _MAX_PART_CHARS:
        return read_in_style(read_tokens(part), _LOWER)
    return _read_lower(part)


@lru_cache(maxsize=_CACHED_PARTS)
def _read_lower(part: str) -> Sequence[Read]:
    return tuple(read_in_style(_read_part(part).tokens, _LOWER))
