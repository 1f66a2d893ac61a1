"""Answers that the caller may already have (RFC 9110 13.1.2)."""

from collections.abc import Mapping

from quart import Response, request


def unchanged(tag: str, headers: Mapping[str, str]) -> Response | None:
    """The 304 for a caller who has this very answer; it describes no body, so it names neither type nor length.

    Args:
        tag: the answer's entity tag, without quotes.
        headers: those that the 200 would have.
    """
    if not request.if_none_match.contains_weak(tag):
        return None
    response = Response(b"", status=304, headers=dict(headers))
    for name in ("Content-Type", "Content-Length"):
        response.headers.pop(name, None)
    return response
