"""Sliced work done in one call: nothing else waits in a test."""

from newsintel.domain.archive import passages
from newsintel.domain.bounds.slices import whole
from newsintel.domain.personal.arrange import arrange as arrange_stories
from newsintel.domain.search import codec, dedup, merging, scoring
from newsintel.http.bodies import personal_search


def dump_answer(answer):
    """An answer as bytes."""
    return whole(codec.dump_answer(answer))


def load_answer(data):
    """The answer that was dumped."""
    return whole(codec.load_answer(data))


def rank(*args, **kwargs):
    """The ranked groups."""
    return whole(scoring.rank(*args, **kwargs))


def arrange(*args):
    """The stories in a person's order."""
    return whole(arrange_stories(*args))


def render_for_one(*args):
    """A person's body of GET /articles."""
    return whole(personal_search.render(*args))


def merged_as(*args):
    """The articles of an answer under a dedupe mode."""
    return whole(merging.merged_as(*args))


def grow(grouping: dedup.Grouping, articles):
    """The groups of all articles so far."""
    return whole(grouping.add(articles))


def passage(*args):
    """The passage of a text."""
    return whole(passages.finding(*args))
