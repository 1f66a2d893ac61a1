"""How popular a story is: what readers and editors did about it, whatever was asked for.

| part | weight | evidence, 0..1 |
|---|---|---|
| engagement | 0.4 | log(1 + points + comments) / log(1 + 100,000) of the group's best |
| corroboration | 0.3 | 1 - 1/n for n publishers: one is none, the second counts most |
| saves | 0.3 | log(1 + people) / log(1 + 1,000) of the group's most saved |

The weights are a judgement: what readers did, there and here, counts more than how many desks ran the story, yet no part alone decides,
since most stories lack one: only Reddit counts its readers, and only what is shown here can be saved here. Votes and saves are
heavy-tailed, hence the logarithms; 100,000 is about what the largest Reddit posts reach, 1,000 what a busy service of this kind may.
People may have saved several articles of one group, so their numbers are not added up.
"""

from collections.abc import Iterable, Mapping
from math import log1p
from types import MappingProxyType

from newsintel.domain.search.article import Article, Group, Member
from newsintel.domain.text.clean import fold


class Saves:
    """Numbers of people by public id. Articles that too few saved for anybody to be told apart are not in it."""

    def __init__(self) -> None:
        self._counts: Mapping[str, int] = {}

    def replace(self, counts: Mapping[str, int]) -> None:
        """Know these from now on."""
        self._counts = counts

    def of(self, article_ids: Iterable[str]) -> dict[str, int]:
        """The numbers of those articles that have one."""
        return {one: self._counts[one] for one in article_ids if one in self._counts}


ENGAGEMENT, CORROBORATION, SAVES = 0.4, 0.3, 0.3

MOST_ENGAGED = 100_000

MOST_SAVED = 1_000

DECIMALS = 4

NO_SAVES: Mapping[str, int] = MappingProxyType({})


def popularity(group: Group, saves: Mapping[str, int]) -> float:
    """0..1, rounded to 4 decimals, so that the order agrees with the number shown.

    Args:
        group: the story.
        saves: how many people saved an article, by public id; articles that are not in it count as saved by nobody.
    """
    parts = ENGAGEMENT * engagement(group) + CORROBORATION * corroboration(group) + SAVES * _saved(group, saves)
    return round(parts, DECIMALS)


def counted(article: Article, publishers: int, saves: int) -> float:
    """Likewise of one article, whose story so many publishers tell and which so many people saved."""
    readers = engagement(Group((Member(article),), article))
    return round(ENGAGEMENT * readers + CORROBORATION * (1 - 1 / publishers) + SAVES * _share(saves, MOST_SAVED), DECIMALS)


def corroboration(group: Group) -> float:
    """How many publishers tell the story, 0..1."""
    return 1 - 1 / len({fold(member.article.publisher) for member in group.members})


def engagement(group: Group) -> float:
    """How much readers did, as their sources count it, 0..1. A count below 0 (Reddit's points can be) is as good as none."""
    counts = [it.points + it.comments for it in (member.article.engagement for member in group.members) if it is not None]
    return _share(max([0, *counts]), MOST_ENGAGED)


def _saved(group: Group, saves: Mapping[str, int]) -> float:
    return _share(max(saves.get(member.article.id, 0) for member in group.members), MOST_SAVED)


def _share(count: int, most: int) -> float:
    return min(1.0, log1p(count) / log1p(most))
