"""The publishers of a search's stories: their counts, and the stories of some of them."""

from collections import Counter
from collections.abc import Iterable, Sequence

from newsintel.domain.search.article import Group
from newsintel.domain.search.harvest import Ranked

MOST_PUBLISHERS = 12
"""How many publishers a page lists."""


def count_publishers(stories: Iterable[Ranked]) -> list[tuple[str, int]]:
    """Return the publishers with the most stories, and how many of the stories each reports."""
    counts = Counter(name for ranked in stories for name in _list_publishers(ranked.group))
    return sorted(counts.items(), key=lambda one: (-one[1], one[0]))[:MOST_PUBLISHERS]


def filter_stories(
    stories: Sequence[Ranked], publisher: str | None, without: str | None
) -> tuple[Ranked, ...]:
    """Return the stories that a publisher reports, and not those that only another one reports.

    Args:
        stories: in any order, which stays.
        publisher: the one to keep; None = all.
        without: the one to drop; None = none.
    """
    return tuple(
        ranked
        for ranked in stories
        if (publisher is None or publisher in _list_publishers(ranked.group))
        and (without is None or _list_publishers(ranked.group) != {without})
    )


def _list_publishers(group: Group) -> set[str]:
    return {member.article.publisher for member in group.members}
