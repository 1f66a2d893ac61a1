"""The passage of a text that shows why it was found: some words round a match, with every match in it marked."""

from collections.abc import Iterable, Sequence

from newsintel.archive_model import Snippet
from newsintel.lexemes import lexeme
from newsintel.matching import Run
from newsintel.tokens import Token, tokens

MOST_WORDS = 30
"""Of a passage."""

BEFORE = 5
"""Words before the first match, where there are so many."""

LONGEST = 5_000
"""Characters of a text in which a passage is looked for: 5 ms at most."""


def passage(text: str, runs: Sequence[Run], language: str) -> Snippet | None:
    """The passage with the most of what is looked for, the earliest of equals; None if nothing of it is in the text.

    Args:
        text: plain.
        runs: what is looked for, by the rules of the text's language.
        language: the text's.
    """
    text = text[:LONGEST]
    words = list(tokens(text))
    found = sorted(_matches([lexeme(word.word, language) for word in words], runs))
    if not found:
        return None
    _, first = max((len({number for place, _, number in found if start <= place < start + MOST_WORDS}), -start) for start, *_ in found)
    begin = max(0, -first - BEFORE)
    shown = words[begin : begin + MOST_WORDS]
    start, end = shown[0].start, max(word.end for word in shown)
    marks = [(words[place].start, _end(words, place, length)) for place, length, _ in found if begin <= place < begin + len(shown)]
    return Snippet(text[start:end], tuple((low - start, min(high, end) - start) for low, high in _merged(marks)))


def _matches(lexemes: Sequence[str], runs: Sequence[Run]) -> Iterable[tuple[int, int, int]]:
    """Where a run begins, how many words it has, and which it is."""
    for number, run in enumerate(runs):
        first, length = run.lexemes[0], len(run.lexemes)
        for place, one in enumerate(lexemes):
            if (one == first or (run.prefix and length == 1 and one.startswith(first))) and _goes_on(lexemes[place : place + length], run):
                yield place, length, number


def _goes_on(lexemes: Sequence[str], run: Run) -> bool:
    *before, last = run.lexemes
    if len(lexemes) < len(run.lexemes) or list(lexemes[:-1]) != before:
        return False
    return lexemes[-1].startswith(last) if run.prefix else lexemes[-1] == last


def _end(words: Sequence[Token], place: int, length: int) -> int:
    return words[place + length - 1].end


def _merged(marks: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Marks in order, those that touch or overlap as one: two neighbours in scripts without spaces share a letter."""
    merged: list[tuple[int, int]] = []
    for low, high in sorted(marks):
        if merged and low <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    return merged
