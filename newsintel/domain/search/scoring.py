"""Scores groups for a query and ranks them. Groups flow in, ranked groups flow out.

The time is an argument. A score is a sum of parts, each one kind of evidence times its weight. So a
reader can see why a story has its rank:

| part | weight | evidence, 0..1 |
|---|---|---|
| title, description | 0.40, 0.16 | how well the leader's text answers the query (`text_scores`) |
| source_rank | 0.14 | best place of a member in its source's own order (`source_ranks`) |
| recency | 0.15 | 2^(-age / 48 h) of the leader; 0 if its date is estimated |
| corroboration | 0.10 | number of publishers, as in `popularity` |
| engagement | 0.05 | as in `popularity`, times 2^(-age / 14 d) of the member |

The query's words weigh more than all else together, and the title alone more than any two of the
last four parts. Title to description is 1 to 0.4, as in the archive's order by
relevance (PostgreSQL's weights). docs/decisions/0036-score.md has the reasons and the measurement.
Exponential decay with age is the prior of Li and Croft, Time-based language models (CIKM 2003); its
half-lives are a judgement.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from math import exp2

from newsintel.domain.bounds.slices import Sliced
from newsintel.domain.search.article import Article, Group
from newsintel.domain.search.harvest import Ranked, ScoreParts
from newsintel.domain.search.matching import (
    PreparedQuery,
    choose_article_language,
    prepare_text,
)
from newsintel.domain.search.popularity import (
    NO_SAVES,
    scale_engagement,
    score_corroboration,
    score_popularity,
)
from newsintel.domain.search.query_model import Query, Sort
from newsintel.domain.search.source_ranks import NO_RANKS
from newsintel.domain.search.text_scores import score_text


def decay(since: datetime, now: datetime, half_life: timedelta) -> float:
    """Return 2^(-age / half-life). A date after `now` counts as now."""
    return exp2(-(max(now - since, timedelta(0)) / half_life))


TITLE, DESCRIPTION, SOURCE_RANK = 0.40, 0.16, 0.14
RECENCY, CORROBORATION, ENGAGEMENT = 0.15, 0.10, 0.05

HALF_LIFE = timedelta(hours=48)
ENGAGEMENT_HALF_LIFE = timedelta(days=14)

# Parts are rounded before they are used for ordering, so that the order agrees with the numbers
# shown.
DECIMALS = 4


def rank_groups(
    groups: Sequence[Group],
    query: Query,
    now: datetime,
    saves: Mapping[str, int] = NO_SAVES,
    ranks: Mapping[str, float] = NO_RANKS,
) -> Sliced[tuple[Ranked, ...]]:
    """Score the groups and sort them as `query.sort` says, one group per slice.

    relevance: by score. newest: by the leader's date. popular: by popularity. On ties the newest
    leader comes first, then the order is by its id.

    Args:
        groups: in any order.
        query: the query.
        now: the time from which ages count.
        saves: how many people saved an article, by public id.
        ranks: the evidence of the sources' own orders, 0..1, by public id.
    """
    asked = PreparedQuery(query.clauses)
    ranked = []
    for group in groups:
        parts = _score_prepared(group, asked, now, ranks)
        ranked.append(Ranked(group, parts, score_popularity(group, saves)))
        yield
    return tuple(sorted(ranked, key=lambda it: _make_sort_key(it, query.sort)))


def score_group(
    group: Group, query: Query, now: datetime, ranks: Mapping[str, float] = NO_RANKS
) -> ScoreParts:
    """Return the parts of a group's score: each 0 to its weight, rounded to 4 decimals.

    Their sum is 0..1. An alternative is ignored if the leader's title or description has one of its
    unwanted terms. If that rules out all, what the sources say does not count either. A date after
    `now` counts as now.
    """
    return _score_prepared(group, PreparedQuery(query.clauses), now, ranks)


def _score_prepared(
    group: Group, asked: PreparedQuery, now: datetime, ranks: Mapping[str, float]
) -> ScoreParts:
    leader = group.leader
    language = choose_article_language(leader)
    title, description = (
        prepare_text(leader.title, language),
        prepare_text(leader.description or "", language),
    )
    alternatives = asked.get_alternatives(language)
    meant = [
        one
        for one in alternatives
        if not one.unwanted
        or not any(title.match_run(run) or description.match_run(run) for run in one.unwanted)
    ]
    ruled_out = bool(alternatives) and not meant
    rank = 0.0 if ruled_out else max(ranks.get(it.article.id, 0.0) for it in group.members)
    return ScoreParts(
        title=round(TITLE * score_text(title, meant), DECIMALS),
        description=round(DESCRIPTION * score_text(description, meant), DECIMALS),
        recency=round(RECENCY * _score_recency(leader, now), DECIMALS),
        corroboration=round(CORROBORATION * score_corroboration(group), DECIMALS),
        engagement=round(ENGAGEMENT * _score_engagement(group, now), DECIMALS),
        source_rank=round(SOURCE_RANK * rank, DECIMALS),
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


def _score_recency(article: Article, now: datetime) -> float:
    return 0.0 if article.published_at_estimated else decay(article.published_at, now, HALF_LIFE)


def _score_engagement(group: Group, now: datetime) -> float:
    """Return the worth of the reactions to the best member, which fade with its age."""
    return max(_score_reactions(member.article, now) for member in group.members)


def _score_reactions(article: Article, now: datetime) -> float:
    if article.engagement is None or article.published_at_estimated:
        return 0.0
    fading = decay(article.published_at, now, ENGAGEMENT_HALF_LIFE)
    return scale_engagement(article.engagement) * fading
