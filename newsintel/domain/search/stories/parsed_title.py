"""Reads a title once, into the form in which titles of stories are compared."""

import unicodedata
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from newsintel.domain.search.stories.decorations import cut_decorations
from newsintel.domain.search.stories.tokens import Kind, Token, split_title
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
    is_rubric,
    is_stop_word,
    load_vocabulary,
)
from newsintel.domain.text.languages import detect_by_words

MAX_COMPARED_CHARS = 300
"""Characters of a title that are read: as many as an article's title may have."""

_THIN_WORDS, _SPECIFIC_WORDS = 4, 2
"""A title with at most so many words, of which fewer than two are specific, says too little to be
matched with a similar one."""
_FOREIGN_WORDS = 2
"""From so many function words of other languages on, a title may not be English."""
_WORD, _LAST_WORD, _FIRST_VALUE = Kind.WORD, Kind.LISTED, Kind.NUMBER
"""Names of their own: to look up a member of an enumeration is slow, and each token needs it."""
_NONE: frozenset[str] = frozenset()
_CAPITALS = 0.7
"""From this share of capitalised words on, capitals do not show names: it is Title Case."""


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


class ParsedTitle(NamedTuple):
    """A title as it is compared with others.

    Attributes:
        folded: without decorations; equal texts are the same title.
        weights: the weight of each class.
        classes: its classes.
        total: the sum of the weights.
        words: the folded words without dates and stop words, sorted, for token_set_ratio.
        steps: the classes in the order of the title.
        names: the words of the steps that may be names, with their classes.
        given: the classes of two names in a row, as of a given name and a surname.
        numbers, years, dates, weekdays, times, cities, countries: what contradicts others of its
            kind; a city adds its country.
        sides: of opposites.
        things: of sets of alternatives.
        title_case: capitals do not show names.
        thin: says too little to be matched with a similar title.
        passive: has a word that swaps the actors: `by`.
    """

    folded: str
    weights: Mapping[str, float]
    classes: frozenset[str]
    total: float
    words: str
    steps: tuple[Step, ...]
    names: tuple[tuple[str, str], ...]
    given: tuple[tuple[str, str], ...]
    numbers: frozenset[str]
    years: frozenset[str]
    dates: frozenset[str]
    weekdays: frozenset[str]
    times: frozenset[str]
    cities: frozenset[str]
    countries: frozenset[str]
    sides: frozenset[Side]
    things: frozenset[Thing]
    title_case: bool
    thin: bool
    passive: bool


# A search may group again after each source, mostly with the same titles. As many as eight searches
# have, at about 2 KiB each.
@lru_cache(maxsize=2_000)
def parse_title(title: str) -> ParsedTitle:
    """Read a title; any text is one."""
    text = " ".join(unicodedata.normalize("NFKC", title[:MAX_COMPARED_CHARS]).split())
    text = cut_decorations(text[:MAX_COMPARED_CHARS])
    tokens = split_title(text)
    weights: dict[str, float] = {}
    steps: list[Step] = []
    places: set[str] = set()
    sides: list[Side] = []
    things: list[Thing] = []
    for one in _read_tokens(tokens):
        if one.step:
            steps.append(one.step)
            weights[one.step.name] = one.weight
        if one.place:
            places.add(one.place)
        sides += one.sides
        things += one.things
    words = [token for token in tokens if token.kind <= _LAST_WORD]
    values = [token for token in tokens if token.kind >= _FIRST_VALUE]
    texts = [token.text for token in words]
    country_of = load_vocabulary().countries
    names = tuple([(step.word, step.name) for step in steps if step.named])
    return ParsedTitle(
        folded=text.casefold(),
        weights=weights,
        classes=frozenset(weights),
        total=sum(weights.values()),
        words=" ".join(sorted({step.word for step in steps})),
        steps=tuple(steps),
        names=names,
        given=_list_given_names(steps) if len(names) > 1 else (),
        numbers=_collect(values, Kind.NUMBER),
        years=_collect(values, Kind.YEAR),
        dates=_collect(values, Kind.DATE),
        weekdays=_collect(values, Kind.WEEKDAY),
        times=_collect(values, Kind.TIME),
        cities=frozenset(places & country_of.keys()) if places else _NONE,
        countries=frozenset([country_of.get(place, place) for place in places]),
        sides=frozenset(sides),
        things=frozenset(things),
        title_case=_is_title_case(words),
        thin=_is_thin(weights, steps) or is_rubric(texts),
        passive="by" in texts,
    )


def _list_given_names(steps: Sequence[Step]) -> tuple[tuple[str, str], ...]:
    return tuple(
        (step.name, after.name) for step, after in pairwise(steps) if step.named and after.named
    )


def _collect(tokens: list[Token], kind: Kind) -> frozenset[str]:
    return frozenset([token.text for token in tokens if token.kind is kind]) if tokens else _NONE


def _is_title_case(words: list[Token]) -> bool:
    """Whether so many words have a capital, or none has, that capitals say nothing."""
    judged = [token.capital for token in words[1:] if len(token.text) > 3]
    return (
        not judged
        or True not in [token.capital for token in words]
        or (sum(judged) >= _CAPITALS * len(judged) and len(judged) > 2)
    )


def _is_thin(weights: Mapping[str, float], steps: Sequence[Step]) -> bool:
    if len(steps) > _THIN_WORDS:
        return False
    return sum(weight >= 1 for weight in weights.values()) < _SPECIFIC_WORDS


class _Read(NamedTuple):
    """What a token says, as part of a title: its step, if it has a class, and what contradicts."""

    step: Step | None
    weight: float
    place: str
    sides: tuple[Side, ...]
    things: tuple[Thing, ...] = ()


def _read_tokens(tokens: list[Token]) -> list[_Read]:
    """Read each token; a phrase of the lists counts as one word."""
    phrases = load_vocabulary().phrases
    style = _Style(True not in [token.capital for token in tokens], _detect_language(tokens))
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
    tokens: list[Token], place: int, phrases: Sequence[tuple[str, ...]], style: "_Style"
) -> tuple[_Read | None, int]:
    """Return what the first phrase that is here says, None if nothing, and where it ends."""
    for phrase in phrases:
        end = place + len(phrase)
        if tuple([token.stem for token in tokens[place:end]]) == phrase:
            one = _read_phrase(tokens[place], phrase, style)
            if one is not None:
                return one, end
    return None, place


def _detect_language(tokens: list[Token]) -> str:
    """Return the language whose function words are dropped: English if nothing shows another."""
    words = [token.text for token in tokens if token.kind is _WORD]
    if sum(map(is_foreign_function_word, words)) < _FOREIGN_WORDS:
        return "en"
    return detect_by_words(words) or "en"


class _Style(NamedTuple):
    """How a title is written.

    Attributes:
        lower: without any capital, so a place has none either.
        language: whose function words are dropped.
    """

    lower: bool
    language: str


@lru_cache(maxsize=CACHED_WORDS)
def _read_token(token: Token, style: _Style) -> _Read | None:
    """Return what a token says; None if nothing."""
    kind, text = token.kind, token.text
    if kind in _NUMBERS:
        return _Read(Step(f"#{text}", text, False, False), _NUMBERS[kind], "", ())
    if kind is Kind.PAIR:
        return _Read(Step(text, text, False, False), PAIR, "", ())
    if kind > Kind.LISTED:
        return None
    meaning = find_meaning((token.stem,), may_be_place=_may_be_place(token, style))
    named_place = meaning.place and token.capital  # `US` is no pronoun
    if not named_place and is_stop_word(text, style.language):
        return _Read(None, 0.0, "", meaning.sides) if meaning.sides else None
    return _read_meaning(token, text, meaning)


@lru_cache(maxsize=CACHED_WORDS)
def _read_phrase(token: Token, phrase: tuple[str, ...], style: _Style) -> _Read | None:
    """Return what a phrase that begins with a token says; None if nothing."""
    meaning = find_meaning(phrase, may_be_place=_may_be_place(token, style))
    return _read_meaning(token, "".join(phrase), meaning) if meaning.known else None


def _may_be_place(token: Token, style: _Style) -> bool:
    return style.lower or token.capital or not token.text.isascii()


def _read_meaning(token: Token, text: str, meaning: Meaning) -> _Read:
    named = token.capital and not meaning.known
    step = Step(meaning.name, text, token.capital, named)
    return _Read(step, meaning.weight, meaning.place, meaning.sides, meaning.things)


_NUMBERS = {Kind.NUMBER: NUMBER, Kind.YEAR: YEAR}
