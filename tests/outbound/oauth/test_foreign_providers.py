"""Signing in with OpenID providers that nobody here wrote: our routes, their pages and tokens, and a session at the end.

oidc-provider-mock is in every run; the certified oidc-provider, which checks what it is sent by the letter, is installed by a slow test.
"""

from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from urllib.parse import urlsplit

import pytest
import trio
from attrs import define, evolve

from newsintel.domain.accounts.sign_in import new_attempt
from newsintel.errors import InvalidParameterError
from newsintel.http.application import create_app
from newsintel.outbound.oauth.providers import open_providers
from tests.http.world import World, settings
from tests.outbound.oauth.foreign import certified_provider, go_through, mock_provider

CALLBACK = "http://localhost:8000/auth/oidc/callback"
ALICE = {"sub": "248289761001", "preferred_username": "alice", "email": "Alice@example.org", "email_verified": True}
SECRET = "a+b/c%d:e &f=~"
"""A secret that is not the same form-encoded: RFC 6749, 2.3.1 has it so in the header."""


@define
class Service:
    """Our routes over memory, with a provider as its operator sets it up, and a browser."""

    world: World
    browser: object
    provider: object

    async def sign_in(self, **person):
        """Login, the provider's pages, callback; what the browser gets at last."""
        going = await self.browser.get("/auth/oidc/login")
        assert going.status_code == 303, await going.get_data()
        back = urlsplit(await trio.to_thread.run_sync(partial(go_through, going.headers["Location"], CALLBACK, **person)))
        return await self.browser.get(f"{back.path}?{back.query}")

    async def me(self):
        """GET /me by the session."""
        return await (await self.browser.get("/me")).get_json()


@asynccontextmanager
async def service(issuer, client_id="newsintel", secret=SECRET, **environ):
    """The routes, with the provider."""
    set_up = {"OIDC_ISSUER": issuer, "OIDC_CLIENT_ID": client_id, "OIDC_LABEL": "Example"} | (
        {"OIDC_CLIENT_SECRET": secret} if secret else {}
    )
    world = World(settings=settings(**{f"NEWSINTEL_{name}": value for name, value in (set_up | environ).items()}))
    async with open_providers(world.settings, lambda: datetime.now(UTC)) as providers:
        services = world.services
        app = create_app(evolve(services, accounts=evolve(services.accounts, providers=providers.by_name)))
        yield Service(world, app.test_client(), providers.by_name["oidc"])


@pytest.fixture(scope="module")
def mock():
    """The issuer of a running oidc-provider-mock."""
    with mock_provider(ALICE) as issuer:
        yield issuer


async def test_from_login_to_a_session(mock):
    """And from there to the page that says who one is."""
    async with service(mock) as ours:
        back = await ours.sign_in(sub=ALICE["sub"])
        assert (back.status_code, back.headers["Location"]) == (303, "/me/page")
        me = await ours.me()
        assert (me["username"], me["provider"]) == ("alice", mock)
        assert (mock, ALICE["sub"]) in ours.world.accounts.identities


async def test_somebody_is_invited_by_their_address(mock):
    """As the provider has verified it; somebody else is not."""
    async with service(mock, SIGN_IN="oidc:alice@example.org") as ours:
        refused = await ours.sign_in(sub="bob@example.org")
        assert (refused.status_code, (await refused.get_json())["code"]) == (403, "not_invited")
        assert (await ours.sign_in(sub=ALICE["sub"])).status_code == 303


async def test_a_person_may_decline(mock):
    """And is told how to go on."""
    async with service(mock) as ours:
        refused = await ours.sign_in(declines=True)
        assert refused.status_code == 401
        assert "Start again" in await refused.get_data(as_text=True)


async def test_a_code_is_good_once(mock):
    """The provider says so, and so do we."""
    async with service(mock) as ours:
        attempt = new_attempt("oidc", "c" * 43, None)
        back = await trio.to_thread.run_sync(partial(go_through, await ours.provider.begin(attempt), CALLBACK, sub="carol"))
        code = dict(pair.split("=") for pair in urlsplit(back).query.split("&"))["code"]
        assert (await ours.provider.finish(code, attempt))[0].subject == "carol"
        with pytest.raises(InvalidParameterError):
            await ours.provider.finish(code, attempt)


@pytest.fixture(scope="module")
def certified(tmp_path_factory):
    """The issuer of a running oidc-provider."""
    with certified_provider(tmp_path_factory.mktemp("oidc-provider"), CALLBACK, SECRET) as issuer:
        yield issuer


@pytest.mark.slow
@pytest.mark.parametrize("client_id", ["RS256", "PS256", "ES256", "Ed25519", "post", "public"])
async def test_a_certified_provider(certified, client_id):
    """Each algorithm, each way to send the secret; PKCE is obligatory there, and name and address come from userinfo alone."""
    async with service(certified, client_id, None if client_id == "public" else SECRET, SIGN_IN="oidc:erin@example.org") as ours:
        assert (await ours.sign_in(login="erin")).status_code == 303
        me = await ours.me()
        assert (me["username"], me["provider"]) == ("erin by name", certified)


@pytest.mark.slow
async def test_a_certified_provider_whose_person_declines(certified):
    """By the link that leads back."""
    async with service(certified, "RS256") as ours:
        assert (await ours.sign_in(declines=True)).status_code == 401


@pytest.mark.slow
async def test_a_certified_provider_that_does_not_know_our_secret(certified):
    """It is the operator's trouble, not the person's."""
    async with service(certified, "RS256", "wrong") as ours:
        refused = await ours.sign_in(login="erin")
        assert (refused.status_code, (await refused.get_json())["code"]) == (503, "not_ready")
