"""Arranges a search for one person: a view of the shared harvest, by the person's preferences.

It is never cached. Preferences fill in missing parameters, reorder stories and hide some. Under
`relevance` a story of a preferred source or topic gains a fixed amount. The orders `newest` and
`popular` are facts, so there preferences only hide. The shared `score` is shown unchanged.
"""

from collections.abc import Collection, Sequence
from typing import Any

from attrs import frozen

from newsintel.domain.bounds.slices import Sliced
from newsintel.domain.personal.preferences import Preferences
from newsintel.domain.search.article import Group
from newsintel.domain.search.harvest import Ranked
from newsintel.domain.search.matching import PreparedTopics
from newsintel.domain.search.query_model import Sort
from newsintel.domain.search.scoring import DECIMALS, display_score

SOURCE_BONUS, TOPIC_BONUS = 0.10, 0.20
"""The worth of a preference, on the scale of scores. A judgement: both together are less than the
query words count at the start of a title (0.40), so that preferences decide among matching stories,
but do not outweigh the match."""

_FILLS = {"language": "language", "limit": "default_limit", "dedupe": "dedupe", "sort": "sort"}
"""A parameter, and the preference that replaces it if it is missing."""


@frozen
class ArrangedStories:
    """Stories in a person's order.

    Attributes:
        ranked: the visible stories.
        worth: what the person's preferences added to each, in the same order.
        hidden: how many stories are not shown.
        applied: the preferences that were applied.
    """

    ranked: tuple[Ranked, ...]
    worth: tuple[float, ...]
    hidden: int
    applied: tuple[str, ...]


def fill_parameters(
    named: Collection[str], preferences: Preferences
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return values for parameters that the caller did not name, and their preferences' names.

    Args:
        named: the parameters that the caller named.
        preferences: the preferences of the person.
    """
    kept = {
        name: (preference, getattr(preferences, preference))
        for name, preference in _FILLS.items()
        if name not in named
    }
    used = {
        name: (preference, value) for name, (preference, value) in kept.items() if value is not None
    }
    filled = {name: value for name, (_, value) in used.items()}
    return filled, tuple(preference for preference, _ in used.values())


def order_stories(
    ranked: Sequence[Ranked], preferences: Preferences, sort: Sort
) -> Sliced[ArrangedStories]:
    """Hide stories on excluded topics and sort the others for the person; the sort is stable.

    A story is on a topic if the title, description or section of any of its articles has the
    topic's words in a row. It is of a source if any of its articles is.
    """
    excluded = PreparedTopics(preferences.excluded_topics)
    kept = []
    for one in ranked:
        if not (yield from _is_on_topic(one.group, excluded)):
            kept.append(one)  # noqa: PERF401 - a comprehension cannot pause
    applied: tuple[str, ...] = ("excluded_topics",) if preferences.excluded_topics else ()
    if sort is Sort.RELEVANCE:
        topics, sources = (
            PreparedTopics(preferences.topics),
            frozenset(preferences.preferred_sources),
        )
        weighed = []
        for one in kept:
            weighed.append((one, (yield from _score_story(one.group, sources, topics))))  # noqa: PERF401 - same reason
        weighed.sort(key=lambda it: -round(display_score(it[0].parts) + it[1], DECIMALS))
        applied += tuple(
            name for name in ("preferred_sources", "topics") if getattr(preferences, name)
        )
    else:
        weighed = [(one, 0.0) for one in kept]
    return ArrangedStories(
        ranked=tuple(one for one, _ in weighed),
        worth=tuple(worth for _, worth in weighed),
        hidden=len(ranked) - len(kept),
        applied=applied,
    )


def _score_story(group: Group, sources: Collection[str], topics: PreparedTopics) -> Sliced[float]:
    preferred = any(member.article.source in sources for member in group.members)
    return round(
        SOURCE_BONUS * preferred + TOPIC_BONUS * (yield from _is_on_topic(group, topics)), DECIMALS
    )


def _is_on_topic(group: Group, topics: PreparedTopics) -> Sliced[bool]:
    """Whether a story is on one of some topics. One article per slice."""
    for article in (member.article for member in group.members):
        if topics.matches(article):
            return True
        yield
    return False
