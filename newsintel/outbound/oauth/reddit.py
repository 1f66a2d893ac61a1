"""Sign-in with Reddit: OAuth 2's code flow (RFC 6749, 4.1) with state, PKCE, permanent tokens."""

import re
from functools import partial
from typing import Any

import httpx
from attrs import frozen

from newsintel.config.settings import SourceSettings
from newsintel.domain.accounts.model import Identity, SignInAttempt, Tokens
from newsintel.domain.ports import WallClock
from newsintel.errors import DeniedError, SignInUnavailableError
from newsintel.outbound.oauth.exchange import (
    check_token_reply,
    log_failed_reply,
    provider_step,
    read_json,
    tokens_of,
)
from newsintel.outbound.oauth.library import open_client
from newsintel.outbound.transport import Transport

LABEL = "Reddit"
SCOPES = ("identity", "read")
"""Identity and read access; no scope that can change anything at Reddit."""


@frozen
class Reddit:
    """Reddit as a `Provider` and a `TokenIssuer`.

    Attributes:
        settings: the source's; the values contain client_id, client_secret, user_agent and
            auth_url, and the url is the API's.
        redirect_uri: exactly the registered one.
        transport: the HTTP transport, which this class does not close.
    """

    settings: SourceSettings
    redirect_uri: str
    transport: Transport
    now: WallClock

    @property
    def label(self) -> str:
        return LABEL

    async def start_sign_in(self, attempt: SignInAttempt) -> str:
        url, _ = self._client().create_authorization_url(
            self._build_url("authorize"),
            state=attempt.state,
            code_verifier=attempt.verifier,
            duration="permanent",
        )
        return str(url)

    async def finish_sign_in(
        self, code: str, attempt: SignInAttempt
    ) -> tuple[Identity, Tokens | None]:
        client, asked_at = self._client(), self.now()
        client.register_compliance_hook("access_token_response", partial(check_token_reply, LABEL))
        async with provider_step(LABEL, "exchanging a code"):
            reply = await client.fetch_token(
                self._build_url("access_token"),
                grant_type="authorization_code",
                code=code,
                redirect_uri=self.redirect_uri,
                code_verifier=attempt.verifier,
            )
        tokens = tokens_of(reply, asked_at)
        granted = re.split(r"[ ,]+", str(reply.get("scope", "")))
        if not {"identity", "*"} & set(granted):
            raise DeniedError(
                "unauthenticated",
                "You did not allow Reddit to share your identity. Start again and allow it.",
            )
        return await self._fetch_identity(tokens), tokens

    async def revoke(self, tokens: Tokens) -> None:
        """Revoke the refresh token and thereby all its access tokens (RFC 7009, 2.1).

        Without a refresh token, revoke the access token.
        """
        kind = "refresh_token" if tokens.refresh_token else "access_token"
        async with provider_step(LABEL, "revoking a token"):
            response = await self._client().revoke_token(
                self._build_url("revoke_token"), token=getattr(tokens, kind), token_type_hint=kind
            )
        if response.status_code not in (httpx.codes.OK, httpx.codes.NO_CONTENT):
            raise log_failed_reply(LABEL, "revoking a token", response, "refused")

    async def _fetch_identity(self, tokens: Tokens) -> Identity:
        """Ask GET /api/v1/me whose tokens these are."""
        async with provider_step(LABEL, "asking who it is"):
            response = await self._client().request(
                "GET",
                self.settings.url + "/api/v1/me",
                params={"raw_json": "1"},
                headers={"Authorization": f"bearer {tokens.access_token}"},
                withhold_token=True,
            )
        return parse_identity(read_json(LABEL, "asking who it is", response))

    def _build_url(self, step: str) -> str:
        return f"{self.settings.values['auth_url']}/api/v1/{step}"

    def _client(self) -> Any:
        values = self.settings.values
        return open_client(
            values["client_id"],
            values["client_secret"].reveal(),
            self.transport,
            user_agent=values["user_agent"],
            token_endpoint_auth_method="client_secret_basic",  # noqa: S106 - the method's name
            revocation_endpoint_auth_method="client_secret_basic",
            redirect_uri=self.redirect_uri,
            scope=" ".join(SCOPES),
            code_challenge_method="S256",
        )


def parse_identity(me: dict[str, Any]) -> Identity:
    """Return the identity in a reply of /api/v1/me: the id is permanent, the name is shown.

    Raises:
        SignInUnavailableError: id or name is missing or invalid.
        DeniedError: Reddit has suspended the account.
    """
    subject, name = me.get("id"), me.get("name")
    if not (isinstance(subject, str) and re.fullmatch(r"[a-z0-9]{1,20}", subject)):
        raise SignInUnavailableError("Reddit did not say who you are. Try again in a moment.")
    if not (isinstance(name, str) and re.fullmatch(r"[A-Za-z0-9_-]{1,40}", name)):
        raise SignInUnavailableError("Reddit did not send your user name. Try again in a moment.")
    if me.get("is_suspended") is True:
        raise DeniedError("unauthenticated", "Reddit has suspended this account.")
    return Identity("reddit", subject, name, (f"reddit:{name.lower()}",))
