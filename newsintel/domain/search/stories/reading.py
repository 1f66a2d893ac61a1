"""Finds what each token of a title says: its class, its place, what contradicts others."""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from newsintel.domain.search.stories.tokens import Kind, Token
from newsintel.domain.search.stories.vocabulary import (
    CACHED_WORDS,
    NUMBER,
    PAIR,
    YEAR,
    Meaning,
    Side,
    Thing,
    find_meaning,
    is_foreign_function_word,
    is_stop_word,
    load_vocabulary,
)
from newsintel.domain.text.languages import detect_by_words

FOREIGN_WORDS = 2
"""From so many function words of other languages on, a title may not be English."""
_WORD = Kind.WORD
"""A name of its own: to look up a member of an enumeration is slow, and each token needs it."""
_NUMBERS = {Kind.NUMBER: NUMBER, Kind.YEAR: YEAR}


class Step(NamedTuple):
    """A class at its place in the title.

    Attributes:
        name: the class.
        word: as it is written, folded.
        capital: written with a capital.
        named: it may be the name of a person or a thing: capitalised and in no list.
    """

    name: str
    word: str
    capital: bool
    named: bool


class Read(NamedTuple):
    """What a token says, as part of a title: its step, if it has a class, and what contradicts."""

    step: Step | None
    weight: float
    place: str
    sides: tuple[Side, ...]
    things: tuple[Thing, ...] = ()


class Style(NamedTuple):
    """How a title is written.

    Attributes:
        lower: without any capital, so a place has none either.
        language: whose function words are dropped.
    """

    lower: bool
    language: str


def read_title_tokens(tokens: Sequence[Token]) -> list[Read]:
    """Read each token of a title; a phrase of the lists counts as one word."""
    lower = True not in [token.capital for token in tokens]
    return read_in_style(tokens, Style(lower, _detect_language(tokens)))


def read_in_style(tokens: Sequence[Token], style: Style) -> list[Read]:
    """Read each token of a title that is written in a style."""
    phrases = load_vocabulary().phrases
    read = []
    after = 0
    for place, token in enumerate(tokens):
        if place < after:
            continue
        longer = phrases.get(token.stem)
        one = None
        if longer and token.kind is _WORD:
            one, after = _read_longest(tokens, place, longer, style)
        if one is None:
            one = _read_token(token, style)
        if one is not None:
            read.append(one)
    return read


def _read_longest(
    tokens: Sequence[Token], place: int, phrases: Sequence[tuple[str, ...]], style: Style
) -> tuple[Read | None, int]:
    """Return what the first phrase that is here says, None if nothing, and where it ends."""
    for phrase in phrases:
        end = place + len(phrase)
        if tuple([token.stem for token in tokens[place:end]]) == phrase:
            one = _read_phrase(tokens[place], phrase, style)
            if one is not None:
                return one, end
    return None, place


def _detect_language(tokens: Sequence[Token]) -> str:
    """Return the language whose function words are dropped: English if nothing shows another."""
    words = [token.text for token in tokens if token.kind is _WORD]
    if sum(map(is_foreign_function_word, words)) < FOREIGN_WORDS:
        return "en"
    return detect_by_words(words) or "en"


@lru_cache(maxsize=CACHED_WORDS)
def _read_token(token: Token, style: Style) -> Read | None:
    """Return what a token says; None if nothing."""
    kind, text = token.kind, token.text
    if kind in _NUMBERS:
        return Read(Step(f"#{text}", text, False, False), _NUMBERS[kind], "", ())
    if kind is Kind.PAIR:
        return Read(Step(text, text, False, False), PAIR, "", ())
    if kind > Kind.LISTED:
        return None
    meaning = find_meaning((token.stem,), may_be_place=_may_be_place(token, style))
    named_place = meaning.place and token.capital  # `US` is no pronoun
    if not named_place and is_stop_word(text, style.language):
        return Read(None, 0.0, "", meaning.sides) if meaning.sides else None
    return _read_meaning(token, text, meaning)


@lru_cache(maxsize=CACHED_WORDS)
def _read_phrase(token: Token, phrase: tuple[str, ...], style: Style) -> Read | None:
    """Return what a phrase that begins with a token says; None if nothing."""
    meaning = find_meaning(phrase, may_be_place=_may_be_place(token, style))
    return _read_meaning(token, "".join(phrase), meaning) if meaning.known else None


def _may_be_place(token: Token, style: Style) -> bool:
    return style.lower or token.capital or not token.text.isascii()


def _read_meaning(token: Token, text: str, meaning: Meaning) -> Read:
    named = token.capital and not meaning.known
    step = Step(meaning.name, text, token.capital, named)
    return Read(step, meaning.weight, meaning.place, meaning.sides, meaning.things)
