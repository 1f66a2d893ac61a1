"""Answers to bytes that never became a request of the application: problem documents like all others, with an id to find them by."""

import re
from collections.abc import Iterable

from newsintel.domain.search.codec import to_json
from newsintel.http.middleware.envelope import SECURITY
from newsintel.http.response.problems import PROBLEM_JSON, PROBLEMS, document

DETAILS = {
    "bad_request": "The bytes are not an HTTP/1.1 request (RFC 9112).",
    "request_timeout": "The request did not arrive in time.",
    "headers_too_large": "The request line and headers may have 16 KiB and 128 lines together.",
    "version_not_supported": "Only HTTP/1.1 and HTTP/1.0 are spoken here.",
    "too_large": "A body may have 64 KiB, and 128 KiB with the framing of its chunks.",
    "internal": "A bug. The log explains it under the request_id.",
}
"""What is said of each. None repeats what the client sent."""

UNESCAPED = (
    "The request line has characters outside ASCII. Percent-encode them as UTF-8 (RFC 3986, 2.1); "
    "curl does so with: curl --get --data-urlencode 'q=...' ADDRESS"
)


def refusal(code: str, received: bytes, *, path: str, request_id: str) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """Make the answer.

    Args:
        code: a member of DETAILS.
        received: the bytes that were read last, to tell characters that were not encoded.
        path: of the request, decoded; empty if none could be read.
        request_id: as the log and the request's other answers have it.

    Returns:
        Status, headers and body.
    """
    detail = UNESCAPED if code == "bad_request" and _is_unescaped(received) else DETAILS[code]
    body = to_json(document(code, detail, path=path, request_id=request_id))
    headers: Iterable[tuple[bytes, bytes]] = (
        (b"content-type", PROBLEM_JSON.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        *SECURITY,
        (b"x-request-id", request_id.encode()),
        (b"connection", b"close"),
    )
    return PROBLEMS[code].status, list(headers), body


def _is_unescaped(received: bytes) -> bool:
    """True for a request line with characters outside ASCII: a method, then an address that has some."""
    return re.match(rb"[A-Z]{3,10} [^\r\n]*[\x80-\xff]", received) is not None
