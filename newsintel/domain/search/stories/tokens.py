"""Splits a title into words, numbers, dates and times.

A word keeps whether it has a capital. A run of a script without spaces becomes listed words
(places, opposites) and pairs of letters.
"""

import re
from collections.abc import Iterator, Sequence
from enum import IntEnum, auto
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from newsintel.domain.search.stories.lists import fold_word, stem
from newsintel.domain.search.stories.vocabulary import (
    CACHED_WORDS,
    load_vocabulary,
    read_calendar,
    read_numbers,
)
from newsintel.domain.text.tokens import MARKS, MAX_WORD_CHARS, UNSPACED


class Kind(IntEnum):
    """What a token is."""

    __hash__ = int.__hash__  # that of enumerations is many times slower

    WORD = auto()
    LISTED = auto()  # a listed word of a script without spaces
    PAIR = auto()  # of letters of such a script
    NUMBER = auto()
    YEAR = auto()
    DATE = auto()
    WEEKDAY = auto()
    TIME = auto()


class Token(NamedTuple):
    """A part of a title.

    Attributes:
        text: folded; a number in digits, a date as `2024-5-1`, `5-1` or `5`, a weekday as `d1`, a
            time as `17:30`.
        stem: of a word; otherwise the text.
        capital: its first letter is a capital.
    """

    kind: Kind
    text: str
    stem: str
    capital: bool = False


_LETTER = rf"(?:(?![{UNSPACED}])[^\W\d_]|[{MARKS}])"
_TOKEN = re.compile(
    rf"""
    (?P<date>(?<![\d.,/])
       (?:\d{{4}}([-/.])\d{{1,2}}\2\d{{1,2}}|\d{{1,2}}([-/.])\d{{1,2}}\3(?:\d{{4}}|\d{{2}}))
       (?![\d/]|[.,]\d))
  | (?P<eastern>(?:(?P<year>\d{{4}})[年년]\s?)?(?P<month>\d{{1,2}})[月월]\s?
       (?:(?P<day>\d{{1,2}})[日号號일])?)
  | (?P<time>(?<![\d.,])\d{{1,2}}(?:[:.]\d{{2}})?(?:\s?[ap]\.?m|[AP]\.?M)\b\.?
       |(?<!\d)\d{{1,2}}:\d{{2}}(?!\d))
  | (?P<score>(?<![\d.,-])\d{{1,3}}[-–]\d{{1,3}}(?![\d-]))
  | (?P<number>\d+(?:[.,]\d+)*)(?P<unit>(?:st|nd|rd|th)\b|{_LETTER}{{1,3}}\b)?
  | (?P<initials>(?<![\w.])[^\W\d_](?:\.[^\W\d_])+\.?(?!\w))
  | (?P<unspaced>[{UNSPACED}][{UNSPACED}{MARKS}]*)
  | (?P<word>{_LETTER}+(?:['’]{_LETTER}+)*)
    """,  # noqa: RUF001 - titles use every dash and apostrophe
    re.VERBOSE,
)
_TIME = re.compile(r"(\d+)(?:[:.](\d+))?\s?([apAP])?")
_GROUPED = re.compile(r"\d{1,3}(?:([.,])\d{3})(?:\1\d{3})*|\d{1,2}(?:,\d{2})+,\d{3}")
_YEARS = range(1900, 2100)
_SHORT_YEAR = 100
_MAX_DIGITS = 15
"""Digits of a number that are compared: as many as a double keeps."""


_SPANNING = re.compile(r"\d\s[ap]|[年년月월]\s")
"""Only a time (`5 pm`) and a date in East Asian writing may have a space within."""
_PUNCTUATION = ",:;?!"


def split_title(text: str) -> list[Token]:
    """Split a title, in NFKC, into its tokens."""
    if _SPANNING.search(text):
        return join_tokens(read_tokens(text))
    return join_tokens([token for part in text.split() for token in read_tokens(part)])


def read_tokens(text: str) -> list[Token]:
    """Return the tokens of a text one by one, before numbers and dates are joined."""
    word = text.rstrip(_PUNCTUATION)
    if word.isalpha() and word.isascii():  # most parts of English titles
        return [_read_word(word)]
    return list(_read(text))


def join_tokens(single: Sequence[Token]) -> list[Token]:
    """Join numbers with their scales, and months with their days."""
    tokens = list(single)
    if Kind.NUMBER in [token.kind for token in tokens]:
        tokens = _scale_numbers(tokens)
    return _join_dates(tokens)


def _read(text: str) -> Iterator[Token]:
    for match in _TOKEN.finditer(text):
        found = [_read_word(match[0])] if match.lastgroup == "word" else _read_other(match)
        # Marks alone, as in an emoji or behind a digit, are no word: their stem is empty.
        yield from (token for token in found if token.stem)


def _read_other(match: re.Match[str]) -> Iterator[Token]:
    raw = match[0]
    if match["number"]:
        yield from _read_number(match["number"], match["unit"])
    elif match["unspaced"]:
        yield from _split_run(raw)
    elif match["initials"]:
        word = fold_word(raw.replace(".", ""))
        yield Token(Kind.WORD, word, stem(word), capital=True)
    elif match["score"]:
        yield _make_token(Kind.NUMBER, raw.replace("–", "-"))  # noqa: RUF001
    elif match["date"]:
        yield _make_date(*map(int, re.split(r"\D", raw)))
    elif match["eastern"]:
        parts = [match["year"], match["month"], match["day"]]
        yield _make_token(Kind.DATE, "-".join(str(int(part)) for part in parts if part))
    else:
        yield from _read_time(raw)


def _make_token(kind: Kind, text: str) -> Token:
    return Token(kind, text, text)


@lru_cache(maxsize=CACHED_WORDS)
def _read_word(raw: str) -> Token:
    head, mark, tail = raw.replace("’", "'").rpartition("'")  # noqa: RUF001
    if mark and tail in ("s", "S"):
        raw = head
    word = fold_word(raw[:MAX_WORD_CHARS])
    capital = raw[:1].isupper()
    # `US` is the country, `us` a pronoun.
    if word in ("us", "it", "who") and not (raw.isupper() and len(raw) > 1):
        return Token(Kind.WORD, word, word)
    if capital or not raw[:1].islower() or not raw.isascii():
        key = read_calendar().get(word)
        if key and key[0] == "d":
            return Token(Kind.WEEKDAY, key, key)
    value = read_numbers("numbers.txt").get(word)
    if value is not None:
        return _make_token(Kind.NUMBER, str(value))
    return Token(Kind.WORD, word, stem(word), capital)


def _read_number(digits: str, unit: str | None) -> Iterator[Token]:
    value = re.sub("[.,]", "", digits) if _GROUPED.fullmatch(digits) else digits.replace(",", ".")
    value = value[:_MAX_DIGITS]
    if not unit and len(digits) == 4 and digits.isdecimal() and int(digits) in _YEARS:
        yield _make_token(Kind.YEAR, str(int(digits)))
        return
    yield _make_token(Kind.NUMBER, value.lstrip("0") or "0")
    if unit and unit not in ("st", "nd", "rd", "th"):
        word = fold_word(unit)
        yield Token(Kind.WORD, word, stem(word))


def _read_time(raw: str) -> Iterator[Token]:
    """Yield a time in 24 hours; both that it may be if it says neither a.m. nor p.m."""
    hour, minutes, half = _TIME.match(raw).groups()  # type: ignore[union-attr]
    hours = {int(hour) % 24}
    if half:
        hours = {int(hour) % 12 + 12 * (half in "pP")}
    elif int(hour) <= 12:
        hours = {int(hour) % 12, int(hour) % 12 + 12}
    for one in sorted(hours):
        yield _make_token(Kind.TIME, f"{one}:{minutes or '00'}")


def _split_run(run: str) -> Iterator[Token]:
    """Yield the listed words of a run, and the pairs of letters between them."""
    at = 0
    vocabulary = load_vocabulary()
    for found in vocabulary.unspaced.finditer(run):
        yield from _pair_letters(run[at : found.start()])
        key = read_calendar().get(found[0])
        yield (_make_token(Kind.WEEKDAY, key) if key else _make_token(Kind.LISTED, found[0]))
        at = found.end()
    yield from _pair_letters(run[at:])


def _pair_letters(run: str) -> Iterator[Token]:
    if len(run) == 1:
        yield _make_token(Kind.PAIR, run)
    for one, other in pairwise(run):
        yield _make_token(Kind.PAIR, one + other)


def _make_date(first: int, second: int, third: int) -> Token:
    """Return `year-number-number`, the numbers ascending: outlets write day and month both ways."""
    if first > 31:
        year, *rest = first, second, third
    else:
        *rest, year = first, second, third
    low, high = sorted(rest)
    return _make_token(Kind.DATE, f"{year % _SHORT_YEAR}-{low}-{high}")


def _scale_numbers(tokens: list[Token]) -> list[Token]:
    """Multiply each number by the scale that follows it: `5.2 million` is 5200000."""
    scales = read_numbers("scales.txt")
    places = [
        place
        for place, (token, after) in enumerate(pairwise(tokens))
        if token.kind is Kind.NUMBER and after.text in scales and _is_decimal(token.text)
    ]
    for place in reversed(places):
        value = float(tokens[place].text) * scales[tokens[place + 1].text]
        tokens[place : place + 2] = [_make_token(Kind.NUMBER, f"{value:.12g}")]
    return tokens


def _is_decimal(text: str) -> bool:
    return text.count(".") <= 1 and text.replace(".", "").isdigit()


def _join_dates(tokens: list[Token]) -> list[Token]:
    """Turn a month and the day beside it into a date: `5 May`, `May 5th`, `May`."""
    months = read_calendar()
    if months.keys().isdisjoint([token.text for token in tokens]):
        return tokens
    used: set[int] = set()
    for place, token in enumerate(tokens):
        key = months.get(token.text) if token.kind is Kind.WORD else None
        if key is None or not (token.capital or not token.text.isascii()):
            continue
        beside = [
            at
            for at in (place + 1, place - 1)
            if 0 <= at < len(tokens) and at not in used and _is_day(tokens[at])
        ]
        if beside:
            used.add(beside[0])
            tokens[place] = _make_token(Kind.DATE, f"{key[1:]}-{tokens[beside[0]].text}")
        elif token.text not in ("may", "mar", "jan", "august", "april", "june", "mai", "mars"):
            tokens[place] = _make_token(Kind.DATE, key)
    return [token for place, token in enumerate(tokens) if place not in used]


def _is_day(token: Token) -> bool:
    return token.kind is Kind.NUMBER and token.text.isdigit() and 1 <= int(token.text) <= 31
