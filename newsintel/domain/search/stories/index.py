"""Finds the story of a title among the founders of all stories so far, without comparing with each.

The founders are listed by class and by time. A title is compared only with founders that share a
class with it that is rare enough: those that share only its commonest classes, of less weight
together than MIN_COMMON, cannot be similar.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from attrs import frozen

from newsintel.domain.bounds.slices import Sliced
from newsintel.domain.search.stories.judging import (
    WINDOW,
    Told,
    are_one_article,
    judge_titles,
)
from newsintel.domain.search.stories.similarity import MIN_COMMON, MIN_DICE
from newsintel.domain.search.stories.vetoes import Veto

_MAX_APART = 5
"""Near misses that are listed for an article: those most similar."""

_SLICE_POSTINGS, _SLICE_TITLES = 10_000, 100
"""Founders counted, and titles compared, in one slice: about 1 ms and 2 ms."""


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


@frozen
class Found:
    """The result for a title.

    Attributes:
        number: of the founder of its story; None if it has none.
        similarity: to that founder's title; 1.0 if they are equal.
        apart: near misses, the most similar first.
    """

    number: int | None = None
    similarity: float = 0.0
    apart: tuple[NearMiss, ...] = ()


class Stories:
    """The founders of stories, numbered from 0 as they are added."""

    def __init__(self) -> None:
        self._founders: list[Told] = []
        self._by_title: defaultdict[str, list[int]] = defaultdict(list)
        self._by_class: defaultdict[tuple[int | None, str], list[int]] = defaultdict(list)

    def add(self, told: Told) -> None:
        """Add the founder of a story."""
        number = len(self._founders)
        self._founders.append(told)
        if told.title.folded:
            self._by_title[told.title.folded].append(number)
        if not told.title.thin:
            bucket = _find_bucket(told.at)
            for name in told.title.weights:
                self._by_class[bucket, name].append(number)

    def find(self, told: Told) -> Sliced[Found]:
        """Find the story of a title: that of an equal title, else of the most similar one.

        On a tie the earliest founder wins.
        """
        for number in self._by_title.get(told.title.folded, ()):
            if are_one_article(told, self._founders[number]):
                return Found(number, 1.0)
        if told.title.thin:
            return Found()
        candidates = yield from self._list_candidates(told)
        return (yield from self._choose(told, candidates))

    def _choose(self, told: Told, candidates: Sequence[int]) -> Sliced[Found]:
        best, alike = None, 0.0
        apart: list[NearMiss] = []
        for count, number in enumerate(candidates, 1):
            if count % _SLICE_TITLES == 0:
                yield
            judgement = judge_titles(told, self._founders[number])
            if judgement.veto is not None:
                apart.append(NearMiss(number, judgement.veto, judgement.similarity))
            elif judgement.similar and judgement.similarity > alike:
                best, alike = number, judgement.similarity
        apart.sort(key=lambda miss: (-miss.similarity, miss.number))
        return Found(best, alike, tuple(apart[:_MAX_APART]))

    def _list_candidates(self, told: Told) -> Sliced[list[int]]:
        """Return, ascending, all founders that may be similar, and few others."""
        weights = told.title.weights
        total = told.title.total
        found: list[int] = []
        for bucket in _list_buckets(told.at):
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


def _list_buckets(at: datetime | None) -> tuple[int | None, ...]:
    """Return the buckets of all founders within the window of a time, and those without a time."""
    bucket = _find_bucket(at)
    return (None,) if bucket is None else (None, bucket - 1, bucket, bucket + 1)
