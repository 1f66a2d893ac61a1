"""The items of a feed as a harvest, so that they take the way of every other article."""

from collections.abc import Sequence
from datetime import datetime

from newsintel.domain.bounds.slices import Sliced
from newsintel.domain.search.article import Article
from newsintel.domain.search.harvest import Answer, Harvest
from newsintel.domain.search.merging import merge_in_slices
from newsintel.domain.search.outcome import FetchOutcome, Status
from newsintel.domain.search.query import build_query
from newsintel.domain.search.query_model import Dedupe

NAME = "feeds"
"""The source's name."""

EVERYTHING = build_query(NAME, sources=(NAME,))
"""Stands for the query: nobody asked for these articles. It excludes none."""


def build_answer(articles: Sequence[Article], fetched_at: datetime) -> Sliced[Answer]:
    """Return the articles of one feed as an answer, with the duplicates among them."""
    outcome = FetchOutcome(NAME, Status.OK, fetched_at, tuple(articles), len(articles))
    merge = yield from merge_in_slices(EVERYTHING, articles, Dedupe.NORMAL, fetched_at)
    return Answer(Harvest(EVERYTHING, fetched_at, (outcome,)), merge)
