"""Finds the passage that shows why a text matched: words around a match, with matches marked."""

from collections import Counter, deque
from collections.abc import Iterable, Sequence

from newsintel.domain.archive.model import Snippet
from newsintel.domain.bounds.slices import Sliced
from newsintel.domain.search.matching import Run
from newsintel.domain.text.lexemes import make_lexeme
from newsintel.domain.text.tokens import split_placed_words

MAX_WORDS = 30
"""Words of a passage."""

WORDS_BEFORE = 5
"""Words before the first match, if there are so many."""

MAX_TEXT_CHARS = 5_000
"""Characters of a text that are searched for a passage."""

PLACES_PER_SLICE = 500
"""Words of a text that are read or compared in one slice: about 1 ms."""

_Match = tuple[int, int]
"""The number of words of a run, and the number of the run."""


def find_passage(text: str, runs: Sequence[Run], language: str) -> Sliced[Snippet | None]:
    """Return the passage with the most different runs, on ties the earliest; None without a match.

    Args:
        text: plain text.
        runs: the runs to find, by the rules of the text's language.
        language: the language of the text.
    """
    text = text[:MAX_TEXT_CHARS]
    lexemes: list[str] = []
    places: list[tuple[int, int]] = []
    for word, start, end in split_placed_words(text):
        lexemes.append(make_lexeme(word, language))
        places.append((start, end))
        if len(places) % PLACES_PER_SLICE == 0:
            yield
    found = yield from _find_matches(lexemes, runs)
    if not found:
        return None
    begin = max(0, (yield from _find_best_start(found)) - WORDS_BEFORE)
    shown = places[begin : begin + MAX_WORDS]
    start, end = shown[0][0], max(end for _, end in shown)
    inside = [
        (place, length)
        for place in range(begin, begin + len(shown))
        for length, _ in found.get(place, ())
    ]
    marks = [(places[place][0], places[place + length - 1][1]) for place, length in inside]
    return Snippet(
        text[start:end],
        tuple((low - start, min(high, end) - start) for low, high in _merge_marks(marks)),
    )


def _find_matches(lexemes: Sequence[str], runs: Sequence[Run]) -> Sliced[dict[int, list[_Match]]]:
    """Return all matches by the position of their first word, in order. Equal runs count once."""
    text, places = tuple(lexemes), dict[str, list[int]]()
    for place, one in enumerate(text):
        places.setdefault(one, []).append(place)
    found: dict[int, list[_Match]] = {}
    for number, (wanted, prefix) in enumerate(
        dict.fromkeys((run.lexemes, run.prefix) for run in runs)
    ):
        yield
        *before, last = wanted
        length, first = len(wanted), wanted[0]
        exact = wanted[:-1] if prefix else wanted
        begins = places.get(first, ()) if before or not prefix else _find_prefixed(first, places)
        for turn, place in enumerate(begins):
            if turn % PLACES_PER_SLICE == PLACES_PER_SLICE - 1:
                yield
            end = place + length
            if (
                end <= len(text)
                and text[place : place + len(exact)] == exact
                and (not prefix or text[end - 1].startswith(last))
            ):
                found.setdefault(place, []).append((length, number))
    return dict(sorted(found.items()))


def _find_prefixed(letter: str, places: dict[str, list[int]]) -> list[int]:
    return [place for one, where in places.items() if one.startswith(letter) for place in where]


def _find_best_start(found: dict[int, list[_Match]]) -> Sliced[int]:
    """Return the start of the passage with the most different runs, on ties the earliest."""
    ahead, inside = deque(found), Counter[int]()
    most, best = 0, 0
    for place, matches in found.items():
        yield
        while ahead and ahead[0] < place + MAX_WORDS:
            inside.update(number for _, number in found[ahead.popleft()])
        if len(inside) > most:
            most, best = len(inside), place
        inside -= Counter(number for _, number in matches)  # also removes zero counts
    return best


def _merge_marks(marks: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Sort marks and join those that touch or overlap, such as letter pairs that share a letter."""
    merged: list[tuple[int, int]] = []
    for low, high in sorted(marks):
        if merged and low <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    return merged
