"""Stores accounts' provider tokens and revokes them at sign-out everywhere and deletion."""

from collections.abc import Mapping

import trio
from attrs import frozen

from newsintel.domain.accounts.model import Tokens
from newsintel.domain.accounts.ports import TokenIssuer, TokenStore
from newsintel.errors import SignInUnavailableError, UnknownKeyError
from newsintel.outbound.oauth.exchange import ATTEMPT_S
from newsintel.runtime.telemetry.logs import get_logger

log = get_logger(__name__)

UNLINK_S = ATTEMPT_S + 5.0
"""Time limit per provider for deleting and revoking a token."""


@frozen
class AccountLinks:
    """Implements the `Links` port.

    Attributes:
        issuers: by the provider's name in accounts.
    """

    store: TokenStore
    issuers: Mapping[str, TokenIssuer]

    async def store_tokens(self, user_id: int, provider: str, tokens: Tokens) -> None:
        await self.store.put(user_id, provider, tokens)

    async def revoke_all_tokens(self, user_id: int) -> None:
        """Delete and revoke the tokens, also if the caller is cancelled; UNLINK_S per provider."""
        for provider, issuer in self.issuers.items():
            with trio.move_on_after(UNLINK_S, shield=True):
                await self._revoke(user_id, provider, issuer)

    async def _revoke(self, user_id: int, provider: str, issuer: TokenIssuer) -> None:
        try:
            # Taken first: tokens of a sign-in while the provider revokes must not be deleted.
            tokens = await self.store.take(user_id, provider)
            if tokens is not None:
                await issuer.revoke(tokens)
        except (SignInUnavailableError, UnknownKeyError, ValueError) as error:
            log.warning("token_not_revoked", provider=provider, detail=str(error))
