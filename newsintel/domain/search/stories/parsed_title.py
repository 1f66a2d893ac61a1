"""Reads a title once, into the form in which titles of stories are compared."""

import unicodedata
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from newsintel.domain.search.stories.decorations import cut_decorations
from newsintel.domain.search.stories.parts import read_title
from newsintel.domain.search.stories.reading import Read, Step
from newsintel.domain.search.stories.tokens import Kind, Token
from newsintel.domain.search.stories.vocabulary import Side, Thing, is_rubric, load_vocabulary

MAX_COMPARED_CHARS = 300
"""Characters of a title that are read: as many as an article's title may have."""

_THIN_WORDS, _SPECIFIC_WORDS = 4, 2
"""A title with at most so many words, of which fewer than two are specific, says too little to be
matched with a similar one."""
_LAST_WORD = Kind.LISTED
"""A name of its own: to look up a member of an enumeration is slow, and each token needs it."""
_NONE: frozenset[str] = frozenset()
_CAPITALS = 0.7
"""From this share of capitalised words on, capitals do not show names: it is Title Case."""


class ParsedTitle(NamedTuple):
    """A title as it is compared with others.

    Attributes:
        folded: without decorations; equal texts are the same title.
        weights: the weight of each class.
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
    tokens, read, may_be_rubric = read_title(text)
    steps, weights, places, sides, things = _sort(read)
    words = [token for token in tokens if token.kind <= _LAST_WORD]
    values = (
        [token for token in tokens if token.kind > _LAST_WORD] if len(words) < len(tokens) else []
    )
    texts = [token.text for token in words]
    names = tuple([(step.word, step.name) for step in steps if step.named])
    return ParsedTitle(
        folded=text.casefold(),
        weights=weights,
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
        cities=frozenset(places & load_vocabulary().countries.keys()) if places else _NONE,
        countries=_list_countries(places) if places else _NONE,
        sides=frozenset(sides),
        things=frozenset(things),
        title_case=_is_title_case(words),
        thin=_is_thin(weights, steps) or (may_be_rubric and is_rubric(texts)),
        passive="by" in texts,
    )


def _sort(
    read: Sequence[Read],
) -> tuple[list[Step], dict[str, float], set[str], list[Side], list[Thing]]:
    """Return the steps, the weights of their classes, the places, the sides and the things."""
    steps: list[Step] = []
    weights: dict[str, float] = {}
    places: set[str] = set()
    sides: list[Side] = []
    things: list[Thing] = []
    for step, weight, place, its_sides, its_things in read:
        if step:
            steps.append(step)
            weights[step.name] = weight
        if place:
            places.add(place)
        if its_sides:
            sides += its_sides
        if its_things:
            things += its_things
    return steps, weights, places, sides, things


def _list_countries(places: AbstractSet[str]) -> frozenset[str]:
    country_of = load_vocabulary().countries
    return frozenset([country_of.get(place, place) for place in places])


def _list_given_names(steps: Sequence[Step]) -> tuple[tuple[str, str], ...]:
    return tuple(
        [(step.name, after.name) for step, after in pairwise(steps) if step.named and after.named]
    )


def _collect(tokens: list[Token], kind: Kind) -> frozenset[str]:
    return frozenset([token.text for token in tokens if token.kind is kind]) if tokens else _NONE


def _is_title_case(words: list[Token]) -> bool:
    """Whether so many words have a capital, or none has, that capitals say nothing."""
    if True not in [token.capital for token in words]:
        return True
    judged = [capital for _, text, _, capital in words[1:] if len(text) > 3]
    return not judged or (len(judged) > 2 and sum(judged) >= _CAPITALS * len(judged))


def _is_thin(weights: Mapping[str, float], steps: Sequence[Step]) -> bool:
    if len(steps) > _THIN_WORDS:
        return False
    return sum(weight >= 1 for weight in weights.values()) < _SPECIFIC_WORDS
