"""Finds the title most like a new one, among all seen so far, without comparing it with each.

Titles flow in folded and in order. The result is exactly that of comparing all pairs. A title
within k edits of another keeps all but 2k of its pairs of neighbouring letters (each edit changes
at most two), so titles with fewer common pairs are excluded without a comparison. The pairs are
counted for all titles of about the same length at once, as bits of large integers.
"""

from collections.abc import Sequence
from itertools import pairwise
from math import log, nextafter

from rapidfuzz import process
from rapidfuzz.distance import Levenshtein

from newsintel.domain.bounds.slices import Sliced
from newsintel.domain.search.bit_counts import list_set_bits, select_by_sum

_BITMAPS = 1024
"""Bitmaps that the letter pairs of a group share. Sharing can only make a title look more similar,
so this changes speed and memory (128 bytes a title) but no result."""

_MIN_INDEXED_TITLES = 400
"""From this many titles on, counting letter pairs is faster than comparing with each."""

_AHEAD = 50
_AT_ONCE = 8
"""Before there are so many, a few at a time are indexed. Indexing all at once would block the event
loop."""

_GROUPS = 3
"""Groups of lengths for each factor e: the longest title of a group is 1.4 times the shortest. A
search looks at two groups or three: similar titles are about equally long."""

_SLICE_WORK = 3_200_000
"""Pairs of letters compared in one slice: 500 titles of 80 letters, or 35 of 300. It takes at most
2 ms."""

_MIN_SIMILARITY = nextafter(0.8, 1.0)
"""The lowest similarity that counts: the contract requires more than 0.8. (1 - 1/5 is exactly the
double 0.8, so rounding never lifts 0.8 above the limit.)"""


def compare_similarity(one: str, other: str) -> float:
    """Return 1 - Levenshtein(one, other) / max(len) of two folded titles; 0 if one is empty."""
    return Levenshtein.normalized_similarity(one, other) if one and other else 0.0


class Titles:
    """Folded titles, numbered from 0 as they are added. No two are equal; none is empty."""

    def __init__(self) -> None:
        self._titles: list[str] = []
        self._numbers: dict[str, int] = {}
        self._groups: dict[int, _Group] = {}  # of the first `_indexed` titles
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
        # k edits with k / max(len) < 1/5 mean that the longer title is less than 5/4 of the
        # shorter, so k < length / 4.
        edits = (len(title) - 1) // 4
        if edits <= 0:
            return None
        if len(self._titles) < _MIN_INDEXED_TITLES:
            if len(self._titles) >= _MIN_INDEXED_TITLES - _AHEAD:
                self._index_titles(_AT_ONCE)
            return (yield from _compare_titles(title, self._titles, range(len(self._titles))))
        self._index_titles(len(self._titles))
        near = sorted((yield from self._select(title, edits)))
        return (yield from _compare_titles(title, [self._titles[number] for number in near], near))

    def _index_titles(self, most: int) -> None:
        """Index at most `most` further titles."""
        up_to = min(len(self._titles), self._indexed + most)
        for number in range(self._indexed, up_to):
            title = self._titles[number]
            group = _find_group(len(title))
            if group not in self._groups:
                self._groups[group] = _Group()
            self._groups[group].add(number, set(_hash_pairs(title)))
        self._indexed = up_to

    def _select(self, title: str, edits: int) -> Sliced[list[int]]:
        """Return the numbers of all titles that may be similar, and of few others.

        If the longer one has n letters, its n - 1 pairs less two for each edit are common. (The
        q-gram lemma: Ukkonen, Approximate string matching with q-grams, 1992.)
        """
        length = len(title)
        needed = min(
            longer - 1 - 2 * ((longer - 1) // 5) for longer in range(length, length + edits + 1)
        )
        pairs = _hash_pairs(title)
        selected: list[int] = []
        shortest = length - (length - 1) // 5
        for number in range(_find_group(shortest), _find_group(length + edits) + 1):
            if group := self._groups.get(number):
                selected += group.select(pairs, needed)
                yield
        return selected


class _Group:
    """Titles of about the same length."""

    def __init__(self) -> None:
        self._numbers: list[int] = []
        self._bitmaps = [0] * _BITMAPS  # bit n belongs to the title _numbers[n]

    def add(self, number: int, pairs: set[int]) -> None:
        """Add a title."""
        bit = 1 << len(self._numbers)
        self._numbers.append(number)
        bitmaps = self._bitmaps
        for pair in pairs:
            bitmaps[pair] |= bit

    def select(self, pairs: Sequence[int], needed: int) -> list[int]:
        """Return all titles that have `needed` (1 or more) of some pairs, and few others.

        A pair listed twice counts twice.
        """
        bitmaps = [bitmap for pair in pairs if (bitmap := self._bitmaps[pair])]
        if len(bitmaps) < needed:
            return []
        numbers = self._numbers
        return [numbers[at] for at in list_set_bits(select_by_sum([bitmaps], needed))]


def _find_group(length: int) -> int:
    return int(_GROUPS * log(length))


def _hash_pairs(title: str) -> list[int]:
    """Return the bitmap of each pair of neighbouring letters; pairs of a to z share none."""
    return [(one * 31 + other) % _BITMAPS for one, other in pairwise(map(ord, title))]


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
