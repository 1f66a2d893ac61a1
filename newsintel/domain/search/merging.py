"""Turns a harvest into stories: groups, ranks, and pairs of duplicates. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from attrs import frozen

from newsintel.domain.bounds.slices import Sliced, run_all
from newsintel.domain.search.article import Article, Group, Pair
from newsintel.domain.search.dedup import Grouping
from newsintel.domain.search.harvest import Answer, Harvest, Merge
from newsintel.domain.search.popularity import NO_SAVES
from newsintel.domain.search.query_model import Dedupe, Query
from newsintel.domain.search.scoring import rank_groups
from newsintel.domain.search.source_ranks import NO_RANKS, score_ranks


@frozen
class GroupedHarvest:
    """A harvest and the groups of its articles under Dedupe.NORMAL, ranked only when read."""

    harvest: Harvest
    groups: tuple[Group, ...] = ()

    def rank(self) -> Sliced[Answer]:
        """Rank the groups and return the answer, in slices."""
        harvest = self.harvest
        ranked = yield from rank_groups(
            self.groups,
            harvest.query,
            harvest.fetched_at,
            harvest.saves,
            score_ranks(harvest.query, harvest.outcomes),
        )
        return Answer(harvest, Merge(Dedupe.NORMAL, ranked))


def merge_articles(
    query: Query,
    articles: Sequence[Article],
    mode: Dedupe,
    now: datetime,
    saves: Mapping[str, int] = NO_SAVES,
    *,
    ranks: Mapping[str, float] = NO_RANKS,
) -> Merge:
    """Group and rank articles in founder order; equal arguments give equal merges."""
    return run_all(merge_in_slices(query, articles, mode, now, saves, ranks=ranks))


def merge_in_slices(
    query: Query,
    articles: Sequence[Article],
    mode: Dedupe,
    now: datetime,
    saves: Mapping[str, int] = NO_SAVES,
    *,
    ranks: Mapping[str, float] = NO_RANKS,
) -> Sliced[Merge]:
    """Do the same as `merge_articles`, in slices."""
    groups = yield from Grouping(mode).add(articles)
    return Merge(mode, (yield from rank_groups(groups, query, now, saves, ranks)))


def build_pairs(merged: Merge) -> tuple[Pair, ...]:
    """Pair each further page of a group with the group's founder, for the archive.

    A page is one row there, so it has one pair: the match of its first occurrence is kept.
    """
    found: dict[str, Pair] = {}
    for ranked in merged.ranked:
        founder_id = ranked.group.founder.id
        for member in ranked.group.members:
            if (
                member.rule is not None
                and member.similarity is not None
                and member.article.id != founder_id
            ):
                found.setdefault(
                    member.article.id,
                    Pair(member.article.id, founder_id, member.rule, member.similarity),
                )
    return tuple(found.values())


def merge_by_mode(answer: Answer, mode: Dedupe) -> Sliced[Merge]:
    """Merge an answer's articles under a dedupe mode; use its own merge if that has the mode."""
    harvest = answer.harvest
    if mode is answer.merge.mode:
        return answer.merge
    return (
        yield from merge_in_slices(
            harvest.query,
            harvest.articles,
            mode,
            harvest.fetched_at,
            harvest.saves,
            ranks=score_ranks(harvest.query, harvest.outcomes),
        )
    )
