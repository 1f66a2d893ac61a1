"""Builds what the history stores of an answered search."""

from newsintel.domain.intelligence.normal_form import write_normal_form
from newsintel.domain.search.harvest import Answer
from newsintel.domain.search.history import SearchSummary
from newsintel.domain.search.query_model import Query

MOST_ARTICLES = 10
"""Articles of an answer that are recorded: about the first screen. Two searches whose answers share
some of them are about the same subject."""


def summarize_search(query: Query, answer: Answer, total: int) -> SearchSummary:
    """Return what is recorded of a search.

    It uses the shared answer, so it does not show the preferences of a person.

    Args:
        query: as the caller typed it. The answer's own query has the spelling of the person who
            asked first.
        answer: the shared answer.
        total: the number of stories that the caller got.
    """
    articles = tuple(ranked.group.leader.id for ranked in answer.merge.ranked[:MOST_ARTICLES])
    return SearchSummary(query.text, query.key, total, write_normal_form(query.clauses), articles)
