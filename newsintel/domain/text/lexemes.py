"""What is kept and looked for of a word, by the rules of the language of the text that it stands in: its lexeme.

| word | lexeme |
|---|---|
| of a language with a stemmer | the language and the stem: `en:elect` |
| with a digit in it, of one letter, of a script without spaces, of any other language | the word in its plain form: `covid19`, `地震` |

So a query meets each text by that text's own rules: asked for `universities` it looks for `en:universiti`, `fr:universit` and so on, and no
French text about the universe is found. Beside it an index keeps two notes of each word that has marks: `=café` for its exact spelling, and
`~cafe` for there being one with marks.
"""

from functools import cache, lru_cache

from newsintel.domain.text.languages import FUNCTION_WORDS, SIMPLE, stem, stemming_language
from newsintel.domain.text.tokens import is_one_letter, is_unspaced

EXACT, MARKED, AUTHOR = "=", "~", "by:"
"""Before an exact spelling, before the plain form of a word with marks, and before a word of an author's name."""


@lru_cache(maxsize=50_000)
def lexeme(word: str, language: str) -> str:
    """What a word, in its plain form, is compared by in texts of a language."""
    if language == SIMPLE or len(word) == 1 or is_unspaced(word) or (not word.isalpha() and any(map(str.isdigit, word))):
        return word
    return f"{language}:{stem(language, word)}"


def tells(some: str) -> bool:
    """Whether a lexeme may tell what a text is about: no note, function word, last letter, single digit, nor the zeros of `1 000` does."""
    if some.startswith((EXACT, MARKED, AUTHOR)) or some in _function_words():
        return False
    return not is_one_letter(some) and not (some.isdigit() and (len(some) == 1 or not some.strip("0")))


@cache
def _function_words() -> frozenset[str]:
    return frozenset(lexeme(word, stemming_language(language) or SIMPLE) for language, words in FUNCTION_WORDS.items() for word in words)
