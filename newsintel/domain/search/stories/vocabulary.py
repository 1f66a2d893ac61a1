"""What each word says: its class, its weight, its place and its sides of opposites."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache

from attrs import frozen

from newsintel.domain.search.stories.lists import (
    fold_phrase,
    fold_word,
    read_lines,
    read_table,
    read_words,
    split_words,
    stem,
)
from newsintel.domain.text.languages import is_any_function_word, is_function_word
from newsintel.domain.text.tokens import is_unspaced

WORD, WEAK, NUMBER, YEAR, PAIR = 1.0, 0.5, 0.7, 0.3, 0.5
"""Weights of classes: a word, a weak headline word, a number, a year, a pair of letters of a script
without spaces (a word of such a script has about two pairs)."""

CACHED_WORDS = 16_384
"""Words that each cache keeps: most of those in a day of headlines. With the longest words a cache
holds 10 MiB."""

_LAST_LATIN = "\u024f"

Side = tuple[int, bool]
"""An axis of opposites, by its number, and one of its two sides."""

Thing = tuple[int, int]
"""A set of alternatives, by its number, and the number of a thing in it."""


@frozen
class Meaning:
    """What a word says.

    Attributes:
        name: its class; "" if it is dropped.
        weight: of the class.
        place: a place that contradicts other places; "" if none.
        sides: of opposites.
        things: by which it contradicts others of their kind.
        known: in a list, so it is no name of a person.
    """

    name: str
    weight: float
    place: str = ""
    sides: tuple[Side, ...] = ()
    known: bool = True
    things: tuple[Thing, ...] = ()


@frozen
class Vocabulary:
    """The lists in the form in which titles are read.

    Attributes:
        places: the place of a phrase: a city, or a country; `syria*` is the capital of `syria`.
        countries: the country of a city.
        groups: the synonym group of a stemmed phrase.
        sides: of a stemmed phrase.
        alternatives: the things of a stemmed phrase.
        phrases: for a first stemmed word, all longer phrases of the lists, longest first.
        unspaced: finds listed words in a script without spaces.
    """

    places: Mapping[tuple[str, ...], str]
    countries: Mapping[str, str]
    groups: Mapping[tuple[str, ...], str]
    sides: Mapping[tuple[str, ...], tuple[Side, ...]]
    alternatives: Mapping[tuple[str, ...], tuple[Thing, ...]]
    phrases: Mapping[str, tuple[tuple[str, ...], ...]]
    unspaced: re.Pattern[str]


def load_lists() -> None:
    """Read all lists now. Otherwise the first title does, and blocks the event loop for 0.1 s."""
    read_actions()  # with the vocabulary
    _weak_stems()
    read_calendar()
    for name in ("numbers.txt", "scales.txt"):
        read_numbers(name)
    is_stop_word("")


@cache
def load_vocabulary() -> Vocabulary:
    """Read the lists."""
    places: dict[tuple[str, ...], str] = {}
    countries: dict[str, str] = {}
    for name, words in read_table("places.txt"):
        capital = f"{name}*"
        countries[capital] = name
        for word in [name.replace("_", " "), *words]:
            place = capital if word.startswith("*") else name
            # A stemmer may cut the end of a name (`Киев`): the name is a key itself.
            phrase = fold_phrase(word.lstrip("*"))
            places |= dict.fromkeys([tuple(map(stem, phrase)), phrase], place)
    for key, words in read_table("cities.txt"):
        name, _, country = (part.strip() for part in key.partition("<"))
        for word in [name.replace("_", " "), *words]:
            phrase = fold_phrase(word)
            places |= dict.fromkeys([tuple(map(stem, phrase)), phrase], name)
        countries[name] = country
    groups: dict[tuple[str, ...], str] = {}
    for line in read_lines("synonyms.txt"):
        words = split_words(line)
        for phrase in _stem_all(words):
            groups.setdefault(phrase, f"={words[0]}")
    sides: defaultdict[tuple[str, ...], list[Side]] = defaultdict(list)
    for axis, line in enumerate(read_lines("opposites.txt")):
        for second, words in enumerate(map(split_words, line.split("|"))):
            for phrase in dict.fromkeys(_stem_all(words)):
                sides[phrase].append((axis, bool(second)))
    actions = _stem_all(word for line in read_lines("actions.txt") for word in split_words(line))
    alternatives = _read_alternatives()
    known = {*alternatives, *places, *groups, *sides, *actions}
    return Vocabulary(
        places,
        countries,
        groups,
        {phrase: tuple(some) for phrase, some in sides.items()},
        alternatives,
        _index_phrases(known),
        _compile_unspaced(
            [
                *(phrase[0] for phrase in known if len(phrase) == 1),
                *(phrase[0] for phrases in _read_rubrics().values() for phrase, _ in phrases),
                *read_calendar(),
                *read_numbers("scales.txt"),
            ]
        ),
    )


def _read_alternatives() -> Mapping[tuple[str, ...], tuple[Thing, ...]]:
    things: defaultdict[tuple[str, ...], list[Thing]] = defaultdict(list)
    for number, line in enumerate(read_lines("alternatives.txt")):
        for thing, words in enumerate(split_words(line)):
            for phrase in dict.fromkeys(_stem_all(words.split("="))):
                things[phrase].append((number, thing))
    return {phrase: tuple(some) for phrase, some in things.items()}


def _stem_all(words: Iterable[str]) -> list[tuple[str, ...]]:
    return [tuple(map(stem, fold_phrase(word))) for word in words]


def _index_phrases(phrases: Iterable[tuple[str, ...]]) -> Mapping[str, tuple[tuple[str, ...], ...]]:
    longer: defaultdict[str, list[tuple[str, ...]]] = defaultdict(list)
    for phrase in phrases:
        if len(phrase) > 1:
            longer[phrase[0]].append(phrase)
    return {first: tuple(sorted(some, key=len, reverse=True)) for first, some in longer.items()}


def _compile_unspaced(words: Iterable[str]) -> re.Pattern[str]:
    chosen = sorted(filter(is_unspaced, words), key=lambda word: (-len(word), word))
    return re.compile("|".join(map(re.escape, chosen)))


def find_meaning(phrase: tuple[str, ...], *, may_be_place: bool) -> Meaning:
    """Return what a stemmed word or phrase says.

    Args:
        phrase: folded, stemmed words; of one word, mostly.
        may_be_place: written as the name of a place would be: `china` is not, `China` is.
    """
    vocabulary = load_vocabulary()
    sides = vocabulary.sides.get(phrase, ())
    things = vocabulary.alternatives.get(phrase, ())
    place = vocabulary.places.get(phrase, "") if may_be_place else ""
    if place:
        return Meaning(f"@{place.rstrip('*')}", WORD, place, sides, things=things)
    word = " ".join(phrase)
    weight = WEAK if word in _weak_stems() else WORD
    group = vocabulary.groups.get(phrase)
    if group:
        return Meaning(group, weight, sides=sides, things=things)
    return Meaning(
        word, weight, sides=sides, things=things, known=weight == WEAK or bool(sides or things)
    )


def is_stop_word(word: str, language: str = "en") -> bool:
    """Whether a folded word is dropped from titles of a language (ISO 639-1).

    In scripts that few languages share, the function words of all of them are.
    """
    if word in read_words("stop_words.txt"):
        return language == "en" or is_function_word(language, word)
    if word[:1] > _LAST_LATIN:
        return is_any_function_word(word)
    return language != "en" and is_function_word(language, word)


@lru_cache(maxsize=CACHED_WORDS)
def is_foreign_function_word(word: str) -> bool:
    """Whether a folded word is a function word of another language in Latin letters."""
    return (
        word[:1] <= _LAST_LATIN
        and is_any_function_word(word)
        and not is_function_word("en", word)
        and word not in read_words("stop_words.txt")
    )


def is_rubric(words: Sequence[str]) -> bool:
    """Whether folded words hold the phrase of a title that recurs with other content."""
    rubrics = _read_rubrics()
    return any(
        tuple(words[max(0, place - before) : place - before + len(phrase)]) == phrase
        for place, word in enumerate(words)
        if word in rubrics
        for phrase, before in rubrics[word]
    )


def may_be_rubric(word: str) -> bool:
    """Whether a folded word is the longest one of such a phrase."""
    return word in _read_rubrics()


@cache
def _read_rubrics() -> Mapping[str, list[tuple[tuple[str, ...], int]]]:
    """Return the phrases by their longest word, each with the number of words before it."""
    rubrics: defaultdict[str, list[tuple[tuple[str, ...], int]]] = defaultdict(list)
    for line in read_lines("rubrics.txt"):
        for phrase in map(fold_phrase, split_words(line)):
            longest = max(phrase, key=len)
            rubrics[longest].append((phrase, phrase.index(longest)))
    return dict(rubrics)


@cache
def read_actions() -> frozenset[str]:
    """Return the classes of what one actor does to another."""
    groups = load_vocabulary().groups
    phrases = (
        tuple(map(stem, fold_phrase(word)))
        for line in read_lines("actions.txt")
        for word in split_words(line)
    )
    return frozenset(groups.get(phrase, " ".join(phrase)) for phrase in phrases)


@cache
def _weak_stems() -> frozenset[str]:
    return frozenset(map(stem, read_words("weak_words.txt")))


@cache
def read_numbers(name: str) -> Mapping[str, int]:
    """Return the value of each word of a list of numbers, by its folded form."""
    return {fold_word(word): int(value) for value, words in read_table(name) for word in words}


@cache
def read_calendar() -> Mapping[str, str]:
    """Return `d1` to `d7` and `m1` to `m12` by the folded names of weekdays and months."""
    return {fold_word(word): key for key, words in read_table("calendar.txt") for word in words}
