"""Ranks related searches and gives the reasons in words."""

import math
from collections.abc import Collection, Iterable

from newsintel.domain.intelligence.search_counts import QueryRelation, RelatedSearch
from newsintel.domain.intelligence.trending import format_count


def score_closeness(kin: QueryRelation) -> float:
    """Return how close two queries are, 0..1, by their common people and common articles.

    For people it is the cosine of the two sets (those in both over the geometric mean of their
    sizes; Salton and McGill, "Introduction to Modern Information Retrieval", 1983), so a query of
    everybody is not close to any in particular. For articles it is Jaccard's index of the first
    articles of both answers. Either shows that two queries are related, so they are combined as
    independent evidence (noisy or): 1 - (1 - a)(1 - b).
    """
    people = kin.together / math.sqrt(kin.people * kin.seed_people) if kin.together else 0.0
    articles = kin.shared / kin.either if kin.shared else 0.0
    return 1 - (1 - min(1.0, people)) * (1 - articles)


def rank_related(
    kin: Iterable[QueryRelation], limit: int, *, without: Collection[str] = ()
) -> tuple[RelatedSearch, ...]:
    """Return the closest queries, each with its closest seed, best first.

    On ties the one with more people comes first, then the order is alphabetical.

    Args:
        kin: pairs of a seed and another query.
        limit: the maximum number.
        without: queries to leave out.
    """
    best: dict[str, RelatedSearch] = {}
    for one in kin:
        score = score_closeness(one)
        known = best.get(one.query)
        if one.query not in without and (
            known is None or (score, known.kin.seed) > (known.score, one.seed)
        ):
            best[one.query] = RelatedSearch(one, score)
    return tuple(
        sorted(best.values(), key=lambda found: (-found.score, -found.kin.people, found.kin.query))[
            :limit
        ]
    )


def explain_relation(kin: QueryRelation) -> list[str]:
    """Return why a query is related to its seed."""
    found = []
    if kin.together:
        people = format_count(kin.together, "person", "people")
        found.append(f"{people} searched for this and for {kin.seed} on the same day")
    if kin.shared:
        articles = format_count(kin.shared, "article", "articles")
        found.append(f"its answers share {articles} with those of {kin.seed}")
    return found
