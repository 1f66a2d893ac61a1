"""Answers that the caller may already have (RFC 9110 13.1.2)."""

import re
from collections.abc import Iterable

from quart import Response, request
from werkzeug.datastructures import Headers

from newsintel.http.asgi import HeaderLines

_TAG = re.compile(r'"([\x21\x23-\x7e\x80-\xff]*)"')
"""An entity tag (RFC 9110 8.8.3). Weak ones are compared as strong ones are, so the W/ before it does not matter."""

_OF_A_BODY = (b"content-type", b"content-length")
"""The headers that a 304 must not have, because it describes no body (RFC 9110 15.4.5 lets it repeat the others)."""


def matches(if_none_match: str, tag: str) -> bool:
    """Whether an If-None-Match header names an entity tag, given without quotes; `*` names every one."""
    return if_none_match.strip() == "*" or any(found[1] == tag for found in _TAG.finditer(if_none_match))


def already_held(headers: Iterable[tuple[bytes, bytes]], tag: str | None) -> bool:
    """Whether a request's header lines say that the caller has the answer with this entity tag; nobody has one without."""
    given = [value for name, value in headers if name == b"if-none-match"]
    return bool(given) and tag is not None and matches(b", ".join(given).decode("latin-1"), tag)


def without_body(lines: HeaderLines) -> HeaderLines:
    """The header lines of a 304 in place of a 200."""
    return [line for line in lines if line[0] not in _OF_A_BODY]


def respond_unless_held(body: bytes, lines: HeaderLines, tag: str | None) -> Response:
    """Answer the current request: 200, or 304 if the caller has this very answer.

    Args:
        body: finished.
        lines: the header lines of the 200.
        tag: its entity tag, without quotes; None = it has none, and is always sent.
    """
    if not already_held(request.scope["headers"], tag):
        return Response(body, headers=_texts(lines))
    response = Response(b"", status=304, headers=_texts(without_body(lines)))
    for name in _OF_A_BODY:  # the framework's own
        response.headers.pop(name.decode(), None)
    return response


def _texts(lines: HeaderLines) -> Headers:
    return Headers([(name.decode(), value.decode()) for name, value in lines])
