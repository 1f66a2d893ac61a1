"""Sliced work done in one call: nothing else waits in a test."""

from newsintel.domain.archive import passages
from newsintel.domain.bounds.slices import run_all
from newsintel.domain.personal.arrange import order_stories as arrange_stories
from newsintel.domain.search import codec, dedup, merging, scoring
from newsintel.http.bodies import personal_search


def dump_answer(answer):
    """An answer as bytes."""
    return run_all(codec.dump_answer(answer))


def load_answer(data):
    """The answer that was dumped."""
    return run_all(codec.load_answer(data))


def rank(*args, **kwargs):
    """The ranked groups."""
    return run_all(scoring.rank_groups(*args, **kwargs))


def arrange(*args):
    """The stories in a person's order."""
    return run_all(arrange_stories(*args))


def render_for_one(*args):
    """A person's body of GET /articles."""
    return run_all(personal_search.render_personal(*args))


def merged_as(*args):
    """The articles of an answer under a dedupe mode."""
    return run_all(merging.merge_by_mode(*args))


def grow(grouping: dedup.Grouping, articles):
    """The groups of all articles so far."""
    return run_all(grouping.add(articles))


def passage(*args):
    """The passage of a text."""
    return run_all(passages.find_passage(*args))
