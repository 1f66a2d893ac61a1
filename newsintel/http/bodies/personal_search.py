"""The body of a search for one person."""

from collections.abc import Sequence
from typing import Any

from newsintel.domain.bounds.slices import Sliced
from newsintel.domain.personal.arrange import order_stories
from newsintel.domain.personal.preferences import Preferences
from newsintel.domain.search.harvest import Answer
from newsintel.domain.search.merging import merge_by_mode
from newsintel.http.bodies.search import View, build_search_body


def render_personal(
    answer: Answer, view: View, preferences: Preferences, filled: Sequence[str]
) -> Sliced[dict[str, Any]]:
    """The body of GET /articles for one person: the shared body plus `personal`.

    With `view.explain`, each story shows what the preferences added to its score.

    Args:
        answer: the answer that all callers share.
        view: limit and page count the stories that are not hidden.
        preferences: the person's.
        filled: the preferences that replaced absent parameters.
    """
    merged = yield from merge_by_mode(answer, view.dedupe)
    arranged = yield from order_stories(merged.ranked, preferences, answer.harvest.query.sort)
    body = yield from build_search_body(answer, merged, arranged.ranked, view)
    if view.explain:
        first = (view.page - 1) * view.limit
        for story, worth in zip(body["articles"], arranged.worth[first:], strict=False):
            story["preference"] = worth
    return body | {"personal": {"applied": [*filled, *arranged.applied], "hidden": arranged.hidden}}
