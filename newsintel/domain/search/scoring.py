"""Scores groups for a query and ranks them. Groups flow in, ranked groups flow out.

The time is an argument. A score is a sum of parts, each one kind of evidence times its weight. So a
reader can see why a story has its rank:

| part | weight | evidence, 0..1 |
|---|---|---|
| title, description | 0.40, 0.15 | share of wanted terms in the leader's text, best alternative |
| recency | 0.20 | 2^(-age / 48 h) of the leader; 0 if its date is estimated |
| corroboration | 0.15 | as in `popularity` |
| engagement | 0.10 | as in `popularity` |

`matching` defines when a term is found. The weights are a judgement: the query weighs more than
half, and no other part outweighs the title alone. Exponential decay with age is the prior of Li and
Croft, Time-based language models (CIKM 2003); its half-life is a judgement.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from math import exp2

from newsintel.domain.bounds.slices import Sliced
from newsintel.domain.search.article import Article, Group
from newsintel.domain.search.harvest import Ranked, ScoreParts
from newsintel.domain.search.matching import (
    Alternative,
    PreparedQuery,
    PreparedText,
    choose_article_language,
    prepare_text,
)
from newsintel.domain.search.popularity import (
    NO_SAVES,
    score_corroboration,
    score_engagement,
    score_popularity,
)
from newsintel.domain.search.query_model import Query, Sort


def decay(since: datetime, now: datetime, half_life: timedelta) -> float:
    """Return 2^(-age / half-life). A date after `now` counts as now."""
    return exp2(-(max(now - since, timedelta(0)) / half_life))


TITLE, DESCRIPTION, RECENCY, CORROBORATION, ENGAGEMENT = 0.40, 0.15, 0.20, 0.15, 0.10

HALF_LIFE = timedelta(hours=48)

# Parts are rounded before they are used for ordering, so that the order agrees with the numbers
# shown.
DECIMALS = 4


def rank_groups(
    groups: Sequence[Group], query: Query, now: datetime, saves: Mapping[str, int] = NO_SAVES
) -> Sliced[tuple[Ranked, ...]]:
    """Score the groups and sort them as `query.sort` says, one group per slice.

    relevance: by score. newest: by the leader's date. popular: by popularity. On ties the newest
    leader comes first, then the order is by its id.

    Args:
        groups: in any order.
        query: the query.
        now: the time from which ages count.
        saves: how many people saved an article, by public id.
    """
    asked = PreparedQuery(query.clauses)
    ranked = []
    for group in groups:
        ranked.append(
            Ranked(group, _score_prepared(group, asked, now), score_popularity(group, saves))
        )
        yield
    return tuple(sorted(ranked, key=lambda it: _make_sort_key(it, query.sort)))


def score_group(group: Group, query: Query, now: datetime) -> ScoreParts:
    """Return the parts of a group's score: each 0 to its weight, rounded to 4 decimals.

    Their sum is 0..1. An alternative is ignored if the leader's title or description has one of its
    unwanted terms. A date after `now` counts as now.
    """
    return _score_prepared(group, PreparedQuery(query.clauses), now)


def _score_prepared(group: Group, asked: PreparedQuery, now: datetime) -> ScoreParts:
    leader = group.leader
    language = choose_article_language(leader)
    title, description = (
        prepare_text(leader.title, language),
        prepare_text(leader.description or "", language),
    )
    meant = [
        one
        for one in asked.get_alternatives(language)
        if not any(title.match_run(run) or description.match_run(run) for run in one.unwanted)
    ]
    return ScoreParts(
        title=round(TITLE * _match_best(meant, title), DECIMALS),
        description=round(DESCRIPTION * _match_best(meant, description), DECIMALS),
        recency=round(RECENCY * _score_recency(leader, now), DECIMALS),
        corroboration=round(CORROBORATION * score_corroboration(group), DECIMALS),
        engagement=round(ENGAGEMENT * score_engagement(group), DECIMALS),
    )


def display_score(parts: ScoreParts) -> float:
    """Return the score for display and ranking, 0..1: the sum without binary rounding errors."""
    return round(parts.total, DECIMALS)


def _make_sort_key(ranked: Ranked, sort: Sort) -> tuple[float, float, str]:
    leader = ranked.group.leader
    return -_get_sort_value(ranked, sort), -leader.published_at.timestamp(), leader.id


def _get_sort_value(ranked: Ranked, sort: Sort) -> float:
    """Return the value that an order compares before dates; a constant if there is none."""
    if sort is Sort.RELEVANCE:
        return display_score(ranked.parts)
    return ranked.popularity if sort is Sort.POPULAR else 0.0


def _match_best(alternatives: Sequence[Alternative], text: PreparedText) -> float:
    """Return the largest share of wanted terms that the text has, over the alternatives."""
    return max(
        (sum(map(text.match_run, one.wanted)) / len(one.wanted) for one in alternatives),
        default=0.0,
    )


def _score_recency(article: Article, now: datetime) -> float:
    return 0.0 if article.published_at_estimated else decay(article.published_at, now, HALF_LIFE)
