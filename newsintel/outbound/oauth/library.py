"""Imports authlib without its deprecation warning and opens its client over our transport."""

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from newsintel.outbound.transport import HEADERS, TIMEOUT


@contextmanager
def _hide_module(name: str) -> Iterator[None]:
    """Make imports of a module fail in the block, as if it were not installed."""
    absent = object()
    before: Any = sys.modules.get(name, absent)
    sys.modules[name] = None  # type: ignore[assignment]  # "The import system": it may be None
    try:
        yield
    finally:
        if before is absent:
            del sys.modules[name]
        else:
            sys.modules[name] = before


# authlib prefers httpx2 if another package, such as the SDK of MCP, has installed it. But authlib's
# client must use our transport, which is one of httpx.
with _hide_module("httpx2"), warnings.catch_warnings():
    # authlib recommends another client than httpx (docs/decisions/0003-httpx.md). It warns during
    # its import and overrides all earlier filters. So the filter must be set here: after the import
    # of the warning's class and before the import of the client.
    from authlib.deprecate import AuthlibDeprecationWarning

    warnings.simplefilter("ignore", AuthlibDeprecationWarning)
    from authlib.integrations.base_client import OAuthError
    from authlib.integrations.httpx_client import AsyncOAuth2Client
    from authlib.oidc.discovery import get_well_known_url

__all__ = ["AsyncOAuth2Client", "OAuthError", "get_well_known_url", "open_client"]


def open_client(
    client_id: str,
    client_secret: str | None,
    transport: httpx.AsyncBaseTransport,
    *,
    user_agent: str | None = None,
    token_endpoint_auth_method: str | None = None,
    revocation_endpoint_auth_method: str | None = None,
    redirect_uri: str | None = None,
    scope: str | None = None,
    code_challenge_method: str | None = None,
) -> Any:
    """Create an authlib client over a transport.

    The client remembers the last token that it fetched, so each operation with a person's token has
    a client of its own. The transport owns the connections; the client has nothing else to close.
    All arguments are listed here because authlib silently accepts any name.
    """
    return AsyncOAuth2Client(
        client_id,
        client_secret,
        transport=transport,
        headers=HEADERS | ({"User-Agent": user_agent} if user_agent else {}),
        timeout=TIMEOUT,
        trust_env=False,
        follow_redirects=False,
        token_endpoint_auth_method=token_endpoint_auth_method,
        revocation_endpoint_auth_method=revocation_endpoint_auth_method,
        redirect_uri=redirect_uri,
        scope=scope,
        code_challenge_method=code_challenge_method,
    )
