"""Finds the title most like a new one, among all seen so far, without comparing it with each.

Titles flow in folded and in order. The result is exactly that of comparing all pairs. A title
within k edits of another keeps all but 2k of its pairs of neighbouring letters (each edit changes
at most two), so titles with fewer common pairs are excluded without a comparison. The pairs are
counted for all titles at once, as bits of large integers: bit n belongs to title n.
"""

from collections.abc import Sequence
from math import nextafter
from re import finditer

from rapidfuzz import process
from rapidfuzz.distance import Levenshtein

from newsintel.domain.bounds.slices import Sliced

# How many bitmaps the letter pairs share. Sharing can only make a title look more similar, so this
# changes speed and memory (128 bytes a title) but no result. Measured on 21,294 headlines: 8.1 s
# with 256, 2.1 s with 1024, 1.6 s with 4096.
_BITMAPS = 1024

# From this many titles on, counting letter pairs is faster than comparing with each. Measured: 250
# titles in 3 ms compared, 8.5 ms counted; 21,294 in 23 s and 2 s.
_MIN_INDEXED_TITLES = 400

# Before there are _MIN_INDEXED_TITLES, a few at a time are added to the bitmaps. Adding all at once
# would block the event loop.
_AHEAD = 50
_AT_ONCE = 8

# Pairs of letters compared in one slice: 500 titles of 80 letters, or 35 of 300. It takes at most 2
# ms.
_SLICE_WORK = 3_200_000

# The lowest similarity that counts: the contract requires more than 0.8. (1 - 1/5 is exactly the
# double 0.8, so rounding never lifts 0.8 above the limit.)
_MIN_SIMILARITY = nextafter(0.8, 1.0)


def compare_similarity(one: str, other: str) -> float:
    """Return 1 - Levenshtein(one, other) / max(len) of two folded titles; 0 if one is empty."""
    return Levenshtein.normalized_similarity(one, other) if one and other else 0.0


class Titles:
    """Folded titles, numbered from 0 as they are added. No two are equal; none is empty."""

    def __init__(self) -> None:
        self._titles: list[str] = []
        self._numbers: dict[str, int] = {}
        self._bitmaps = [0] * _BITMAPS  # for the first `_indexed` titles
        self._indexed = 0

    def add(self, title: str) -> None:
        """Add a title that is not empty and not yet in here."""
        self._numbers[title] = len(self._titles)
        self._titles.append(title)

    def find_nearest(self, title: str) -> Sliced[tuple[int, float] | None]:
        """Return number and similarity of the title most like this one, on a tie the earliest.

        None if no similarity is above 0.8.
        """
        if title in self._numbers:
            return self._numbers[title], 1.0
        edits = (len(title) - 1) // 4
        if edits <= 0:
            return None
        if len(self._titles) < _MIN_INDEXED_TITLES:
            if len(self._titles) >= _MIN_INDEXED_TITLES - _AHEAD:
                self._index_titles(_AT_ONCE)
            return (yield from _compare_titles(title, self._titles, range(len(self._titles))))
        near = self._find_candidates(title, edits)
        yield
        return (yield from _compare_titles(title, [self._titles[number] for number in near], near))

    def _find_candidates(self, title: str, edits: int) -> Sequence[int]:
        """Return the numbers of all titles that may be similar, and of few others, ascending.

        k edits with k/max(len) < 0.2 mean that the longer title is less than 1.25 times the
        shorter, hence k < len(title)/4. At least (len(title) - 1) - 2k pairs must be common. (The
        q-gram lemma: Ukkonen, Approximate string matching with q-grams, 1992.)
        """
        self._index_titles(len(self._titles))
        return _list_set_bits(self._select_by_pairs(len(title) - 1 - 2 * edits, _hash_pairs(title)))

    def _index_titles(self, most: int) -> None:
        """Add at most `most` further titles to the bitmaps."""
        up_to = min(len(self._titles), self._indexed + most)
        for number in range(self._indexed, up_to):
            for pair in set(_hash_pairs(self._titles[number])):
                self._bitmaps[pair] |= 1 << number
        self._indexed = up_to

    def _select_by_pairs(self, needed: int, pairs: list[int]) -> int:
        """Return a bit for each title that has at least `needed` (1 or more) of the pairs.

        A pair listed twice counts twice. Each title has a binary counter, whose digit d is its bit
        in `digits[d]`. The start value lets the counter overflow after `needed` pairs.
        """
        size = needed.bit_length()
        start = (1 << size) - needed
        every = (1 << len(self._titles)) - 1
        digits = [every if start >> place & 1 else 0 for place in range(size)]
        over = 0
        for pair in pairs:
            carry = self._bitmaps[pair]
            for place in range(size):
                if not carry:
                    break
                digit = digits[place]
                digits[place] = digit ^ carry
                carry &= digit
            over |= carry
        return over


def _compare_titles(
    title: str, titles: Sequence[str], numbers: Sequence[int]
) -> Sliced[tuple[int, float] | None]:
    """Return number and similarity of the most similar title, on a tie the earliest.

    None if no title is similar enough.
    """
    best, alike = None, _MIN_SIMILARITY
    portion = max(1, _SLICE_WORK // len(title) ** 2)
    for start in range(0, len(titles), portion):
        some = titles[start : start + portion]
        found = process.extractOne(
            title, some, scorer=Levenshtein.normalized_similarity, score_cutoff=alike
        )
        if found:
            best, alike = (numbers[start + found[2]], found[1]), nextafter(found[1], 2.0)
        yield
    return best


def _hash_pairs(title: str) -> list[int]:
    """Return the bitmap number of each pair of neighbouring letters."""
    return [hash(title[at : at + 2]) % _BITMAPS for at in range(len(title) - 1)]


def _list_set_bits(number: int) -> list[int]:
    """Return the positions of the set bits, ascending.

    They are read from the binary digits: clearing bits one by one copies a large number each time.
    """
    return [found.start() for found in finditer("1", bin(number)[:1:-1])]
