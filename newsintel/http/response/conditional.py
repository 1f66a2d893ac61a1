"""Conditional requests: answers that the caller may already have (RFC 9110 13.1.2)."""

import re
from collections.abc import Iterable

from quart import Response, request
from werkzeug.datastructures import Headers

from newsintel.http.asgi import HeaderLines

_TAG = re.compile(r'"([\x21\x23-\x7e\x80-\xff]*)"')
"""An entity tag (RFC 9110 8.8.3). The comparison is weak, so the prefix W/ does not matter."""

_BODY_HEADERS = (b"content-type", b"content-length", b"content-encoding")
"""The headers that a 304 must not have, since it has no body.

RFC 9110 15.4.5 allows it to repeat the others. The caller may hold the other form of the answer.
"""


def has_tag(if_none_match: str, tag: str) -> bool:
    """Return whether an If-None-Match header names a tag (given without quotes); `*` names all."""
    return if_none_match.strip() == "*" or any(
        found[1] == tag for found in _TAG.finditer(if_none_match)
    )


def is_already_held(headers: Iterable[tuple[bytes, bytes]], tag: str | None) -> bool:
    """Return whether a request's header lines say that the caller has the answer with this tag.

    Always False for an answer without a tag.
    """
    given = [value for name, value in headers if name == b"if-none-match"]
    return bool(given) and tag is not None and has_tag(b", ".join(given).decode("latin-1"), tag)


def drop_body_headers(lines: HeaderLines) -> HeaderLines:
    """Return the header lines of a 304, made from those of the 200."""
    return [line for line in lines if line[0] not in _BODY_HEADERS]


def respond_unless_held(body: bytes, lines: HeaderLines, tag: str | None) -> Response:
    """Answer the current request: 200, or 304 if the caller already has this answer.

    Args:
        body: the finished body.
        lines: the header lines of the 200.
        tag: its entity tag, without quotes; None = no tag, the body is always sent.
    """
    if not is_already_held(request.scope["headers"], tag):
        return Response(body, headers=decode_lines(lines))
    response = Response(b"", status=304, headers=decode_lines(drop_body_headers(lines)))
    for name in _BODY_HEADERS:  # the framework adds them
        response.headers.pop(name.decode(), None)
    return response


def decode_lines(lines: HeaderLines) -> Headers:
    """Return header lines as the framework takes them."""
    return Headers([(name.decode(), value.decode()) for name, value in lines])
