"""Which searches go with another: the order of its kin, and each one's reasons in words."""

import math
from collections.abc import Collection, Iterable

from newsintel.domain.intelligence.search_counts import Kin, RelatedSearch
from newsintel.domain.intelligence.trending import count_of


def closeness(kin: Kin) -> float:
    """How close two queries are, from 0 to 1, by the people and by the articles that they have in common.

    By people it is the cosine of the two sets (those in both over the geometric mean of their sizes; Salton and McGill, "Introduction to
    Modern Information Retrieval", 1983), by which what everybody searches for is close to nothing in particular. By articles it is
    Jaccard's index of the first articles of both answers. Either is a reason to believe that they belong together, so the two are
    combined as independent evidence (noisy or): 1 - (1 - a)(1 - b).
    """
    people = kin.together / math.sqrt(kin.people * kin.seed_people) if kin.together else 0.0
    articles = kin.shared / kin.either if kin.shared else 0.0
    return 1 - (1 - min(1.0, people)) * (1 - articles)


def closest(kin: Iterable[Kin], limit: int, *, without: Collection[str] = ()) -> tuple[RelatedSearch, ...]:
    """The closest queries, each with its closest seed, best first; among equals the one of more people, then by the alphabet.

    Args:
        kin: pairs of a seed and another query.
        limit: the most to return.
        without: queries that are not wanted.
    """
    best: dict[str, RelatedSearch] = {}
    for one in kin:
        score = closeness(one)
        known = best.get(one.query)
        if one.query not in without and (known is None or (score, known.kin.seed) > (known.score, one.seed)):
            best[one.query] = RelatedSearch(one, score)
    return tuple(sorted(best.values(), key=lambda found: (-found.score, -found.kin.people, found.kin.query))[:limit])


def reasons(kin: Kin) -> list[str]:
    """Why a query is shown beside its seed."""
    found = []
    if kin.together:
        people = count_of(kin.together, "person", "people")
        found.append(f"{people} searched for this and for {kin.seed} on the same day")
    if kin.shared:
        found.append(f"its answers share {count_of(kin.shared, 'article', 'articles')} with those of {kin.seed}")
    return found
