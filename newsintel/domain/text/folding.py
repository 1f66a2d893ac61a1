"""Folds all spellings of a word into one form, for the index and for comparisons outside it.

Queries, articles, topics and names use it. There are two steps. The first keeps every difference
that a reader sees as another word. The second accepts what people type in a hurry:

1. `fold_exact_word`: NFKC_Casefold of Unicode (TR 31, TR 44) for capitals, ligatures, full-width
   letters and superscripts. It removes invisible characters (soft hyphen, joiners), the marks of
   Arabic and Hebrew that newspapers leave out, and the Armenian marks for questions and stress,
   which are written inside a word (`ի՞նչ`). Digits become 0-9.
2. `fold_plain_word`: removes the marks that an alphabet puts on its letters (é, ü, ё, ά). Letters
   that Unicode does not decompose become the letters that people type for them (ø, ł, ı, æ). Marks
   that make another letter stay: й, ї, the vowels of Indian scripts, dakuten.
"""

import re
import unicodedata

from newsintel.domain.bounds.sized_cache import memoize

APOSTROPHES = "'\u2019\u02bc\uff07\u2018`\u00b4\u2032\u02bb\u02bd-\u02bf"
"""Apostrophes of keyboards, what people type instead, and the letters that serve as one in
Hawaiian, Uzbek and romanised Arabic."""

_IGNORED = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8]"
)
"""Default_Ignorable_Code_Point (Unicode, DerivedCoreProperties) of the first plane."""

_MARKED = re.compile(
    "([a-z\u00df-\u024f\u1e00-\u1eff\u03b1-\u03ff\u1f00-\u1fff])[\u0300-\u036f]+"  # Latin, Greek
    # Russian stress, and the two dots of ё.
    "|([\u0435\u0430\u043e\u0443\u044b\u044d\u044e\u044f])[\u0300\u0301\u0308]+"
)
_VOWEL_MARKS = re.compile(
    "[\u055b\u055c\u055e\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7"
    "\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e8]"
)
_TYPED_FOR = str.maketrans(
    {
        "ø": "o", "đ": "d", "ð": "d", "ħ": "h", "ı": "i", "ł": "l", "ŧ": "t", "æ": "ae", "œ": "oe",
        "þ": "th", "ĸ": "k", "ŋ": "n", "ƒ": "f", "ǥ": "g", "ɨ": "i", "ɫ": "l",
    }
)  # fmt: skip
_TYPED_FOR_EACH_OTHER = str.maketrans(
    {"\u0649": "\u064a", "\u06cc": "\u064a", "\u06a9": "\u0643", "\u0629": "\u0647"}
)
"""Letters of Arabic: alef maksura and Persian yeh, Persian kaf, teh marbuta."""
_ECH_YIWN, _ECH_VEW = "\u0565\u0582", "\u0565\u057e"
"""Armenian's `և`: Unicode decomposes it into the old spelling, and newspapers print the new one in
capitals."""
_APOSTROPHE = re.compile(f"[{APOSTROPHES}]")
_FOREIGN_DIGIT = re.compile(r"(?![0-9])\d")
_HAS_VOWEL_MARKS = re.compile("[\u0531-\u06ff]")


def fold_exact_word(text: str) -> str:
    """Return a word in the form that keeps its marks: `Cafés` equals `ＣＡＦÉＳ`, `cafes` differs.

    The result may hold characters that separate words: `½` becomes three characters.
    """
    if text.isascii():
        return text.lower()
    folded = unicodedata.normalize(
        "NFKC", _IGNORED.sub("", unicodedata.normalize("NFKC", text).casefold())
    )
    folded = unicodedata.normalize("NFKC", folded.casefold())
    if _HAS_VOWEL_MARKS.search(folded):
        bare = _VOWEL_MARKS.sub("", unicodedata.normalize("NFD", folded))
        folded = (
            unicodedata.normalize("NFC", bare)
            .translate(_TYPED_FOR_EACH_OTHER)
            .replace(_ECH_YIWN, _ECH_VEW)
        )
    return _to_ascii_digits(folded)


def fold_plain_word(exact: str) -> str:
    """Remove the marks from a word in its exact form (`fold_exact_word`)."""
    if exact.isascii():
        return exact
    bare = _MARKED.sub(r"\1\2", unicodedata.normalize("NFD", exact))
    return unicodedata.normalize("NFC", bare).translate(_TYPED_FOR)


@memoize(max_bytes=2**18)
def fold_plain_name(name: str) -> str:
    """Return the form in which whole names, such as a publisher's, are compared.

    It is the words in their plain form; the separators between them do not matter. So `L'Équipe`
    equals `L’Équipe`. A name without any letter or digit is compared by its symbols.
    """
    plain = fold_plain_word(
        fold_exact_word(_APOSTROPHE.sub(" ", name) if any(map(str.isalnum, name)) else name)
    )
    words = "".join(
        char if char.isalnum() or unicodedata.category(char)[0] == "M" else " " for char in plain
    )
    return " ".join((words if words.strip() else plain).split())


def _to_ascii_digits(text: str) -> str:
    return _FOREIGN_DIGIT.sub(lambda digit: str(unicodedata.decimal(digit[0])), text)
