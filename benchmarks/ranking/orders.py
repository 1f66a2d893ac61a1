"""The orders that are compared: the score's, by date, and the sources' own."""

from collections.abc import Mapping, Sequence
from itertools import count

from benchmarks.ranking.gain import compute_ndcg
from benchmarks.ranking.labels import hash_article, load_labels
from benchmarks.ranking.recordings import SOURCES, Recordings
from newsintel.domain.bounds.slices import run_all
from newsintel.domain.search.article import Group
from newsintel.domain.search.dedup import Grouping
from newsintel.domain.search.harvest import Harvest
from newsintel.domain.search.merging import GroupedHarvest
from newsintel.domain.search.query import build_query
from newsintel.domain.search.query_model import Dedupe
from newsintel.domain.search.scoring import rank_groups


def judge_orders(recordings: Recordings) -> dict[str, dict[str, float]]:
    """Return the nDCG@10 of each order, by query.

    A story has the grade of the article that is shown, its leader. The search happens when its
    newest article appears.
    """
    return {
        text: _judge(list_orders(recordings, text), grades)
        for text, grades in load_labels().items()
    }


def _judge(orders: Mapping[str, Sequence[Group]], grades: Mapping[str, int]) -> dict[str, float]:
    found = {}
    for name, groups in orders.items():
        gained = [grades[hash_article(group.leader)] for group in groups]
        found[name] = compute_ndcg(gained, gained) or 0.0
    return found


def list_orders(recordings: Recordings, text: str) -> dict[str, Sequence[Group]]:
    """Return the stories of a search in each order."""
    harvest = search_recordings(recordings, text)
    groups = run_all(Grouping(Dedupe.NORMAL).add(harvest.articles))
    answer = run_all(GroupedHarvest(harvest, groups).rank())
    alone = run_all(rank_groups(groups, harvest.query, harvest.fetched_at, harvest.saves))
    return {
        "score": [one.group for one in answer.merge.ranked],
        "without source_rank": [one.group for one in alone],
        "newest first": sorted(groups, key=lambda it: -it.leader.published_at.timestamp()),
        "sources' own": _take_turns(harvest, groups),
    }


def search_recordings(recordings: Recordings, text: str) -> Harvest:
    """Return the harvest of a search."""
    query = build_query(text, sources=SOURCES)
    outcomes = recordings.search(query)
    newest = max(one.published_at for outcome in outcomes for one in outcome.articles)
    return Harvest(query, newest, outcomes)


def _take_turns(harvest: Harvest, groups: Sequence[Group]) -> list[Group]:
    """Return the stories by their best place in any source, sources in turns."""
    places: dict[int, int] = {}
    for outcome in harvest.outcomes:
        for place, article in zip(count(), outcome.articles, strict=False):
            places[id(article)] = place
    return sorted(groups, key=lambda it: min(places[id(one.article)] for one in it.members))
