"""Groups labelled titles by a rule, and counts right and wrong pairs."""

from collections import Counter, defaultdict
from collections.abc import Sequence

from attrs import frozen

from benchmarks.dedup.labelled import LabelledTitle
from benchmarks.dedup.rules import Rule, parse
from benchmarks.dedup.scores import Scores
from newsintel.domain.bounds.slices import run_all
from newsintel.domain.search.stories.index import Stories
from newsintel.domain.search.stories.judging import Told


@frozen
class Grouped:
    """Titles in groups.

    Attributes:
        founders: for each title the position of its group's founder.
        similarities: for each title that to its founder; None for founders.
        vetoes: how often each veto kept apart two titles of two stories, and of one.
    """

    founders: list[int]
    similarities: list[float | None]
    vetoes: dict[str, Counter[bool]]


def group_by_stories(titles: Sequence[LabelledTitle]) -> Grouped:
    """Group as a search does, without addresses."""
    stories, positions = Stories(), list[int]()
    founders, similarities = list[int](), list[float | None]()
    vetoes: defaultdict[str, Counter[bool]] = defaultdict(Counter)
    for position, labelled in enumerate(titles):
        told = Told(parse(labelled.title), labelled.publisher, labelled.at)
        found = run_all(stories.find(told))
        for miss in run_all(stories.find_near_misses(told)):
            other = titles[positions[miss.number]]
            vetoes[miss.veto][other.cluster == labelled.cluster] += 1
        if found is None:
            stories.add(told)
            positions.append(position)
        founders.append(position if found is None else positions[found[0]])
        similarities.append(None if found is None else found[1])
    return Grouped(founders, similarities, dict(vetoes))


def group_by_rule(titles: Sequence[LabelledTitle], rule: Rule) -> Grouped:
    """Let each title join the most similar founder that the rule accepts, as a search does."""
    founders, similarities = list[int](), list[float | None]()
    seen: list[int] = []
    for position, labelled in enumerate(titles):
        best, alike = position, 0.0
        for founder in seen:
            similarity = rule.compare(labelled.title, titles[founder].title)
            if similarity > alike and rule.accepts(similarity):
                best, alike = founder, similarity
        if best == position:
            seen.append(position)
        founders.append(best)
        similarities.append(None if best == position else alike)
    return Grouped(founders, similarities, {})


def count_pairs(titles: Sequence[LabelledTitle], founders: Sequence[int]) -> list[Scores]:
    """Count, for each title, its pairs with earlier titles: right, wrong and missed."""
    of_story: Counter[str] = Counter()
    of_group: Counter[int] = Counter()
    of_both: Counter[tuple[int, str]] = Counter()
    counted = []
    for labelled, founder in zip(titles, founders, strict=True):
        right = of_both[founder, labelled.cluster]
        counted.append(Scores(right, of_group[founder] - right, of_story[labelled.cluster] - right))
        of_story[labelled.cluster] += 1
        of_group[founder] += 1
        of_both[founder, labelled.cluster] += 1
    return counted
