"""Checks of a request's head beyond those of h11.

What h11 accepts and we refuse: heads of too many lines, folded lines, and methods and versions that
the framework would read differently.
"""

import re

import h11

MAX_HEAD_LINES = 128
"""Limit of a request's head; one line takes about 16 us to read. Browsers send about 20, proxies
add a few."""

MAX_METHOD_CHARS = 32
"""The longest registered method has 17 (RFC 3253). Each line of the log shows the method."""

_HEAD_END = re.compile(rb"\n\r?\n")
"""The end of a head, by h11's rule."""

_FOLDED_LINE = re.compile(rb"\n[ \t]")
"""A folded header, which continues on the next line. We refuse it (RFC 9112, 5.2): a proxy in front
may read it differently than h11 does."""


def find_head_problem(data: bytes) -> str | None:
    """Return the problem code of a complete or partial head that h11 would accept but we do not."""
    found = _HEAD_END.search(data)
    end = found.start() if found else len(data)
    if data.count(b"\n", 0, end) > MAX_HEAD_LINES:
        return "headers_too_large"
    return "bad_request" if _FOLDED_LINE.search(data, 0, end) else None


def find_request_problem(request: h11.Request) -> str | None:
    """Return the problem code of a request that h11 accepts but we do not.

    Methods are case-sensitive (RFC 9110, 9.1). The framework would read `head` as HEAD and send no
    body, while h11 waits for one.
    """
    if not request.http_version.startswith(b"1."):
        return "version_not_supported"
    method = request.method
    return "bad_request" if method != method.upper() or len(method) > MAX_METHOD_CHARS else None
