"""Computes how popular a story is from what readers and editors did, independent of any query.

| part | weight | evidence, 0..1 |
|---|---|---|
| engagement | 0.4 | log(1 + points + comments) / log(1 + 100,000), the highest in the group |
| corroboration | 0.3 | 1 - 1/n for n publishers of pages: one gives 0, the second adds most |
| saves | 0.3 | log(1 + people) / log(1 + 1,000), the highest in the group |

The weights are a judgement: reactions of readers, there and here, count more than the number of
publishers. No part decides alone, since most stories lack one: only Reddit counts its readers, and
only what is shown here can be saved here. Votes and saves are heavy-tailed, hence the logarithms.
100,000 is about what the largest Reddit posts reach, 1,000 what a busy service of this kind may
reach. One person may save several articles of a group, so their numbers are not added.
"""

from collections.abc import Iterable, Mapping
from math import log1p
from types import MappingProxyType

from newsintel.domain.search.article import Article, Engagement, Group, Member
from newsintel.domain.text.clean import fold


class SaveCounter:
    """How many people saved an article, by public id.

    Articles saved by so few people that a number could identify somebody are missing.
    """

    def __init__(self) -> None:
        self._counts: Mapping[str, int] = {}

    def replace(self, counts: Mapping[str, int]) -> None:
        """Replace all numbers."""
        self._counts = counts

    def select(self, article_ids: Iterable[str]) -> dict[str, int]:
        """Return the numbers of those articles that have one."""
        return {one: self._counts[one] for one in article_ids if one in self._counts}


ENGAGEMENT, CORROBORATION, SAVES = 0.4, 0.3, 0.3

MOST_ENGAGED = 100_000

MOST_SAVED = 1_000

DECIMALS = 4

NO_SAVES: Mapping[str, int] = MappingProxyType({})


def score_popularity(group: Group, saves: Mapping[str, int]) -> float:
    """Return the popularity, 0..1, rounded to 4 decimals.

    It is rounded so that the order agrees with the number shown.

    Args:
        group: the story.
        saves: how many people saved an article, by public id. A missing article counts as 0.
    """
    parts = (
        ENGAGEMENT * score_engagement(group)
        + CORROBORATION * score_corroboration(group)
        + SAVES * _score_saves(group, saves)
    )
    return round(parts, DECIMALS)


def article_popularity(article: Article, publishers: int, saves: int) -> float:
    """Return the popularity of one article from the numbers of its publishers and saves."""
    readers = score_engagement(Group((Member(article),), article))
    return round(
        ENGAGEMENT * readers
        + CORROBORATION * (1 - 1 / publishers)
        + SAVES * _scale_logarithmically(saves, MOST_SAVED),
        DECIMALS,
    )


def score_corroboration(group: Group) -> float:
    """Return the part for the number of publishers, 0..1.

    A page has one publisher, that of the first member: sources may write its name differently, and
    a link post names an outlet by its address.
    """
    by_page = {it.article.id: fold(it.article.publisher) for it in reversed(group.members)}
    return 1 - 1 / len(set(by_page.values()))


def score_engagement(group: Group) -> float:
    """Return the part for reactions of readers, as their sources count them, 0..1.

    A negative count (Reddit's points can be negative) is 0.
    """
    return max(scale_engagement(member.article.engagement) for member in group.members)


def scale_engagement(engagement: Engagement | None) -> float:
    """Return the worth of an article's reactions, 0..1; 0 if its source does not count them."""
    if engagement is None:
        return 0.0
    return _scale_logarithmically(max(0, engagement.points + engagement.comments), MOST_ENGAGED)


def _score_saves(group: Group, saves: Mapping[str, int]) -> float:
    return _scale_logarithmically(
        max(saves.get(member.article.id, 0) for member in group.members), MOST_SAVED
    )


def _scale_logarithmically(count: int, most: int) -> float:
    return min(1.0, log1p(count) / log1p(most))
