"""Sign-in with OpenID providers of other projects: our routes, their pages, and a session.

oidc-provider-mock runs in every test run. A slow test installs the certified oidc-provider, which
checks every detail of a request.
"""

from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from urllib.parse import urlsplit

import pytest
import trio
from attrs import define, evolve

from newsintel.domain.accounts.sign_in import create_attempt
from newsintel.errors import InvalidParameterError
from newsintel.http.application import create_app
from newsintel.outbound.oauth.providers import open_providers
from tests.http.world import World, settings
from tests.outbound.oauth.foreign import certified_provider, go_through, mock_provider

CALLBACK = "http://localhost:8000/auth/oidc/callback"
ALICE = {
    "sub": "248289761001",
    "preferred_username": "alice",
    "email": "Alice@example.org",
    "email_verified": True,
}
SECRET = "a+b/c%d:e &f=~"
"""A secret that form encoding changes; RFC 6749, 2.3.1 requires that encoding in the header."""


@define
class Service:
    """Our routes with stores in memory, a configured provider, and a browser."""

    world: World
    browser: object
    provider: object

    async def sign_in(self, **person):
        """Pass login, the provider's pages and the callback; returns the callback's response."""
        going = await self.browser.get("/auth/oidc/login")
        assert going.status_code == 303, await going.get_data()
        back = urlsplit(
            await trio.to_thread.run_sync(
                partial(go_through, going.headers["Location"], CALLBACK, **person)
            )
        )
        return await self.browser.get(f"{back.path}?{back.query}")

    async def me(self):
        """GET /me with the session."""
        return await (await self.browser.get("/me")).get_json()


@asynccontextmanager
async def service(issuer, client_id="newsintel", secret=SECRET, **environ):
    """The routes, with the provider."""
    set_up = {
        "OIDC_ISSUER": issuer,
        "OIDC_CLIENT_ID": client_id,
        "OIDC_LABEL": "Example",
        "PRIVATE_ADDRESSES": "1",
    } | ({"OIDC_CLIENT_SECRET": secret} if secret else {})
    world = World(
        settings=settings(
            **{f"NEWSINTEL_{name}": value for name, value in (set_up | environ).items()}
        )
    )
    async with open_providers(world.settings, lambda: datetime.now(UTC)) as providers:
        services = world.services
        app = create_app(
            evolve(services, accounts=evolve(services.accounts, providers=providers.by_name))
        )
        yield Service(world, app.test_client(), providers.by_name["oidc"])


@pytest.fixture(scope="module")
def mock():
    """The issuer of a running oidc-provider-mock."""
    with mock_provider(ALICE) as issuer:
        yield issuer


async def test_sign_in_makes_a_session(mock):
    """The callback redirects to the account page."""
    async with service(mock) as ours:
        back = await ours.sign_in(sub=ALICE["sub"])
        assert (back.status_code, back.headers["Location"]) == (303, "/me/page")
        me = await ours.me()
        assert (me["username"], me["provider"]) == ("alice", mock)
        assert (mock, ALICE["sub"]) in ours.world.accounts.identities


async def test_verified_address_is_invited(mock):
    """The provider has verified the address. A person with another address is not invited."""
    async with service(mock, SIGN_IN="oidc:alice@example.org") as ours:
        refused = await ours.sign_in(sub="bob@example.org")
        assert (refused.status_code, (await refused.get_json())["code"]) == (403, "not_invited")
        assert (await ours.sign_in(sub=ALICE["sub"])).status_code == 303


async def test_person_who_declines_learns_how_to_start_again(mock):
    """The answer is a 401 that says how to continue."""
    async with service(mock) as ours:
        refused = await ours.sign_in(declines=True)
        assert refused.status_code == 401
        assert "Start again" in await refused.get_data(as_text=True)


async def test_code_works_once(mock):
    """The provider refuses the second use, and we report it."""
    async with service(mock) as ours:
        attempt = create_attempt("oidc", "c" * 43, None)
        back = await trio.to_thread.run_sync(
            partial(go_through, await ours.provider.start_sign_in(attempt), CALLBACK, sub="carol")
        )
        code = dict(pair.split("=") for pair in urlsplit(back).query.split("&"))["code"]
        assert (await ours.provider.finish_sign_in(code, attempt))[0].subject == "carol"
        with pytest.raises(InvalidParameterError):
            await ours.provider.finish_sign_in(code, attempt)


@pytest.fixture(scope="module")
def certified(tmp_path_factory):
    """The issuer of a running oidc-provider."""
    with certified_provider(tmp_path_factory.mktemp("oidc-provider"), CALLBACK, SECRET) as issuer:
        yield issuer


@pytest.mark.slow
@pytest.mark.parametrize("client_id", ["RS256", "PS256", "ES256", "Ed25519", "post", "public"])
async def test_sign_in_with_a_certified_provider(certified, client_id):
    """Covers each algorithm and each way to send the secret.

    This provider requires PKCE, and only its userinfo endpoint has name and address.
    """
    async with service(
        certified,
        client_id,
        None if client_id == "public" else SECRET,
        SIGN_IN="oidc:erin@example.org",
    ) as ours:
        assert (await ours.sign_in(login="erin")).status_code == 303
        me = await ours.me()
        assert (me["username"], me["provider"]) == ("erin by name", certified)


@pytest.mark.slow
async def test_declining_at_a_certified_provider_is_a_401(certified):
    """The person declines by the link back to the client."""
    async with service(certified, "RS256") as ours:
        assert (await ours.sign_in(declines=True)).status_code == 401


@pytest.mark.slow
async def test_wrong_secret_at_a_certified_provider_is_a_503(certified):
    """The operator must fix this, not the person."""
    async with service(certified, "RS256", "wrong") as ours:
        refused = await ours.sign_in(login="erin")
        assert (refused.status_code, (await refused.get_json())["code"]) == (503, "not_ready")


async def test_a_provider_on_a_private_address_is_not_called(mock):
    """Its document would choose the addresses that we call next. 503, and nothing is connected."""
    async with service(mock, PRIVATE_ADDRESSES="0") as there:
        going = await there.browser.get("/auth/oidc/login")
        assert going.status_code == 503
    async with service(mock) as there:
        assert (await there.browser.get("/auth/oidc/login")).status_code == 303
