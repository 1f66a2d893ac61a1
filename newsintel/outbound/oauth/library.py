"""authlib, imported without its advice, and its client over the project's one way out."""

import warnings
from typing import Any

import httpx

from newsintel.outbound.transport import HEADERS, TIMEOUT

with warnings.catch_warnings():
    # authlib recommends another client than httpx (docs/decisions/0003-httpx.md). Its warning comes while it is imported and overrides
    # every filter set before: only here, after its class and before its client, can it be silenced.
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
    """A client of authlib's that closes with its transport.

    It remembers the last token that it fetched, so where tokens are people's each operation has a client of its own; what there is to
    close, the connections, is the transport's. Each argument of authlib's is named here: authlib itself takes any name without a word.
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
