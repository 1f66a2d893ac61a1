"""authlib's client, as we open it."""

import httpx
import pytest

from newsintel.outbound.oauth.library import AsyncOAuth2Client, open_client
from newsintel.outbound.transport import Transport


def test_the_client_is_httpxs():
    """authlib takes httpx2 instead where something has installed it, which would not know our one way out."""
    assert issubclass(AsyncOAuth2Client, httpx.AsyncClient)


async def test_a_name_that_authlib_does_not_know_is_an_error():
    """By itself it takes any, so that a mistyped one goes unnoticed; those that we pass are its own."""
    async with Transport() as transport:
        with pytest.raises(TypeError, match="revocation_answer"):
            open_client("id", "secret", transport, revocation_answer_auth_method="client_secret_basic")
        client = open_client("id", "secret", transport, revocation_endpoint_auth_method="client_secret_post")
        assert client.revocation_endpoint_auth_method == "client_secret_post"
        assert client.metadata == {}
