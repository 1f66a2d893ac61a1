"""Sign-in with the simulated Reddit over real HTTP: requests, replies and every fault."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx
import pytest

from newsintel.config.reading import read_settings
from newsintel.demo.server import run_simulated_upstreams
from newsintel.domain.accounts.sign_in import create_attempt
from newsintel.errors import DeniedError, InvalidParameterError, SignInUnavailableError
from newsintel.outbound.oauth.providers import open_providers, redirect_uri
from newsintel.outbound.oauth.reddit import parse_identity
from newsintel.outbound.sources import REGISTRY
from tests.waiting import PATIENCE_S

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
ATTEMPT = create_attempt("reddit", "c" * 43, "/me")


class Elsewhere:
    """The simulated Reddit, the provider that talks to it, and a person's browser."""

    def __init__(self, simulated, provider, browser):
        self.simulated = simulated
        self.provider = provider
        self.browser = browser

    async def behave(self, **behaviour):
        """Change how www.reddit.com behaves from now on."""
        (
            await self.browser.put(f"{self.simulated.control_url}/reddit_auth", json=behaviour)
        ).raise_for_status()

    async def decide(self, decision="allow", username="alice"):
        """Press a button on Reddit's page; returns the query that the browser comes back with."""
        url = await self.provider.start_sign_in(ATTEMPT)
        page = await self.browser.get(url)
        assert "This is not Reddit" in page.text, page.text
        response = await self.browser.post(url, data={"username": username, "decision": decision})
        assert response.status_code == 302, response.text
        return dict(parse_qsl(urlsplit(response.headers["Location"]).query))


@pytest.fixture
async def elsewhere():
    """The simulated Reddit and the provider run, without artificial latency."""
    async with (
        run_simulated_upstreams(seed=1) as simulated,
        httpx.AsyncClient(trust_env=False, timeout=PATIENCE_S) as browser,
    ):
        for name in simulated.base_urls:
            await browser.put(
                f"{simulated.control_url}/{name}", json={"latency_ms": 0, "jitter_ms": 0}
            )
        settings = read_settings(
            [source.options for source in REGISTRY.values()], simulated.environ
        )
        async with open_providers(settings, lambda: NOON) as providers:
            yield Elsewhere(simulated, providers.by_name["reddit"], browser)


async def test_asvs_02_authorization_request_has_state_and_pkce(elsewhere):
    """The redirect URI comes from our settings, and the scope is the smallest that works."""
    asked = {
        name: value
        for name, [value] in parse_qs(
            urlsplit(await elsewhere.provider.start_sign_in(ATTEMPT)).query
        ).items()
    }
    assert (asked["state"], asked["response_type"], asked["duration"]) == (
        ATTEMPT.state,
        "code",
        "permanent",
    )
    assert asked["redirect_uri"] == "http://localhost:8000/auth/reddit/callback"
    assert asked["scope"] == "identity read"
    assert (asked["code_challenge_method"], len(asked["code_challenge"])) == ("S256", 43)
    assert ATTEMPT.verifier not in str(asked)


async def test_sign_in_returns_identity_and_tokens(elsewhere):
    """The identity has a lasting id, and the tokens expire at the announced time."""
    back = await elsewhere.decide(username="Alice_1")
    assert back["state"] == ATTEMPT.state
    found, tokens = await elsewhere.provider.finish_sign_in(back["code"], ATTEMPT)
    assert (found.provider, found.username, found.invited_as) == (
        "reddit",
        "Alice_1",
        ("reddit:alice_1",),
    )
    assert tokens.expires_at == NOON + timedelta(seconds=86400)
    assert tokens.refresh_token
    assert tokens.access_token not in repr(tokens)


async def test_declining_returns_no_code(elsewhere):
    """The state comes back unchanged."""
    assert await elsewhere.decide("deny") == {"state": ATTEMPT.state, "error": "access_denied"}


async def test_fault_39_code_works_once(elsewhere):
    """Reddit reports the second use with status 200."""
    code = (await elsewhere.decide())["code"]
    await elsewhere.provider.finish_sign_in(code, ATTEMPT)
    with pytest.raises(InvalidParameterError) as error:
        await elsewhere.provider.finish_sign_in(code, ATTEMPT)
    assert error.value.field == "code"


FAULTS = {
    "error_200": InvalidParameterError,
    "no_token": SignInUnavailableError,
    "html": SignInUnavailableError,
    "zero_bytes": SignInUnavailableError,
    "truncated": SignInUnavailableError,
    "401": SignInUnavailableError,
    "403_html": SignInUnavailableError,
    "429": SignInUnavailableError,
    "429_html": SignInUnavailableError,
    "500": SignInUnavailableError,
    "redirect": SignInUnavailableError,
    "deep": SignInUnavailableError,
    "gzip_bomb": SignInUnavailableError,
    "reset": SignInUnavailableError,
    "eof": SignInUnavailableError,
    "hang": SignInUnavailableError,
}


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
async def test_fault_39_token_endpoint_faults_are_our_exceptions(elsewhere, fault, monkeypatch):
    """Each fault ends in time in one of our exceptions, which does not quote the code."""
    code = (await elsewhere.decide())["code"]
    await elsewhere.behave(fault=fault, retry_after=7)
    with pytest.raises(FAULTS[fault]) as error:
        await elsewhere.provider.finish_sign_in(code, ATTEMPT)
    assert code not in str(error.value)
    if fault.startswith("429"):
        assert error.value.retry_after_s == 7


async def test_asvs_09_revocation_ends_the_access_token(elsewhere):
    """Revoking the refresh token also ends every access token made from it."""
    _, tokens = await elsewhere.provider.finish_sign_in((await elsewhere.decide())["code"], ATTEMPT)
    assert (await elsewhere.provider._fetch_identity(tokens)).username == "alice"
    await elsewhere.provider.revoke(tokens)
    with pytest.raises(SignInUnavailableError):
        await elsewhere.provider._fetch_identity(tokens)


async def test_failed_revocation_raises(elsewhere):
    """The caller can then log it."""
    _, tokens = await elsewhere.provider.finish_sign_in((await elsewhere.decide())["code"], ATTEMPT)
    await elsewhere.behave(fault="500")
    with pytest.raises(SignInUnavailableError):
        await elsewhere.provider.revoke(tokens)


@pytest.mark.parametrize(
    "me",
    [
        {},
        {"id": "a b", "name": "x"},
        {"id": "abc"},
        {"id": "abc", "name": "é"},
        {"id": 7, "name": "x"},
    ],
)
def test_answer_without_an_identity_signs_nobody_in(me):
    """An id or a name is missing or invalid."""
    with pytest.raises(SignInUnavailableError):
        parse_identity(me)


def test_suspended_account_is_denied():
    """Reddit's answer says that the account is suspended."""
    with pytest.raises(DeniedError, match="suspended"):
        parse_identity({"id": "abc", "name": "x", "is_suspended": True})


def test_asvs_02_redirect_uri_comes_from_settings():
    """The URI is the same byte for byte."""
    settings = read_settings(
        [source.options for source in REGISTRY.values()],
        {"NEWSINTEL_PUBLIC_URL": "https://news.example.org/"},
    )
    assert redirect_uri(settings, "reddit") == "https://news.example.org/auth/reddit/callback"


async def test_only_configured_providers_are_open():
    """A provider without credentials is not opened.

    If sign-in is off, no provider signs in, but tokens from before can still be revoked.
    """
    declared = [source.options for source in REGISTRY.values()]
    async with run_simulated_upstreams(seed=1) as simulated:
        for environ, names in (
            ({}, set()),
            (simulated.environ, {"reddit"}),
            (
                simulated.environ
                | {"NEWSINTEL_OIDC_ISSUER": "http://127.0.0.1:1", "NEWSINTEL_OIDC_CLIENT_ID": "x"},
                {"reddit", "oidc"},
            ),
        ):
            async with open_providers(read_settings(declared, environ), lambda: NOON) as providers:
                assert set(providers.by_name) == names
        async with open_providers(
            read_settings(declared, simulated.environ | {"NEWSINTEL_SIGN_IN": "off"}), lambda: NOON
        ) as providers:
            assert (providers.by_name, set(providers.issuers)) == ({}, {"reddit"})
