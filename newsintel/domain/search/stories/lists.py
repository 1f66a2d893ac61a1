"""Reads the word lists of `words/`, once. Every list says in its header what its lines mean.

Words are compared in their folded form: `fold_word`. A word of a list also stands for all words
with the same stem. A list never decides how a word is spelled.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files

from newsintel.domain.text.folding import fold_exact_word, fold_plain_word
from newsintel.domain.text.languages import stem_word

_PACKAGE = "newsintel.domain.search.stories"

_SCRIPTS = (
    ("a", "\u024f", "en"),
    ("\u0370", "\u03ff", "el"),
    ("\u0400", "\u04ff", "ru"),
    ("\u0600", "\u06ff", "ar"),
    ("\u0900", "\u097f", "hi"),
)
"""Whose stemmer reads a script: that of most of its headlines. English's removes little from words
of other languages in Latin letters."""


def fold_word(word: str) -> str:
    """Return a word without capitals and marks."""
    return fold_plain_word(fold_exact_word(word))


def stem(word: str) -> str:
    """Return the stem of a folded word, by the script of its first letter.

    An irregular form has the stem of its word.
    """
    first = word[:1]
    for low, high, language in _SCRIPTS:
        if low <= first <= high:
            irregular = _read_irregular()
            bare = stem_word(language, irregular.get(word, word))
            return stem_word(language, irregular[bare]) if bare in irregular else bare
    return word


@cache
def _read_irregular() -> Mapping[str, str]:
    return {fold_word(form): word for word, forms in read_table("irregular.txt") for form in forms}


def read_lines(name: str) -> Iterator[str]:
    """Yield the lines of a list that are no comment."""
    text = files(_PACKAGE).joinpath("words", name).read_text("utf-8")
    return (line for line in text.splitlines() if line and not line.startswith("#"))


def split_words(text: str) -> list[str]:
    """Return the words between commas, as written."""
    return [word for word in map(str.strip, text.split(",")) if word]


def read_table(name: str) -> Iterator[tuple[str, list[str]]]:
    """Yield the key and the words of each line `key: word, word`."""
    for line in read_lines(name):
        key, _, words = line.partition(":")
        yield key.strip(), split_words(words)


@cache
def read_words(name: str) -> frozenset[str]:
    """Return the words of a list without keys, folded."""
    return frozenset(fold_word(word) for line in read_lines(name) for word in split_words(line))


def fold_phrase(phrase: str) -> tuple[str, ...]:
    """Return the folded words of a phrase; hyphens and dots separate words."""
    return tuple(map(fold_word, phrase.replace("-", " ").replace(".", "").split()))
