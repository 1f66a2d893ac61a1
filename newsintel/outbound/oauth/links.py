"""Accounts' tokens at providers: kept, refreshed once however many need them, revoked when the account signs out everywhere or goes.

Whoever finds a token expired claims the account's refresh among all processes, and reads the token again before asking: another may have
refreshed it meanwhile. The refresh goes on when its caller leaves; a provider that gives a new refresh token each time would otherwise
have spent the old one for nothing.
"""

from collections.abc import Mapping
from datetime import timedelta
from secrets import token_hex

import trio
from attrs import frozen

from newsintel.domain.accounts.model import Tokens
from newsintel.domain.accounts.ports import TokenIssuer, TokenStore
from newsintel.domain.ports import Locks, WallClock
from newsintel.errors import NotLinkedError, SignInUnavailableError, UnavailableError, UnknownKeyError
from newsintel.outbound.oauth.exchange import ATTEMPT_S
from newsintel.runtime.telemetry.logs import get_logger

log = get_logger(__name__)

EARLY = timedelta(seconds=60)
"""A token is refreshed this long before it expires, so that it outlives the call that it is for."""

CLAIM_S = ATTEMPT_S + 5.0
"""A claim outlives the refresh that it is for, and lapses if its holder dies."""

LOOK_EVERY_S = 0.1
CLOSE_S = 0.5


@frozen
class AccountLinks:
    """The Links port.

    Attributes:
        issuers: by provider, as accounts name it.
    """

    store: TokenStore
    locks: Locks
    issuers: Mapping[str, TokenIssuer]
    now: WallClock

    async def link(self, user_id: int, provider: str, tokens: Tokens) -> None:
        """Keep what signing in brought."""
        await self.store.put(user_id, provider, tokens)

    async def access_token(self, user_id: int, provider: str) -> str:
        """A token of an account that is good for a while; refreshed first if need be.

        Raises:
            NotLinkedError: there is none, or the provider honours it no more; then it has been forgotten.
            SignInUnavailableError: the provider or a store is away.
        """
        with trio.move_on_after(CLAIM_S):
            while not self._fresh(tokens := await self._kept(user_id, provider)):
                if await self._claimed(user_id, provider):
                    continue  # and find it fresh
                await trio.sleep(LOOK_EVERY_S)
            return tokens.access_token
        raise SignInUnavailableError("The link to your account could not be renewed in time. Try again in a moment.")

    async def unlink(self, user_id: int) -> None:
        """Revoke and forget every token of an account. Goes on when its caller leaves, for CLAIM_S a provider at most."""
        for provider, issuer in self.issuers.items():
            with trio.move_on_after(CLAIM_S, shield=True):
                await self._revoke(user_id, provider, issuer)

    async def _revoke(self, user_id: int, provider: str, issuer: TokenIssuer) -> None:
        try:
            tokens = await self.store.get(user_id, provider)
            if tokens is None:
                return
            await issuer.revoke(tokens)
        except (SignInUnavailableError, UnknownKeyError, ValueError) as error:
            log.warning("token_not_revoked", provider=provider, detail=str(error))
        await self.store.delete(user_id, provider)

    async def _kept(self, user_id: int, provider: str) -> Tokens:
        if (tokens := await self.store.get(user_id, provider)) is None:
            raise NotLinkedError("Your account is not linked. Sign in again to link it.")
        return tokens

    def _fresh(self, tokens: Tokens) -> bool:
        return tokens.expires_at - self.now() > EARLY

    async def _claimed(self, user_id: int, provider: str) -> bool:
        """Refresh, if nobody else is at it; True if nobody was. Goes on when its caller leaves, for CLAIM_S at most."""
        name, claim = f"link:{user_id}:{provider}", token_hex(16)
        if not await self.locks.lock(name, claim, CLAIM_S):
            return False
        try:
            with trio.move_on_after(CLAIM_S, shield=True):
                await self._refresh(user_id, provider)
        finally:
            with trio.move_on_after(CLOSE_S, shield=True):
                await self._give_back(name, claim)
        return True

    async def _refresh(self, user_id: int, provider: str) -> None:
        tokens = await self._kept(user_id, provider)
        if self._fresh(tokens):
            return
        refused: NotLinkedError | None = None
        try:
            tokens = await self.issuers[provider].refresh(tokens)
        except NotLinkedError as error:
            refused = error
        if refused is not None:
            log.warning("token_refresh_failed", provider=provider, detail="no longer honoured; unlinked")
            await self.store.delete(user_id, provider)
            raise refused
        await self.store.put(user_id, provider, tokens)

    async def _give_back(self, name: str, claim: str) -> None:
        try:
            await self.locks.unlock(name, claim)
        except UnavailableError:
            return  # it lapses by itself
