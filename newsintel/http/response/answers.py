"""The plain answers of routes: a JSON body, or none."""

from collections.abc import Mapping
from typing import Any

from quart import Response

from newsintel.domain.search.codec import to_json


def answer_json(body: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Answer with JSON.

    Args:
        body: its plain value.
        status: of the answer.
        headers: beside type and length.
    """
    return Response(to_json(body), status=status, headers=dict(headers or {}), content_type="application/json")


def answer_empty() -> Response:
    """Answer that it is done, with nothing to show for it."""
    return Response(b"", status=204)
