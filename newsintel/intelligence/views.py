"""What a caller sees of matches: pure functions to the bodies of responses."""

from collections.abc import Iterable
from typing import Any

from newsintel.intelligence.model import Match
from newsintel.views import rfc3339, summary

SHOWN_TERMS = 5
"""Of a match, in its reason. The rest of a dozen says little more."""


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
