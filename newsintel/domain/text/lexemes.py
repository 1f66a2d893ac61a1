"""Turns a word into its lexeme: what an index stores and a search looks for.

| word | lexeme |
|---|---|
| in a language with a stemmer | the language and the stem: `en:elect` |
| with a digit, of one letter, in a script without spaces | its plain form: `covid19`, `地震` |
| in any other language | its plain form |

The rules are those of the language of the text. So a query meets each text by that text's own
rules: a search for `universities` looks for `en:universiti`, `fr:universit` and so on, and does not
find French texts about the universe. An index also stores two notes for each word with marks:
`=café` for its exact spelling, and `~cafe` to say that a spelling with marks occurs.
"""

from functools import cache, lru_cache

from newsintel.domain.text.languages import (
    FUNCTION_WORDS,
    SIMPLE,
    find_stemming_language,
    stem_word,
)
from newsintel.domain.text.tokens import is_one_letter, is_unspaced

EXACT, MARKED, AUTHOR = "=", "~", "by:"
"""Prefixes: of an exact spelling, of the plain form of a word with marks, and of a word of an
author's name."""


@lru_cache(maxsize=50_000)
def make_lexeme(word: str, language: str) -> str:
    """Return the lexeme of a word, given in its plain form, in texts of a language."""
    if (
        language == SIMPLE
        or len(word) == 1
        or is_unspaced(word)
        or (not word.isalpha() and any(map(str.isdigit, word)))
    ):
        return word
    return f"{language}:{stem_word(language, word)}"


def is_significant(some: str) -> bool:
    """Whether a lexeme may show what a text is about.

    Notes, function words, last letters, single digits and the zeros of `1 000` do not.
    """
    if some.startswith((EXACT, MARKED, AUTHOR)) or some in _list_function_words():
        return False
    return not is_one_letter(some) and not (
        some.isdigit() and (len(some) == 1 or not some.strip("0"))
    )


@cache
def _list_function_words() -> frozenset[str]:
    return frozenset(
        make_lexeme(word, find_stemming_language(language) or SIMPLE)
        for language, words in FUNCTION_WORDS.items()
        for word in words
    )
