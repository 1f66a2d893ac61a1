"""Bodies of trending and related searches."""

from collections.abc import Iterable
from typing import Any

from newsintel.intelligence.related import reasons
from newsintel.intelligence.search_model import RelatedSearch, Span, Trend
from newsintel.intelligence.trending import why


def trending_body(span: Span, trends: Iterable[Trend]) -> dict[str, Any]:
    """The body of GET /trending."""
    return {
        "window": span.value,
        "searches": [
            {
                "query": trend.query,
                "score": round(trend.score, 3),
                "people": trend.people,
                "usual": None if trend.usual is None else round(trend.usual, 2),
                "reasons": [why(trend)],
            }
            for trend in trends
        ],
    }


def related_body(searches: Iterable[RelatedSearch]) -> dict[str, Any]:
    """The body of GET /searches/related."""
    return {
        "searches": [
            {"query": one.kin.query, "score": round(one.score, 3), "people": one.kin.people, "reasons": reasons(one.kin)}
            for one in searches
        ]
    }
