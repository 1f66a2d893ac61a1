"""Redirects after which the browser shows another page of the service."""

from quart import Response


def answer_see_other(location: str) -> Response:
    """Return a 303 (RFC 9110 15.4.4). `location`: a URL, or one relative to the current page."""
    return Response(b"", status=303, headers={"Location": location, "Cache-Control": "no-store"})
