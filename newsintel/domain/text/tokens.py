"""Splits text into words, by one rule for queries and for the texts that are searched.

A word is a run of letters, digits and marks. Everything else separates words, so no dash, slash,
quotation mark, dot or ampersand joins two names. Special cases:

| as printed | words | rule |
|---|---|---|
| `Apple’s`, `L’Ukraine` | apple; ukraine | possessive s and elided articles are dropped |
| `O’Brien` | o brien | other apostrophes separate words |
| `U.S.`, `J.K.` | us; jk | single letters with dots between them are one word |
| `1,000`, `1.000`, `1,00,000` | 1000; 100000 | groups of three; India: of two before the last |
| `約1,000人`, `1,000km` | 約 1000 人; 1000km | as if printed without groups |
| `צה"ל` | צהל | the mark before the last letter of a Hebrew acronym is dropped, as typists do |
| `C++`, `C#` | c++; c# | |
| `東京で地震` | 東京 京で で地 地震 震 | script without spaces: letter pairs, the last letter |

Pairs of letters are the usual method for scripts without spaces (Nie and Ren, Chinese information
retrieval: using characters or words?, 1999). Search terms are found wherever they occur, and no
dictionary has to know them.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple

from newsintel.domain.bounds.sized_cache import memoize
from newsintel.domain.text.folding import APOSTROPHES, fold_exact_word, fold_plain_word

MAX_WORD_CHARS = 64
"""Longer words are compared by their beginning. (PostgreSQL accepts 2,046 bytes.)"""

_ELIDED = frozenset(
    (  # noqa: SIM905
        "all aux c coll d dall dell l m n nell qu s sull t un quest jusqu lorsqu puisqu presqu j"
    ).split()
)

UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17d3\u17d7\u17dc\u17dd\u19e0-\u19ff"
    "\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3031-\u3035\u303b\u3041-\u30fa\u30fc-\u318f"
    "\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\ua9e0-\ua9ff\uaa60-\uaa7f\uac00-\ud7ff"
    "\uf900-\ufaff\U0001aff0-\U0001b16f\U00020000-\U0003ffff"
)
"""Thai, Lao, Burmese, Khmer, Han, kana; and Hangul, which joins a word and its particles."""


def _build_mark_class() -> str:
    """Return the marks of the first plane, for a character class.

    For `re` they are not word characters: without this class, Hindi words would be split. They are
    ranges because `re` compiles those faster than single characters.
    """
    codes = [
        code for code in range(0x300, 0xFE30) if unicodedata.category(chr(code)).startswith("M")
    ]
    starts = [code for before, code in pairwise([0, *codes]) if code != before + 1]
    ends = [code for code, after in pairwise([*codes, 0]) if after != code + 1]
    return "".join(f"{chr(low)}-{chr(high)}" for low, high in zip(starts, ends, strict=True))


MARKS = _build_mark_class()
_GERSHAYIM = '"\u05f4\u201c\u201d\u201e'
_HEBREW = "\u05d0-\u05ea"
_LETTERS = (
    rf"[^\W_]+(?:(?:[{MARKS}\u00ad\u200c\u200d\u055b\u055c\u055e]+|"
    rf"(?<=[{_HEBREW}])[{_GERSHAYIM}](?=[{_HEBREW}](?![{_HEBREW}{MARKS}{_GERSHAYIM}])))[^\W_]*)*"
)
_GROUPING = ".,'\u2019\u066c\uff0c\uff0e"
_NUMBER = re.compile(
    rf"(?<![^\W{UNSPACED}])(?<!\d[{_GROUPING}])"
    rf"(?:\d{{1,3}}(?P<mark>[{_GROUPING}])\d{{3}}(?:(?P=mark)\d{{3}})*"
    rf"|\d{{1,2}}(?:[,\uff0c]\d{{2}})+[,\uff0c]\d{{3}})(?!\d)"
    rf"(?:(?![{UNSPACED}])[^\W_]|[{MARKS}])*"
)
"""Digits in groups, with the letters that directly follow."""
_GROUPING_MARK = re.compile(f"[{_GROUPING}]")
_RAW = re.compile(
    rf"(?P<initials>(?<![\w.])[^\W\d_](?:\.[^\W\d_])+(?![\w]))"
    rf"|(?P<signed>(?<![\w])[A-Za-z](?:\+\+|\#)(?![\w+\#]))"
    rf"|(?P<word>{_LETTERS}(?:[{APOSTROPHES}]{_LETTERS})*)"
)
_PLAIN = re.compile(rf"{_LETTERS}(?:[{APOSTROPHES}]{_LETTERS})*")
"""Only the last alternative of _RAW, for texts without anything _SPECIAL."""
_SPECIAL = re.compile(rf"\d[{_GROUPING}]\d\d|(?<![\w.])[^\W\d_]\.[^\W\d_]|\+\+|\#")
_NOT_SIMPLE = re.compile(r"'|`|\#|\+\+|\.[0-9A-Za-z]|,[0-9]")
"""What the simple expression cannot read. Each alternative begins with one of six characters, so
the search is fast."""
_PRINTED_SIGNS = str.maketrans("\xa0\u2013\u2014\u201c\u201d\u2026\u2018\u2019", "      ''")
"""The signs that print adds to plain English, and what separates the same words."""
_ASCII_WORDS = re.compile("[a-z0-9]+(?:['`][a-z0-9]+)*")
_ASCII_WORD = re.compile("[a-z0-9]+")
_APOSTROPHE = re.compile(f"[{APOSTROPHES}]")
_IN_ACRONYM = re.compile(f"[{_GERSHAYIM}]")
_PIECE = re.compile(
    rf"(?P<unspaced>[{UNSPACED}][{UNSPACED}{MARKS}]*)"
    rf"|(?:(?![{UNSPACED}{APOSTROPHES}])[^\W_]|[{MARKS}])+"
    r"|c\+\+|[a-z](?:\+\+|\#)"
)
_UNSPACED_FIRST = re.compile(f"[{UNSPACED}]")
_UNIT = re.compile(rf"(?:[^{MARKS}]|^)[{MARKS}]*")


# Words repeat often: with this cache, a text in Russian is read in half the time.
_exact, _plain = (
    memoize(max_bytes=2**21)(function) for function in (fold_exact_word, fold_plain_word)
)


class WordToken(NamedTuple):  # texts have hundreds: created in a third of an attrs class's time
    """A word of a text.

    Attributes:
        word: its plain form, which is compared.
        exact: the form that keeps its marks.
        start, end: its position in the text, in code points.
        last: it is the last letter of a run in a script without spaces.
    """

    word: str
    exact: str
    start: int
    end: int
    last: bool = False

    @property
    def unspaced(self) -> bool:
        """True in a script without spaces: a pair of letters, or the last letter of a run."""
        return is_unspaced(self.word)


def split_plain_words(text: str) -> list[str]:
    """Return the words of `split_words` in their plain form, in order; faster for plain English."""
    words = split_english_words(text)
    return [token.word for token in split_words(text)] if words is None else words


def split_english_words(text: str) -> list[str] | None:
    """Return the words of a text that is ASCII but for the signs that print uses, in order.

    None for any other text, and for one with numbers in groups, initials or C++.
    """
    plain = text if text.isascii() else text.translate(_PRINTED_SIGNS)
    if not plain.isascii() or (_NOT_SIMPLE.search(plain) and _SPECIAL.search(plain)):
        return None
    words = _ASCII_WORDS.findall(plain.lower())
    if "'" in plain or "`" in plain:
        words = [part for word in words for part, _ in _split_apostrophes(word)]
    return [word[:MAX_WORD_CHARS] for word in words]


def split_placed_words(text: str) -> Iterator[tuple[str, int, int]]:
    """Yield the plain words of a text, each with its start and end in code points."""
    if _is_simple(text):
        return (
            (match[0][:MAX_WORD_CHARS], match.start(), match.end())
            for match in _ASCII_WORD.finditer(text.lower())
        )
    return ((one.word, one.start, one.end) for one in split_words(text))


def _is_simple(text: str) -> bool:
    """Whether all words are runs of ASCII letters and digits, which take a third of the time."""
    return text.isascii() and _NOT_SIMPLE.search(text) is None


def is_unspaced(word: str) -> bool:
    """Whether a word is in a script without spaces."""
    return not word.isascii() and _UNSPACED_FIRST.match(word) is not None


def is_one_letter(word: str) -> bool:
    """Whether a word is the last letter of a run in a script without spaces."""
    return is_unspaced(word) and len(_UNIT.findall(word)) == 1


def split_words(text: str) -> Iterator[WordToken]:
    """Yield the words of a text, in order."""
    if _SPECIAL.search(text) is None:
        yield from _make_tokens(_PLAIN.finditer(text))
        return
    place = 0
    for number in _NUMBER.finditer(text):
        yield from _make_tokens(_RAW.finditer(text, place, number.start()))
        yield _make_bare_token(_GROUPING_MARK.sub("", number[0]), number.start(), number.end())
        place = number.end()
    yield from _make_tokens(_RAW.finditer(text, place))


def _make_tokens(matches: Iterable[re.Match[str]]) -> Iterator[WordToken]:
    for match in matches:
        raw, start = match[0], match.start()
        if match.lastgroup in ("initials", "signed"):
            yield _make_bare_token(raw.replace(".", ""), start, match.end())
        elif raw.isascii() and raw.isalnum():
            word = raw.lower()[:MAX_WORD_CHARS]
            yield WordToken(word, word, start, match.end())
        else:
            for part, offset in _split_apostrophes(raw):
                yield from _split_pieces(part, start + offset)


def _make_bare_token(raw: str, start: int, end: int) -> WordToken:
    """Return a number without its groups, initials without dots, or `c++` and `c#`, as one word."""
    exact = fold_exact_word(raw)[:MAX_WORD_CHARS]
    return WordToken(fold_plain_word(exact), exact, start, end)


def _split_apostrophes(raw: str) -> Iterator[tuple[str, int]]:
    """Yield the parts between apostrophes that are words themselves, with their offsets."""
    parts, place = [], 0
    for part in _APOSTROPHE.split(raw):
        parts.append((part, place))
        place += len(part) + 1
    if len(parts) > 1 and parts[-1][0] in ("s", "S"):
        parts.pop()
    while len(parts) > 1 and parts[0][0].lower() in _ELIDED:
        parts.pop(0)
    yield from parts


def _split_pieces(raw: str, start: int) -> Iterator[WordToken]:
    """Yield the words in a run: the script may change, and folding may split a character."""
    folded = _exact(_IN_ACRONYM.sub("", raw))
    kept = len(folded) == len(raw)  # then each letter keeps its position
    for match in _PIECE.finditer(folded):
        begin, end = (
            (start + match.start(), start + match.end()) if kept else (start, start + len(raw))
        )
        if match["unspaced"]:
            yield from _pair_letters(match[0], begin, end, kept=kept)
        else:
            exact = match[0][:MAX_WORD_CHARS]
            yield WordToken(_plain(exact), exact, begin, end)


def _pair_letters(run: str, start: int, end: int, *, kept: bool) -> Iterator[WordToken]:
    """Yield each pair of letters of a run, then its last letter. A letter includes its marks."""
    units = [(match[0], match.start(), match.end()) for match in _UNIT.finditer(run)]
    for (one, begin, _), (other, _, stop) in pairwise(units):
        pair = one + other
        yield WordToken(pair, pair, start + begin if kept else start, start + stop if kept else end)
    letter, begin, _ = units[-1]
    yield WordToken(letter, letter, start + begin if kept else start, end, last=True)
