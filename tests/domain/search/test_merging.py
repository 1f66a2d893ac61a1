"""A harvest that is grouped as it comes is ranked when it is read."""

from newsintel.domain.bounds.slices import run_all
from newsintel.domain.search.dedup import Grouping
from newsintel.domain.search.merging import GroupedHarvest, merge_articles
from newsintel.domain.search.query_model import Dedupe
from newsintel.domain.search.source_ranks import score_ranks
from tests.make import NOON, article, harvest, outcome
from tests.whole import grow, merged_as


def test_ranking_a_grouped_harvest_equals_merging_it():
    """Both ways lead to the same answer."""
    other = article("c", title="Another one", canonical_url="https://news.example/a")
    found = (article("a"), article("b", title="Snow in June"), other)
    gathered = harvest(outcome(articles=found))
    answer = run_all(GroupedHarvest(gathered, grow(Grouping(Dedupe.NORMAL), found)).rank())
    assert answer.harvest is gathered
    ranks = score_ranks(gathered.query, gathered.outcomes)
    assert answer.merge == merge_articles(gathered.query, found, Dedupe.NORMAL, NOON, ranks=ranks)
    assert merged_as(answer, Dedupe.STRICT) == merge_articles(
        gathered.query, found, Dedupe.STRICT, NOON, ranks=ranks
    )
    assert all(ranked.parts.source_rank > 0 for ranked in answer.merge.ranked)
    assert len(answer.merge.ranked) == 2
