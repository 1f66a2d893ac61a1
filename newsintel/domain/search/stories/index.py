"""Finds the story of a title among the founders of all stories so far, without comparing with each.

The founders are listed by class and by time. A title is compared only with founders that share a
class with it that is rare enough: those that share only its commonest classes, of less weight
together than MIN_COMMON, cannot be similar.
"""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime

from attrs import frozen

from newsintel.domain.bounds.slices import Sliced
from newsintel.domain.search.stories.judging import (
    WINDOW,
    Judgement,
    Told,
    are_one_article,
    judge_titles,
)
from newsintel.domain.search.stories.similarity import MIN_COMMON, MIN_DICE, compare_titles
from newsintel.domain.search.stories.vetoes import Veto

_MAX_APART = 5
"""Near misses that are listed for an article: those most similar."""

_SLICE_POSTINGS = 10_000
"""Founders counted in one slice: about 1 ms."""

_SLICE_STEPS = 2_000
"""Words of titles compared in one slice: 100 pairs of usual titles, about 2 ms."""


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
        self._buckets: set[int | None] = set()
        self._by_class: defaultdict[tuple[int | None, str], list[int]] = defaultdict(list)

    def add(self, told: Told) -> None:
        """Add the founder of a story."""
        number = len(self._founders)
        self._founders.append(told)
        if told.title.folded:
            self._by_title[told.title.folded].append(number)
        if not told.title.thin:
            bucket = _find_bucket(told.at)
            self._buckets.add(bucket)
            for name in told.title.weights:
                self._by_class[bucket, name].append(number)

    def find(self, told: Told) -> Sliced[tuple[int, float] | None]:
        """Find the story of a title: that of an equal title, else of the most similar one.

        Returns:
            Number of the founder, the earliest on a tie, and its similarity; None if there is none.
        """
        for number in self._by_title.get(told.title.folded, ()):
            if are_one_article(told, self._founders[number]):
                return number, 1.0
        best, alike = None, 0.0
        for number, judgement in (yield from self._judge_similar(told)):
            if judgement.veto is None and judgement.similarity > alike:
                best, alike = number, judgement.similarity
        return None if best is None else (best, alike)

    def find_near_misses(self, told: Told, own: int | None = None) -> Sliced[tuple[NearMiss, ...]]:
        """Return the founders with similar titles that are other stories, the most similar first.

        At most five.

        Args:
            told: a title.
            own: the number of the title's own founder, which is left out.
        """
        apart = [
            NearMiss(number, judgement.veto, judgement.similarity)
            for number, judgement in (yield from self._judge_similar(told))
            if judgement.veto is not None and number != own
        ]
        apart.sort(key=lambda miss: (-miss.similarity, miss.number))
        return tuple(apart[:_MAX_APART])

    def compare(self, told: Told, number: int) -> float:
        """Return the similarity of a title and a founder's, 0..1."""
        return compare_titles(told.title, self._founders[number].title)

    def _judge_similar(self, told: Told) -> Sliced[list[tuple[int, Judgement]]]:
        """Return, ascending, all founders with similar titles."""
        if told.title.thin:
            return []
        similar = []
        work = 0
        for number in (yield from self._list_candidates(told)):
            founder = self._founders[number]
            work += len(told.title.steps) + len(founder.title.steps)
            if work > _SLICE_STEPS:
                yield
                work = 0
            judgement = judge_titles(told, founder)
            if judgement.similar:
                similar.append((number, judgement))
        return similar

    def _list_buckets(self, at: datetime | None) -> set[int | None]:
        """Return the buckets of all founders that may be within the window of a time."""
        bucket = _find_bucket(at)
        if bucket is None:
            return self._buckets
        return self._buckets & {None, bucket - 1, bucket, bucket + 1}

    def _list_candidates(self, told: Told) -> Sliced[list[int]]:
        """Return, ascending, all founders that may be similar, and few others."""
        weights = told.title.weights
        total = told.title.total
        found: list[int] = []
        for bucket in self._list_buckets(told.at):
            listed = [
                (name, self._by_class[bucket, name])
                for name in weights
                if (bucket, name) in self._by_class
            ]
            listed.sort(key=lambda pair: len(pair[1]))
            skipped = _skip_commonest(listed, weights)
            common: defaultdict[int, float] = defaultdict(float)
            for name, numbers in listed:
                weight = weights[name]
                for start in range(0, len(numbers), _SLICE_POSTINGS):
                    for number in numbers[start : start + _SLICE_POSTINGS]:
                        common[number] += weight
                    if len(numbers) > _SLICE_POSTINGS // 10:
                        yield
            founders = self._founders
            found += [
                number
                for number, weight in common.items()
                if weight + skipped >= MIN_DICE * (total + founders[number].title.total) / 2
            ]
            yield
        return sorted(found)


def _skip_commonest(listed: list[tuple[str, list[int]]], weights: Mapping[str, float]) -> float:
    """Drop the classes with the longest lists while they weigh less than MIN_COMMON together.

    Returns:
        Their weight.
    """
    skipped = 0.0
    while listed:
        weight = weights[listed[-1][0]]
        # Numbers do not count for MIN_COMMON: skipping one loses nothing.
        counted = 0.0 if listed[-1][0][0] == "#" else weight
        if skipped + counted >= MIN_COMMON:
            break
        listed.pop()
        skipped += weight
    return skipped


def _find_bucket(at: datetime | None) -> int | None:
    return None if at is None else int(at.timestamp() // WINDOW.total_seconds())
