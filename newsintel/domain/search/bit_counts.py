"""Counts for many things at once: each has one bit in every bitmap, an integer of any size."""

import re
from collections.abc import Iterable, Sequence

_FEW_BITS = 16
_SET_OCTETS = re.compile(rb"[^\0]")


def select_by_count(bitmaps: Iterable[int], needed: int) -> int:
    """Return the bits that are set in at least `needed` (1 or more) bitmaps; from 3 on, in 3."""
    once = twice = thrice = 0
    for bitmap in bitmaps:
        thrice |= twice & bitmap
        twice |= once & bitmap
        once |= bitmap
    return (once, twice, thrice)[min(needed, 3) - 1]


def select_by_sum(digits: Sequence[Sequence[int]], needed: int) -> int:
    """Return the bits whose sum is at least `needed` (1 or more).

    The bitmaps of one digit are added three at a time, and their carries belong to the next digit
    (a carry-save adder).

    Args:
        digits: for each binary digit, lowest first, bitmaps that count 1, 2, 4, ... where set.
        needed: the lowest sum.
    """
    selected = 0
    compared = False
    carried: list[int] = []
    place = 0
    while place < len(digits) or carried:
        bitmaps = [*digits[place], *carried] if place < len(digits) else carried
        digit = bitmaps[0] if bitmaps else 0
        carried = []
        for at in range(1, len(bitmaps) - 1, 2):
            one, other = bitmaps[at], bitmaps[at + 1]
            odd = digit ^ one
            carried.append(digit & one | odd & other)
            digit = odd ^ other
        if bitmaps and len(bitmaps) % 2 == 0:
            carried.append(digit & bitmaps[-1])
            digit ^= bitmaps[-1]
        if needed >> place & 1:
            selected = digit & selected if compared else digit
            compared = True
        elif compared:
            selected |= digit
        place += 1
    return 0 if needed >> place else selected


def list_set_bits(bitmap: int) -> list[int]:
    """Return the positions of the set bits, ascending.

    Few bits are taken one by one. Each copies the bitmap, so more are read from its bytes.
    """
    bits = []
    if bitmap.bit_count() <= _FEW_BITS:
        while bitmap:
            lowest = bitmap & -bitmap
            bits.append(lowest.bit_length() - 1)
            bitmap ^= lowest
        return bits
    octets = bitmap.to_bytes((bitmap.bit_length() + 7) // 8, "little")
    for found in _SET_OCTETS.finditer(octets):
        octet, start = found[0][0], found.start() * 8
        bits += [start + bit for bit in range(8) if octet >> bit & 1]
    return bits
