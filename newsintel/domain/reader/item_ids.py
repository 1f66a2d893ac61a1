"""Item ids of Google Reader: numbers of 64 bits, for ids of articles that have 100 bits.

An item's number is the first 60 bits of the article's id, so it is never negative. Among a million
articles, two share a number with a probability of one in two million.

A number is written in two ways: as `tag:google.com,2005:reader/item/` and 16 hexadecimal digits, or
as a signed decimal number. Clients also send the digits alone.
"""

import re

PREFIX = "a_"
ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
DIGITS = 12
"""Characters of an article's id that make the number, 5 bits each."""

LONG_FORM = "tag:google.com,2005:reader/item/"
MOST = (1 << 5 * DIGITS) - 1
"""The greatest number."""
PATTERN = "^((tag:google[.]com,2005:reader/item/)?0[0-9a-f]{15}|0|[1-9][0-9]{0,17})$"
"""The forms in which we and most clients write ids. Others are read, too."""


def compute_number(article_id: str) -> int:
    """Return the item number of an article's public id."""
    number = 0
    for character in article_id[len(PREFIX) : len(PREFIX) + DIGITS]:
        number = number << 5 | ALPHABET.index(character)
    return number


def restore_prefix(number: int) -> str:
    """Return the beginning of the id of the article with this number."""
    digits = [ALPHABET[number >> 5 * place & 31] for place in reversed(range(DIGITS))]
    return PREFIX + "".join(digits)


def write_long(number: int) -> str:
    """Return the long form."""
    return f"{LONG_FORM}{number:016x}"


def parse_item_id(text: str) -> int:
    """Return the number of an item id in any of its forms.

    Raises:
        ValueError: it is none of them. The message states the rule.
    """
    digits = text.removeprefix(LONG_FORM)
    if digits == text and re.fullmatch(r"-?(0|[1-9][0-9]{0,19})", digits):
        return _check(int(digits))
    # Digits alone are decimal unless they begin with 0, as the hexadecimal form of our ids does.
    if re.fullmatch(r"[0-9a-fA-F]{1,16}" if digits != text else r"[0-9a-fA-F]{16}", digits):
        return _check(int(digits, 16))
    raise ValueError("must be an item id: a number, or its long form with 16 hexadecimal digits")


def _check(number: int) -> int:
    if not 0 <= number <= MOST:
        raise ValueError("is not the id of an item of this service")
    return number
