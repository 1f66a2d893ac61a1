"""Answers that the caller may already have (RFC 9110 13.1.2)."""

import re
from collections.abc import Mapping

from quart import Response, request

_TAG = re.compile(r'"([\x21\x23-\x7e\x80-\xff]*)"')
"""An entity tag (RFC 9110 8.8.3). Weak ones are compared as strong ones are, so the W/ before it does not matter."""


def names(if_none_match: str, tag: str) -> bool:
    """Whether an If-None-Match header names an entity tag, given without quotes; `*` names every one."""
    return if_none_match.strip() == "*" or any(found[1] == tag for found in _TAG.finditer(if_none_match))


def unchanged(tag: str, headers: Mapping[str, str]) -> Response | None:
    """The 304 for a caller who has this very answer; it describes no body, so it names neither type nor length.

    Args:
        tag: the answer's entity tag, without quotes.
        headers: those that the 200 would have.
    """
    if not names(", ".join(request.headers.getlist("If-None-Match")), tag):
        return None
    response = Response(b"", status=304, headers=dict(headers))
    for name in ("Content-Type", "Content-Length"):
        response.headers.pop(name, None)
    return response
