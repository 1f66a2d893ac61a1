"""Scores groups for a query and puts them in order. Groups flow in, ranked groups flow out; the time comes in as an argument.

A score is a sum of parts, each the evidence of one kind times its weight, so that a reader can be told why a story stands where it does:

| part | weight | evidence, 0..1 |
|---|---|---|
| title, description | 0.40, 0.15 | share of an alternative's wanted terms found in the leader's text, for the one that fits best |
| recency | 0.20 | 2^(-age / 48 h) of the leader; 0 where its date was guessed, since a guess is no evidence |
| corroboration | 0.15 | as in `popularity` |
| engagement | 0.10 | as in `popularity` |

What it is to find a term, `matching` tells. The weights are a judgement: what was asked for weighs more than half, and no other part
alone outweighs the title. Exponential decay with age is the prior of Li and Croft, Time-based language models (CIKM 2003); its half-life
is a judgement.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from math import exp2

from newsintel.domain.bounds.slices import Sliced
from newsintel.domain.search.article import Article, Group
from newsintel.domain.search.harvest import Ranked, ScoreParts
from newsintel.domain.search.matching import Alternative, Asked, Words, language_of, words_of
from newsintel.domain.search.popularity import NO_SAVES, corroboration, engagement, popularity
from newsintel.domain.search.query_model import Query, Sort


def faded(since: datetime, now: datetime, half_life: timedelta) -> float:
    """What is left of 1 at `now`: 2^(-age / half-life). A date after `now` counts as now."""
    return exp2(-(max(now - since, timedelta(0)) / half_life))


TITLE, DESCRIPTION, RECENCY, CORROBORATION, ENGAGEMENT = 0.40, 0.15, 0.20, 0.15, 0.10

HALF_LIFE = timedelta(hours=48)

# Parts are rounded before anything is ordered by them, so that the order agrees with the numbers shown.
DECIMALS = 4


def rank(groups: Sequence[Group], query: Query, now: datetime, saves: Mapping[str, int] = NO_SAVES) -> Sliced[tuple[Ranked, ...]]:
    """The groups with their scores in the order that `query.sort` asks for, a group a slice.

    relevance: by score. newest: by the leader's date. popular: by popularity. Ties: the newest leader first, then by its id.

    Args:
        groups: in any order.
        query: what was asked.
        now: what age is counted from.
        saves: how many people saved an article, by public id.
    """
    asked = Asked(query.clauses)
    ranked = []
    for group in groups:
        ranked.append(Ranked(group, _score(group, asked, now), popularity(group, saves)))
        yield
    return tuple(sorted(ranked, key=lambda it: _place(it, query.sort)))


def score(group: Group, query: Query, now: datetime) -> ScoreParts:
    """The parts of a group's score: each 0 to its weight, rounded to 4 decimals; their sum is 0..1.

    An alternative counts for nothing if the leader has one of its unwanted terms in either text. A date after `now` counts as now.
    """
    return _score(group, Asked(query.clauses), now)


def _score(group: Group, asked: Asked, now: datetime) -> ScoreParts:
    leader = group.leader
    language = language_of(leader)
    title, description = words_of(leader.title, language), words_of(leader.description or "", language)
    meant = [one for one in asked.alternatives(language) if not any(title.find(run) or description.find(run) for run in one.unwanted)]
    return ScoreParts(
        title=round(TITLE * _match(meant, title), DECIMALS),
        description=round(DESCRIPTION * _match(meant, description), DECIMALS),
        recency=round(RECENCY * _recency(leader, now), DECIMALS),
        corroboration=round(CORROBORATION * corroboration(group), DECIMALS),
        engagement=round(ENGAGEMENT * engagement(group), DECIMALS),
    )


def shown(parts: ScoreParts) -> float:
    """The score as it is shown and ranked by, 0..1: the sum without the dust of binary fractions."""
    return round(parts.total, DECIMALS)


def _place(ranked: Ranked, sort: Sort) -> tuple[float, float, str]:
    leader = ranked.group.leader
    return -_worth(ranked, sort), -leader.published_at.timestamp(), leader.id


def _worth(ranked: Ranked, sort: Sort) -> float:
    """What an order looks at before dates; a constant where dates are all it looks at."""
    if sort is Sort.RELEVANCE:
        return shown(ranked.parts)
    return ranked.popularity if sort is Sort.POPULAR else 0.0


def _match(alternatives: Sequence[Alternative], text: Words) -> float:
    """The largest share of wanted terms that the text has, over the alternatives."""
    return max((sum(map(text.find, one.wanted)) / len(one.wanted) for one in alternatives), default=0.0)


def _recency(article: Article, now: datetime) -> float:
    return 0.0 if article.published_at_estimated else faded(article.published_at, now, HALF_LIFE)
