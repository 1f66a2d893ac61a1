"""What the history keeps of an answered search."""

from newsintel.domain.intelligence.normal_form import normal_form
from newsintel.domain.search.harvest import Answer
from newsintel.domain.search.history import Searched
from newsintel.domain.search.query_model import Query

MOST_ARTICLES = 10
"""Of an answer: what the first screen shows. Two searches whose answers share some of these are about the same thing."""


def searched(query: Query, answer: Answer, total: int) -> Searched:
    """What is recorded of a search, by the shared answer: nobody's own preferences show in it.

    Args:
        query: as the caller typed it. The answer's own is in the spelling of somebody else, who asked first.
        answer: what was found.
        total: stories found, as the caller was told.
    """
    articles = tuple(ranked.group.leader.id for ranked in answer.merge.ranked[:MOST_ARTICLES])
    return Searched(query.text, query.key, total, normal_form(query.clauses), articles)
