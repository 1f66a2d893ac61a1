"""Describes a request's span by OpenTelemetry's semantic conventions for HTTP.

It has the same content as the request's log line, so no query, address or header of the caller.
"""

from collections.abc import Mapping
from typing import Any

from newsintel.domain.tracing import Span

METHODS = frozenset(
    {"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"}
)
"""The methods that the conventions know; any other one is `_OTHER`."""


def describe_request(span: Span, fields: Mapping[str, Any], scheme: str) -> None:
    """Give a span its name and its attributes.

    Args:
        span: of the request.
        fields: of its log line, as `log.build_access_fields` makes them.
        scheme: of the URLs that callers use.
    """
    method, route, status = fields["method"], fields["route"], fields["status"]
    known = method in METHODS
    title = method if known else "HTTP"
    has_route = route != "other"
    span.rename(f"{title} {route}" if has_route else title)
    span.set(
        {
            "http.request.method": method if known else "_OTHER",
            "http.route": route if has_route else None,
            "url.path": fields["path"],
            "url.scheme": scheme,
            "http.response.status_code": status,
            "http.response.body.size": fields["bytes"],
            "newsintel.client": fields["client"],
            "newsintel.request_id": fields["request_id"],
            "newsintel.problem": fields.get("problem"),
        }
    )
    if status is not None and status >= 500:
        span.fail(str(status))
