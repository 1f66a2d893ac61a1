"""What the sources' own orders say about relevance.

A source sees more than it sends: NewsAPI and the Guardian search the whole text, of which a search
here gets a summary or 200 characters. So a high place is evidence for an article whose title and
summary lack the words.

A place counts 5 / (5 + places before it), like the reciprocal ranks of Cormack, Clarke and
Buettcher, Reciprocal rank fusion (SIGIR 2009). Their constant of 60 makes the first 50 places
nearly equal, which suits the sum of many long lists; here two or three lists are merged and ten
articles are read. (Tuned: docs/decisions/0036-score.md.)
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from newsintel.domain.search.outcome import FetchOutcome
from newsintel.domain.search.query_model import Query, Sort

HALF_AFTER_PLACES = 5

NO_RANKS: Mapping[str, float] = MappingProxyType({})


def score_ranks(query: Query, outcomes: Sequence[FetchOutcome]) -> Mapping[str, float]:
    """Return the evidence of the best place of each article, 0..1, by public id.

    There is none in an order by date or popularity, nor from a source that could not apply the
    order that was asked for.
    """
    if query.sort is not Sort.RELEVANCE:
        return NO_RANKS
    found: dict[str, float] = {}
    for outcome in outcomes:
        if "sort" in outcome.ignored:
            continue
        for place, article in enumerate(outcome.articles):
            evidence = HALF_AFTER_PLACES / (HALF_AFTER_PLACES + place)
            if evidence > found.get(article.id, 0.0):
                found[article.id] = evidence
    return found
