"""authlib's client, as we open it."""

import httpx
import pytest

from newsintel.outbound.oauth.library import AsyncOAuth2Client, open_client
from newsintel.outbound.transport import Transport


def test_client_is_an_httpx_client():
    """authlib prefers httpx2 if it is installed, and httpx2 would not use our transport."""
    assert issubclass(AsyncOAuth2Client, httpx.AsyncClient)


async def test_option_that_authlib_does_not_know_is_an_error():
    """authlib itself accepts any option, so a misspelled one has no effect.

    It knows those that we pass.
    """
    async with Transport() as transport:
        with pytest.raises(TypeError, match="revocation_answer"):
            open_client(
                "id", "secret", transport, revocation_answer_auth_method="client_secret_basic"
            )
        client = open_client(
            "id", "secret", transport, revocation_endpoint_auth_method="client_secret_post"
        )
        assert client.revocation_endpoint_auth_method == "client_secret_post"
        assert client.metadata == {}
