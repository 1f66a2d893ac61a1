"""Responses to bytes that are not a valid request: problem documents with a request id."""

import re
from collections.abc import Iterable

from newsintel.domain.search.codec import to_json
from newsintel.http.middleware.envelope import DENY_ALL_POLICY, SECURITY_HEADERS
from newsintel.http.response.problems import PROBLEM_JSON, PROBLEMS, build_document

DETAILS = {
    "bad_request": "The bytes are not an HTTP/1.1 request (RFC 9112).",
    "request_timeout": "The request did not arrive in time.",
    "headers_too_large": (
        "The request line and headers together may have at most 16 KiB and 128 lines."
    ),
    "version_not_supported": "This server supports HTTP/1.1 and HTTP/1.0.",
    "too_large": "A body may have at most 64 KiB, or 128 KiB with its chunk framing.",
    "internal": "This is a bug. The operator finds more in the log under the request_id.",
}
"""The `detail` of each code. No text repeats bytes that the client sent."""

UNESCAPED_DETAIL = (
    "The request line has characters outside ASCII. Percent-encode them as UTF-8 (RFC 3986, 2.1); "
    "curl does so with: curl --get --data-urlencode 'q=...' ADDRESS"
)


def build_refusal(
    code: str, head: bytes, *, path: str, request_id: str
) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """Build the response.

    Args:
        code: a key of DETAILS.
        head: bytes that are no request's head; the function looks for unencoded characters there.
        path: of the request, decoded; empty if it could not be read.
        request_id: the same as in the log.

    Returns:
        Status, headers and body.
    """
    detail = UNESCAPED_DETAIL if code == "bad_request" and _is_unescaped(head) else DETAILS[code]
    body = to_json(build_document(code, detail, path=path, request_id=request_id))
    headers: Iterable[tuple[bytes, bytes]] = (
        (b"content-type", PROBLEM_JSON.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        *SECURITY_HEADERS,
        (b"content-security-policy", DENY_ALL_POLICY),
        (b"x-request-id", request_id.encode()),
        (b"connection", b"close"),
    )
    return PROBLEMS[code].status, list(headers), body


def _is_unescaped(head: bytes) -> bool:
    """Return whether a head begins with a request line (method, target) outside ASCII."""
    return re.match(rb"[A-Z]{3,10} [^\r\n]*[\x80-\xff]", head) is not None
