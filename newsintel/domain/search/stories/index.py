"""Finds the story of a title among the founders of all stories so far, without comparing with each.

Founders are kept in blocks of consecutive numbers. A block has a bitmap for each class. The classes
that a title shares with all founders of a block are counted at once, and if many founders share
enough, the weights are summed. The title is compared only with founders whose sum is enough for
their own weight. This leaves out no similar founder: similar titles share at least a part of their
weight (`MIN_DICE`), and as no class weighs more than 1, so many classes at least.
"""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from math import ceil, floor

from attrs import frozen

from newsintel.domain.bounds.slices import Sliced
from newsintel.domain.search.bit_counts import list_set_bits, select_by_count, select_by_sum
from newsintel.domain.search.stories.judging import (
    WINDOW,
    Told,
    are_one_article,
    find_contradiction,
)
from newsintel.domain.search.stories.similarity import (
    MIN_DICE,
    MIN_SIMILARITY,
    compare_titles,
)
from newsintel.domain.search.stories.vetoes import Veto

_MAX_APART = 5
"""Near misses that are listed for an article: those most similar."""

_BLOCK_FOUNDERS = 4096
"""Founders of a block. Larger blocks need more memory for rare classes, smaller ones more time."""

_SLICE_STEPS = 2_000
"""Words of titles compared in one slice: 100 pairs of usual titles, about 2 ms."""

_FEW_FOUNDERS = 16
"""So many founders are compared faster than the weights of all founders of a block are summed."""

_UNITS = 4
"""Weights are counted in quarters, rounded up."""

_NEED_DIGITS = 7
_MOST_NEEDED = (1 << _NEED_DIGITS) - 1
"""A founder's part of the shared weight that is needed has so many binary digits."""


@frozen
class NearMiss:
    """A founder with a similar title that is another story.

    Attributes:
        number: of the founder.
        veto: why it is another story.
        similarity: of the titles.
    """

    number: int
    veto: Veto
    similarity: float


class Stories:
    """The founders of stories, numbered from 0 as they are added."""

    def __init__(self) -> None:
        self._founders: list[Told] = []
        self._by_title: defaultdict[str, list[int]] = defaultdict(list)
        self._blocks: list[_Block] = []

    def add(self, told: Told) -> None:
        """Add the founder of a story."""
        number = len(self._founders)
        self._founders.append(told)
        if told.title.folded:
            self._by_title[told.title.folded].append(number)
        if number % _BLOCK_FOUNDERS == 0:
            self._blocks.append(_Block())
        self._blocks[-1].add(told, number % _BLOCK_FOUNDERS)

    def find(self, told: Told) -> Sliced[tuple[int, float] | None]:
        """Find the story of a title: that of an equal title, else of the most similar one.

        Returns:
            Number of the founder, the earliest on a tie, and its similarity; None if there is none.
        """
        for number in self._by_title.get(told.title.folded, ()):
            if are_one_article(told, self._founders[number]):
                return number, 1.0
        for similarity, number in (yield from self._list_similar(told)):
            if find_contradiction(told, self._founders[number]) is None:
                return number, similarity
            yield
        return None

    def find_near_misses(self, told: Told, own: int | None = None) -> Sliced[tuple[NearMiss, ...]]:
        """Return the founders with similar titles that are other stories, the most similar first.

        At most five.

        Args:
            told: a title.
            own: the number of the title's own founder, which is left out.
        """
        apart: list[NearMiss] = []
        for similarity, number in (yield from self._list_similar(told)):
            veto = find_contradiction(told, self._founders[number])
            if veto is not None and number != own:
                apart.append(NearMiss(number, veto, similarity))
                if len(apart) == _MAX_APART:
                    break
            yield
        return tuple(apart)

    def compare(self, told: Told, number: int) -> float:
        """Return the similarity of a title and a founder's, 0..1."""
        return compare_titles(told.title, self._founders[number].title)

    def _list_similar(self, told: Told) -> Sliced[list[tuple[float, int]]]:
        """Return similarity and number of all founders with similar titles.

        The most similar is first, on a tie the earliest.
        """
        title = told.title
        if title.thin:
            return []
        similar = []
        steps = len(title.steps)
        work = 0
        for place, block in enumerate(self._blocks):
            if not block.may_hold(told.at):
                continue
            for position in block.select(title.weights, title.total):
                number = place * _BLOCK_FOUNDERS + position
                founder = self._founders[number].title
                work += steps + len(founder.steps)
                if work > _SLICE_STEPS:
                    yield
                    work = 0
                similarity = compare_titles(title, founder, MIN_SIMILARITY)
                if similarity >= MIN_SIMILARITY:
                    similar.append((similarity, number))
            yield
        similar.sort(key=lambda one: (-one[0], one[1]))
        return similar


class _Block:
    """Some founders by class. Bit n belongs to the n-th.

    All but those whose title says little: they are similar to none.
    """

    def __init__(self) -> None:
        self._bitmaps: dict[str, int] = {}
        self._spare = [0] * _NEED_DIGITS  # _MOST_NEEDED minus what the founder needs, by digit
        self._least_needed = _MOST_NEEDED  # by any founder
        self._first: datetime | None = None
        self._last: datetime | None = None
        self._undated = False

    def add(self, told: Told, position: int) -> None:
        """Add a founder."""
        if told.title.thin:
            return
        bit = 1 << position
        bitmaps = self._bitmaps
        for name in told.title.weights:
            bitmaps[name] = bitmaps.get(name, 0) | bit
        needed = min(_MOST_NEEDED, _count_needed(told.title.total))
        self._least_needed = min(self._least_needed, needed)
        spare = _MOST_NEEDED - needed
        for digit in range(_NEED_DIGITS):
            if spare >> digit & 1:
                self._spare[digit] |= bit
        if told.at is None:
            self._undated = True
        else:
            self._first = min(self._first or told.at, told.at)
            self._last = max(self._last or told.at, told.at)

    def may_hold(self, at: datetime | None) -> bool:
        """Whether a founder may be within the window of a time."""
        if at is None or self._undated:
            return True
        if self._first is None or self._last is None:
            return False
        return self._first - WINDOW <= at <= self._last + WINDOW

    def select(self, weights: Mapping[str, float], total: float) -> list[int]:
        """Return the positions of all founders that share enough, and few others, ascending.

        Those that share enough classes are found first. If they are many, the weights are summed: a
        sum that includes what a founder does not need is compared with one number for all.
        """
        bitmaps = self._bitmaps
        shared = [
            (bitmap, weight)
            for name, weight in weights.items()
            if (bitmap := bitmaps.get(name)) is not None
        ]
        needed = _count_needed(total)
        classes = max(1, ceil((needed + self._least_needed) / _UNITS))  # none weighs more than 1
        if len(shared) < classes:
            return []
        selected = select_by_count([bitmap for bitmap, _ in shared], classes)
        if selected.bit_count() > _FEW_FOUNDERS:
            digits = [[spare] for spare in self._spare]
            for bitmap, weight in shared:
                for digit in _list_digits(weight):
                    digits[digit].append(bitmap)
            selected = select_by_sum(digits, _MOST_NEEDED + needed)
        return list_set_bits(selected)


@cache
def _list_digits(weight: float) -> tuple[int, ...]:
    """Return the places of the binary digits of a weight that are 1."""
    units = ceil(_UNITS * weight)
    return tuple(place for place in range(_NEED_DIGITS) if units >> place & 1)


def _count_needed(total: float) -> int:
    """Return the part of one title in the shared weight that is needed, rounded down.

    Both parts together are the least weight that two titles share: MIN_DICE of the mean of their
    weights.
    """
    return floor(_UNITS * MIN_DICE * total / 2 - 1e-9)
