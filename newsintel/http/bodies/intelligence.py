"""Bodies of similar articles, trending and related searches, and recommendations.

Pure functions from results to JSON values.
"""

from collections.abc import Iterable
from typing import Any

from newsintel.domain.intelligence.interest_model import Recommendations
from newsintel.domain.intelligence.likeness_model import Match
from newsintel.domain.intelligence.related import reasons
from newsintel.domain.intelligence.search_counts import RelatedSearch, Span, Trend
from newsintel.domain.intelligence.trending import why
from newsintel.domain.text.moments import rfc3339
from newsintel.http.bodies.search import summary

SHOWN_TERMS = 5
"""Terms that a match's reason shows. A match has up to a dozen; the rest adds little."""


def similar_body(matches: Iterable[Match]) -> dict[str, Any]:
    """The body of GET /articles/{id}/similar."""
    return {"articles": [_match(match) for match in matches]}


def _match(match: Match) -> dict[str, Any]:
    terms = match.terms[:SHOWN_TERMS]
    return summary(match.article) | {
        "fetched_at": rfc3339(match.fetched_at),
        "score": match.score,
        "reasons": {"terms": list(terms), "text": f"shares: {', '.join(terms)}"},
    }


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


def recommendations_body(page: Recommendations) -> dict[str, Any]:
    """The body of GET /me/recommendations."""
    return {
        "articles": [summary(pick.article) | {"score": pick.score, "reasons": list(pick.reasons)} for pick in page.picks],
        "basis": page.basis.value,
    }
