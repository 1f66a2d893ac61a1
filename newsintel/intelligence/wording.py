"""Terms as a reader would see them: the words of a text that stand behind its lexemes.

Which lexeme a word becomes only PostgreSQL knows. So what is asked of it are the few words that may become one of those wanted: a stemmer
changes a word's end, hardly ever its first letters.
"""

import re
from collections.abc import Iterable, Mapping, Sequence

SAME_START = 3
"""Letters that a word and its lexeme have in common, or all that the lexeme has. (Snowball's English stemmer turns `ies` into `i`, `skies`
into `sky`, and leaves the beginning alone.)"""

_WORD = re.compile(r"[^\W_]+(?:[.'\u2019&-][^\W_]+)*")


def spellings(texts: Iterable[str | None], lexemes: Sequence[str]) -> dict[str, None]:
    """The words in texts that may be one of the lexemes, each spelling once, in the order of their first occurrence."""
    starts = {lexeme[:SAME_START] for lexeme in lexemes}
    found: dict[str, None] = {}
    for text in texts:
        for match in _WORD.finditer(text or ""):
            parts = (match[0], *re.split(r"[.'\u2019&-]", match[0])) if not match[0].isalnum() else (match[0],)
            found.update((part, None) for part in parts if any(part.casefold().startswith(start) for start in starts))
    return found


def as_written(words: Iterable[str], lexemes: Sequence[str], becomes: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Each lexeme as it is first written; as it is if no word becomes it, or it and others only (a part of `covid-19`, say).

    Args:
        words: of the text, from `spellings`.
        lexemes: in the order wanted.
        becomes: the lexemes of each word.
    """
    first: dict[str, str] = {}
    for word in words:
        for lexeme in becomes[word]:
            if len(becomes[word]) == 1 or lexeme == word.casefold():
                first.setdefault(lexeme, word)
    return tuple(first.get(lexeme, lexeme) for lexeme in lexemes)
