"""Bodies of similar articles, trending and related searches, and recommendations.

Pure functions from results to JSON values.
"""

from collections.abc import Iterable
from typing import Any

from newsintel.domain.intelligence.interest_model import Recommendations
from newsintel.domain.intelligence.likeness_model import SimilarArticle
from newsintel.domain.intelligence.related import explain_relation
from newsintel.domain.intelligence.search_counts import RelatedSearch, Trend, TrendWindow
from newsintel.domain.intelligence.trending import explain_trend
from newsintel.domain.text.moments import format_time
from newsintel.http.bodies.search import summarize_article

MAX_TERMS = 5
"""Terms that a match's reason shows. A match has up to a dozen; the rest adds little."""


def build_similar_body(matches: Iterable[SimilarArticle]) -> dict[str, Any]:
    """The body of GET /articles/{id}/similar."""
    return {"articles": [_build_match(match) for match in matches]}


def _build_match(match: SimilarArticle) -> dict[str, Any]:
    terms = match.terms[:MAX_TERMS]
    return summarize_article(match.article) | {
        "fetched_at": format_time(match.fetched_at),
        "score": match.score,
        "reasons": {"terms": list(terms), "text": f"shares: {', '.join(terms)}"},
    }


def build_trending_body(span: TrendWindow, trends: Iterable[Trend]) -> dict[str, Any]:
    """The body of GET /trending."""
    return {
        "window": span.value,
        "searches": [
            {
                "query": trend.query,
                "score": round(trend.score, 3),
                "people": trend.people,
                "usual": None if trend.usual is None else round(trend.usual, 2),
                "reasons": [explain_trend(trend)],
            }
            for trend in trends
        ],
    }


def build_related_body(searches: Iterable[RelatedSearch]) -> dict[str, Any]:
    """The body of GET /searches/related."""
    return {
        "searches": [
            {
                "query": one.kin.query,
                "score": round(one.score, 3),
                "people": one.kin.people,
                "reasons": explain_relation(one.kin),
            }
            for one in searches
        ]
    }


def build_recommendations_body(page: Recommendations) -> dict[str, Any]:
    """The body of GET /me/recommendations."""
    return {
        "articles": [
            summarize_article(pick.article) | {"score": pick.score, "reasons": list(pick.reasons)}
            for pick in page.picks
        ],
        "basis": page.basis.value,
    }
