"""A text as the words in it, in order: the one rule for where a word begins and ends, for queries and for what is searched.

A word is a run of letters, digits and marks; everything else parts words, so that no dash, slash, quotation mark, dot or ampersand glues
two names together. Besides:

| as printed | words | |
|---|---|---|
| `Apple’s`, `L’Ukraine`, `O’Brien` | apple; ukraine; o brien | a possessive s and an elided article are not looked for |
| `U.S.`, `J.K.` | us; jk | single letters with dots between are one word |
| `1,000`, `1.000`, `1,00,000` | 1000; 100000 | digits in groups of three, in India of two before the last |
| `約1,000人`, `1,000km` | 約 1000 人; 1000km | as if it were printed without its groups |
| `צה"ל` | צהל | a mark before the last letter of a Hebrew acronym is left out, as hurried typists do |
| `C++`, `C#` | c++; c# | |
| `東京で地震` | 東京 京で で地 地震 震 | Scripts without spaces: each two neighbours are a word, and the last letter is one |

Two neighbours are the usual way with such scripts (Nie and Ren, Chinese information retrieval: using characters or words?, 1999): what is
asked for is found wherever it stands, without a dictionary that has to know it.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple

from newsintel.domain.bounds.sized_cache import remembered
from newsintel.domain.text.folding import APOSTROPHES, exact_word, plain_word

MAX_WORD_CHARS = 64
"""A longer run is compared by its beginning. (PostgreSQL takes 2,046 bytes.)"""

_ELIDED = frozenset("all aux c coll d dall dell l m n nell qu s sull t un quest jusqu lorsqu puisqu presqu j".split())  # noqa: SIM905

_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17d3\u17d7\u17dc\u17dd\u19e0-\u19ff\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3031-\u3035"
    "\u303b\u3041-\u30fa\u30fc-\u318f\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\ua9e0-\ua9ff\uaa60-\uaa7f\uac00-\ud7ff"
    "\uf900-\ufaff\U0001aff0-\U0001b16f\U00020000-\U0003ffff"
)
"""Thai, Lao, Burmese, Khmer, Han, kana; and Hangul, which writes a word and its particles together."""


def _marks() -> str:
    """The marks of the first plane, for a character class: to `re` they are no word characters, and Hindi would fall apart.

    As ranges, which `re` reads in less time than one by one.
    """
    codes = [code for code in range(0x300, 0xFE30) if unicodedata.category(chr(code)).startswith("M")]
    starts = [code for before, code in pairwise([0, *codes]) if code != before + 1]
    ends = [code for code, after in pairwise([*codes, 0]) if after != code + 1]
    return "".join(f"{chr(low)}-{chr(high)}" for low, high in zip(starts, ends, strict=True))


_MARKS = _marks()
_GERSHAYIM = '"\u05f4\u201c\u201d\u201e'
_HEBREW = "\u05d0-\u05ea"
_LETTERS = (
    rf"[^\W_]+(?:(?:[{_MARKS}\u00ad\u200c\u200d\u055b\u055c\u055e]+|"
    rf"(?<=[{_HEBREW}])[{_GERSHAYIM}](?=[{_HEBREW}](?![{_HEBREW}{_MARKS}{_GERSHAYIM}])))[^\W_]*)*"
)
_GROUPING = ".,'\u2019\u066c\uff0c\uff0e"
_NUMBER = re.compile(
    rf"(?<![^\W{_UNSPACED}])(?<!\d[{_GROUPING}])"
    rf"(?:\d{{1,3}}(?P<mark>[{_GROUPING}])\d{{3}}(?:(?P=mark)\d{{3}})*|\d{{1,2}}(?:[,\uff0c]\d{{2}})+[,\uff0c]\d{{3}})(?!\d)"
    rf"(?:(?![{_UNSPACED}])[^\W_]|[{_MARKS}])*"
)
"""Digits in groups, with the letters that stand at their end."""
_GROUPING_MARK = re.compile(f"[{_GROUPING}]")
_RAW = re.compile(
    rf"(?P<initials>(?<![\w.])[^\W\d_](?:\.[^\W\d_])+(?![\w]))"
    rf"|(?P<signed>(?<![\w])[A-Za-z](?:\+\+|\#)(?![\w+\#]))"
    rf"|(?P<word>{_LETTERS}(?:[{APOSTROPHES}]{_LETTERS})*)"
)
_PLAIN = re.compile(rf"{_LETTERS}(?:[{APOSTROPHES}]{_LETTERS})*")
"""The last of these alone, for texts in which nothing is _SPECIAL."""
_SPECIAL = re.compile(rf"\d[{_GROUPING}]\d\d|(?<![\w.])[^\W\d_]\.[^\W\d_]|\+\+|\#")
_NOT_SIMPLE = re.compile(r"'|`|\#|\+\+|\.[0-9A-Za-z]|,[0-9]")
"""What the simple expression does not read. All of it begins with one of six characters, so it is quick to look for."""
_ASCII_WORD = re.compile("[a-z0-9]+")
_APOSTROPHE = re.compile(f"[{APOSTROPHES}]")
_IN_ACRONYM = re.compile(f"[{_GERSHAYIM}]")
_PIECE = re.compile(
    rf"(?P<unspaced>[{_UNSPACED}][{_UNSPACED}{_MARKS}]*)|(?:(?![{_UNSPACED}{APOSTROPHES}])[^\W_]|[{_MARKS}])+|c\+\+|[a-z](?:\+\+|\#)"
)
_UNSPACED_FIRST = re.compile(f"[{_UNSPACED}]")
_UNIT = re.compile(rf"(?:[^{_MARKS}]|^)[{_MARKS}]*")


# Words come again and again: remembered, a text in Russian is read in half the time.
_exact, _plain = (remembered(max_bytes=2**21)(function) for function in (exact_word, plain_word))


class Token(NamedTuple):  # a text has hundreds, and this takes a third of the time of an attrs class
    """A word of a text.

    Attributes:
        word: in its plain form: what is compared.
        exact: in the form that keeps its marks.
        start, end: where it stands in the text, in code points.
        last: it is the last letter of a run of a script without spaces.
    """

    word: str
    exact: str
    start: int
    end: int
    last: bool = False

    @property
    def unspaced(self) -> bool:
        """True of a script without spaces: two neighbours, or the last letter of a run."""
        return is_unspaced(self.word)


def plain_words(text: str) -> list[str]:
    """The words of a text in their plain form, in order: those of `tokens`, quicker where a text is plain English."""
    if _is_simple(text):
        return [word[:MAX_WORD_CHARS] for word in _ASCII_WORD.findall(text.lower())]
    return [token.word for token in tokens(text)]


def placed_words(text: str) -> Iterator[tuple[str, int, int]]:
    """The same, each with its place in the text, from and up to, in code points."""
    if _is_simple(text):
        return ((match[0][:MAX_WORD_CHARS], match.start(), match.end()) for match in _ASCII_WORD.finditer(text.lower()))
    return ((one.word, one.start, one.end) for one in tokens(text))


def _is_simple(text: str) -> bool:
    """Whether the words of a text are its runs of ASCII letters and digits, which are read in a third of the time."""
    return text.isascii() and _NOT_SIMPLE.search(text) is None


def is_unspaced(word: str) -> bool:
    """Whether a word is of a script without spaces."""
    return not word.isascii() and _UNSPACED_FIRST.match(word) is not None


def is_one_letter(word: str) -> bool:
    """Whether a word is the last letter of a run of a script without spaces."""
    return is_unspaced(word) and len(_UNIT.findall(word)) == 1


def tokens(text: str) -> Iterator[Token]:
    """The words of a text, in order."""
    if _SPECIAL.search(text) is None:
        yield from _words(_PLAIN.finditer(text))
        return
    place = 0
    for number in _NUMBER.finditer(text):
        yield from _words(_RAW.finditer(text, place, number.start()))
        yield _bare(_GROUPING_MARK.sub("", number[0]), number.start(), number.end())
        place = number.end()
    yield from _words(_RAW.finditer(text, place))


def _words(matches: Iterable[re.Match[str]]) -> Iterator[Token]:
    for match in matches:
        raw, start = match[0], match.start()
        if match.lastgroup in ("initials", "signed"):
            yield _bare(raw.replace(".", ""), start, match.end())
        elif raw.isascii() and raw.isalnum():
            word = raw.lower()[:MAX_WORD_CHARS]
            yield Token(word, word, start, match.end())
        else:
            for part, offset in _without_apostrophes(raw):
                yield from _pieces(part, start + offset)


def _bare(raw: str, start: int, end: int) -> Token:
    """A number without its groups, initials without their dots or a sign's name, as one word."""
    exact = exact_word(raw)[:MAX_WORD_CHARS]
    return Token(plain_word(exact), exact, start, end)


def _without_apostrophes(raw: str) -> Iterator[tuple[str, int]]:
    """The parts of a word between its apostrophes that are looked for, each with its place."""
    parts, place = [], 0
    for part in _APOSTROPHE.split(raw):
        parts.append((part, place))
        place += len(part) + 1
    if len(parts) > 1 and parts[-1][0] in ("s", "S"):
        parts.pop()
    while len(parts) > 1 and parts[0][0].lower() in _ELIDED:
        parts.pop(0)
    yield from parts


def _pieces(raw: str, start: int) -> Iterator[Token]:
    """The words in a run of letters: a run may change its script, and folding may take a sign apart."""
    folded = _exact(_IN_ACRONYM.sub("", raw))
    kept = len(folded) == len(raw)  # then each letter stands where it stood
    for match in _PIECE.finditer(folded):
        begin, end = (start + match.start(), start + match.end()) if kept else (start, start + len(raw))
        if match["unspaced"]:
            yield from _neighbours(match[0], begin, end, kept=kept)
        else:
            exact = match[0][:MAX_WORD_CHARS]
            yield Token(_plain(exact), exact, begin, end)


def _neighbours(run: str, start: int, end: int, *, kept: bool) -> Iterator[Token]:
    """Each two neighbours of a run, then its last letter; a letter has its marks with it."""
    units = [(match[0], match.start(), match.end()) for match in _UNIT.finditer(run)]
    for (one, begin, _), (other, _, stop) in pairwise(units):
        pair = one + other
        yield Token(pair, pair, start + begin if kept else start, start + stop if kept else end)
    letter, begin, _ = units[-1]
    yield Token(letter, letter, start + begin if kept else start, end, last=True)
