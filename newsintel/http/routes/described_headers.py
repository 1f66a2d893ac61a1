"""The headers of answers, as /openapi.json describes them."""

from typing import Any

LIMIT_HEADERS: dict[str, Any] = {
    "RateLimit-Policy": {
        "description": 'What one person may, e.g. `"search";q=60;w=60`: calls, seconds.',
        "schema": {"type": "string"},
    },
    "RateLimit": {
        "description": 'What is left of each, e.g. `"search";r=59;t=42`: calls, seconds to reset.',
        "schema": {"type": "string"},
    },
}
"""Headers of every response of a rate-limited route."""

REQUEST_ID: dict[str, Any] = {
    "X-Request-Id": {
        "description": "The id of the request in the log: the caller's own, else a new one.",
        "required": True,
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9-]{1,64}$"},
    },
}
"""A header of every response."""

SEARCH_HEADERS: dict[str, Any] = {
    "Cache-Status": {
        "description": "Whether sources were asked (RFC 9211), e.g. `newsintel; hit; ttl=272`, "
        "`newsintel; fwd=miss` or `newsintel; fwd=stale; fwd-status=504`.",
        "schema": {"type": "string"},
    },
    "Age": {
        "description": "Seconds since the sources answered.",
        "schema": {"type": "integer", "minimum": 0},
    },
    "Server-Timing": {
        "description": "The status and the milliseconds of each source that was asked; `cache` "
        "if none was.",
        "schema": {"type": "string"},
    },
    "Cache-Control": {
        "description": "How long an anonymous caller may keep the answer; `private, no-store` for "
        "a person who is signed in.",
        "schema": {"type": "string"},
    },
    "ETag": {
        "description": "Send it as If-None-Match: a 304 says that the answer has not changed. "
        "Absent for a person who is signed in.",
        "schema": {"type": "string"},
    },
}
"""Headers of the answer to a search."""

CHALLENGE_HEADERS: dict[str, Any] = {
    "WWW-Authenticate": {
        "description": "How to authenticate (RFC 6750).",
        "required": True,
        "schema": {"type": "string"},
    },
}
"""Headers of a 401."""

RETRY_HEADERS: dict[str, Any] = {
    "Retry-After": {
        "description": "Seconds after which a retry can succeed.",
        "required": True,
        "schema": {"type": "integer", "minimum": 1},
    },
}
"""Headers of every problem that passes by itself."""

HEADERS = LIMIT_HEADERS | REQUEST_ID | SEARCH_HEADERS | CHALLENGE_HEADERS | RETRY_HEADERS
"""All of them, for the description's components: each response refers to them."""


def refer(headers: dict[str, Any]) -> dict[str, Any]:
    """Return references to headers instead of their descriptions."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in headers}
