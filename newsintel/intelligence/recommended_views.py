"""The body of recommendations."""

from typing import Any

from newsintel.intelligence.interest_model import Recommendations
from newsintel.views import summary


def recommendations_body(page: Recommendations) -> dict[str, Any]:
    """The body of GET /me/recommendations."""
    return {
        "articles": [summary(pick.article) | {"score": pick.score, "reasons": list(pick.reasons)} for pick in page.picks],
        "basis": page.basis.value,
    }
