"""The rules of a language: its function words, its stemmer, and how to detect it.

The stemmers are Snowball's (PyStemmer), as in PostgreSQL's text search. Texts in a language without
a stemmer are compared word by word.
"""

from collections import Counter
from collections.abc import Iterable
from functools import lru_cache

import Stemmer

from newsintel.domain.text.folding import fold_exact_word, fold_plain_word
from newsintel.domain.text.function_words import LISTS

_SNOWBALL = {
    "ar": "arabic", "ca": "catalan", "cs": "czech", "da": "danish", "de": "german", "el": "greek",
    "en": "english", "es": "spanish", "et": "estonian", "eu": "basque", "fa": "persian",
    "fi": "finnish", "fr": "french", "ga": "irish", "hi": "hindi", "hu": "hungarian",
    "hy": "armenian", "id": "indonesian", "it": "italian", "lt": "lithuanian", "ne": "nepali",
    "nl": "dutch", "no": "norwegian", "pl": "polish", "pt": "portuguese", "ro": "romanian",
    "ru": "russian", "sr": "serbian", "sv": "swedish", "ta": "tamil", "tr": "turkish",
    "yi": "yiddish",
}  # fmt: skip
"""ISO 639-1 to Snowball's names."""

_ALIASES = {"nb": "no", "nn": "no"}

SIMPLE = ""
"""The language of texts that are compared word by word, without stems."""

INDEX_LANGUAGES = (SIMPLE, *_SNOWBALL)
"""Every language by whose rules a text can be indexed."""

FUNCTION_WORDS = {
    language: frozenset(fold_plain_word(fold_exact_word(word)) for word in text.split())
    for language, text in LISTS.items()
}
"""Function words by ISO 639-1 code, in their plain form."""
_NAMES_OF_THINGS = {
    language: frozenset(words.split())
    for language, words in {
        "cs": "byt", "da": "hår", "es": "té", "fr": "dés maïs né sûr été", "hu": "fél",
        "no": "hår vår", "sv": "hår vår", "tr": "su",
    }.items()
}  # fmt: skip
"""Words that differ from a function word of their language only by their marks, in their exact
form."""
_LANGUAGES_OF = {
    word: tuple(language for language, words in FUNCTION_WORDS.items() if word in words)
    for word in frozenset().union(*FUNCTION_WORDS.values())
}

_ENOUGH = 2
"""How many function words identify a language. The usual language of the script starts with one."""

_SCRIPTS = (("\u0370", "\u03ff", "el"), ("\u0400", "\u04ff", "ru"), ("\u0531", "\u058a", "hy"),
            ("\u0600", "\u06ff", "ar"), ("\u0900", "\u097f", "hi"),
            ("\u0b80", "\u0bff", "ta"))  # fmt: skip
"""The language of most texts in a script. It is used if the text gives no other hint."""


def find_stemming_language(code: str | None) -> str | None:
    """Return the language whose rules apply to a text with a language code.

    SIMPLE if there is no stemmer for it, None if there is no code.

    Args:
        code: ISO 639-1, in lower case, possibly with a region.
    """
    if not code:
        return None
    code = code[:2]
    code = _ALIASES.get(code, code)
    return code if code in _SNOWBALL else SIMPLE


def detect_by_words(words: Iterable[str]) -> str:
    """Detect the language whose rules fit a text best, by its function words.

    SIMPLE if there is no stemmer for that language. A text with too few function words gets the
    usual language of its script: English for Latin letters. On a tie the usual language wins, else
    the first in LISTS, and then one more word is required.

    Args:
        words: the words in their plain form.
    """
    seen = dict.fromkeys(words)
    known = _LANGUAGES_OF.keys() & seen
    counts = Counter(
        language for word in known if len(word) > 1 for language in _LANGUAGES_OF[word]
    )
    usual = _guess_by_script(seen)
    counts[usual] += 1
    letters = (language for word in known if len(word) == 1 for language in _LANGUAGES_OF[word])
    # Letters alone prove nothing: C, O'Neil.
    counts.update([language for language in letters if counts[language]])
    most = max(counts.values())
    # Several if the languages are related, such as Spanish and Catalan.
    best = [one for one in (usual, *LISTS) if counts[one] == most]
    if most < _ENOUGH + (len(best) > 1):
        return usual
    return find_stemming_language(best[0]) or SIMPLE


def is_function_word(language: str, word: str, exact: str = "") -> bool:
    """Whether a word is a function word of a language.

    A language without a list has none. SIMPLE uses the list of English.

    Args:
        language: the language of the text.
        word: the word in its plain form.
        exact: the word with its marks. `été` (summer) is not a function word, but `ete` may be.
    """
    return word in FUNCTION_WORDS.get(language or "en", ()) and exact not in _NAMES_OF_THINGS.get(
        language, ()
    )


def is_any_function_word(word: str) -> bool:
    """Whether a plain word is a function word in any language."""
    return word in _LANGUAGES_OF


def stem_word(language: str, word: str) -> str:
    """Return the stem of a plain word in a language that has a stemmer."""
    stemmed: str = _get_stemmer(language).stemWord(word)
    return stemmed or word


@lru_cache
def _get_stemmer(language: str) -> Stemmer.Stemmer:
    return Stemmer.Stemmer(_SNOWBALL[language], 0)


def _guess_by_script(words: Iterable[str]) -> str:
    for word in words:
        first = word[:1]
        if "a" <= first <= "\u024f":
            return "en"
        for low, high, language in _SCRIPTS:
            if low <= first <= high:
                return language
    return SIMPLE
