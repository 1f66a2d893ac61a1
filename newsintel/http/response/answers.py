"""The usual responses of routes: a JSON body, or no body."""

from collections.abc import Mapping
from typing import Any

from quart import Response

from newsintel.domain.search.codec import to_json


def answer_json(
    body: Any, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Return a JSON response.

    Args:
        body: a value that JSON can hold.
        status: the HTTP status.
        headers: in addition to type and length.
    """
    return Response(
        to_json(body), status=status, headers=dict(headers or {}), content_type="application/json"
    )


def answer_empty() -> Response:
    """Return a 204: done, no body."""
    return Response(b"", status=204)
