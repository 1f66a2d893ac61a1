"""Opens the sign-in providers that an operator has configured, with their transports."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

from attrs import frozen

from newsintel.config.settings import Settings
from newsintel.domain.accounts.ports import Provider, TokenIssuer
from newsintel.domain.ports import WallClock
from newsintel.outbound.oauth.oidc import OpenIdConnect
from newsintel.outbound.oauth.reddit import Reddit
from newsintel.outbound.oauth.replies import MAX_REPLY_BYTES
from newsintel.outbound.public_network import PublicNetwork
from newsintel.outbound.transport import Transport


@frozen
class Providers:
    """The configured providers.

    Attributes:
        by_name: all providers, by their name in our URLs.
        issuers: the providers whose tokens are stored, by their name in accounts.
    """

    by_name: Mapping[str, Provider]
    issuers: Mapping[str, TokenIssuer]


@asynccontextmanager
async def open_providers(settings: Settings, now: WallClock) -> AsyncIterator[Providers]:
    """Open every provider that has its settings.

    If SIGN_IN is off, there are no providers, but issuers can still revoke stored tokens.

    Owns: the providers' connections.
    """
    reddit = settings.source.get("reddit")
    by_name: dict[str, Provider] = {}
    issuers: dict[str, TokenIssuer] = {}
    async with AsyncExitStack() as stack:
        if reddit and all(
            reddit.values.get(name) for name in ("client_id", "client_secret", "user_agent")
        ):
            transport = await stack.enter_async_context(Transport(MAX_REPLY_BYTES))
            by_name["reddit"] = issuers["reddit"] = Reddit(
                reddit, redirect_uri(settings, "reddit"), transport, now
            )
        if settings.oidc_issuer and settings.oidc_client_id:
            # The provider's document chooses the addresses that we call next.
            network = PublicNetwork(private=settings.private_addresses)
            by_name["oidc"] = OpenIdConnect(
                settings.oidc_issuer,
                settings.oidc_client_id,
                settings.oidc_client_secret,
                settings.oidc_label,
                redirect_uri(settings, "oidc"),
                await stack.enter_async_context(Transport(MAX_REPLY_BYTES, network=network)),
                now,
            )
        yield Providers({} if settings.sign_in == ("off",) else by_name, issuers)


def redirect_uri(settings: Settings, provider: str) -> str:
    """Return the URL to which a provider sends browsers back.

    It is built from PUBLIC_URL only, never from a request's Host (RFC 9700, 4.1).
    """
    return f"{settings.public_url}/auth/{provider}/callback"
