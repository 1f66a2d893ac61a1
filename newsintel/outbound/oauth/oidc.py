"""Sign-in with any OpenID Connect provider: discovery, the code flow with PKCE, and ID tokens."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any
from urllib.parse import quote

import httpx
import trio
from attrs import define, field
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from newsintel.config.values import Secret
from newsintel.domain.accounts.model import Identity, SignInAttempt, Tokens
from newsintel.domain.ports import WallClock
from newsintel.errors import SignInUnavailableError
from newsintel.outbound.oauth.discovery import (
    TENANT,
    DiscoveryDocument,
    document_address,
    read_document,
    read_keys,
)
from newsintel.outbound.oauth.exchange import check_login_reply, provider_step, read_json
from newsintel.outbound.oauth.id_token import UnknownSignerError, read_id_token
from newsintel.outbound.oauth.identity import identity_of, lacks_names, with_userinfo
from newsintel.outbound.oauth.library import open_client
from newsintel.runtime.telemetry.logs import get_logger

log = get_logger(__name__)

SCOPES = "openid profile email"
DISCOVERY_KEEP_S = 3600.0
"""How long a discovery document and its keys are used before they are fetched again."""

FRESH_KEYS_EVERY_S = 60.0
"""Minimum time between two fetches of the keys because of an unknown signer.

Providers rotate their keys without notice, so an unknown key in a token triggers a fetch.
"""


@define
class _ProviderData:
    """The provider's document and keys, and when they were fetched (trio's clock)."""

    document: DiscoveryDocument
    keys: KeySet
    at_s: float


@define
class OpenIdConnect:
    """An issuer as a `Provider`.

    Attributes:
        issuer: exactly as its documents and tokens name it.
        transport: the HTTP transport, which this class does not close.
    """

    issuer: str
    client_id: str
    client_secret: Secret | None
    display_name: str
    redirect_uri: str
    transport: httpx.AsyncBaseTransport
    now: WallClock
    _kept: _ProviderData | None = field(default=None, init=False)

    @property
    def label(self) -> str:
        return self.display_name

    async def start_sign_in(self, attempt: SignInAttempt) -> str:
        document = (await self._get_provider()).document
        with self._check_description():  # authlib rejects a query that is not form-encoded
            url, _ = self._client(document).create_authorization_url(
                document.authorization_endpoint,
                state=attempt.state,
                code_verifier=attempt.verifier,
                nonce=attempt.nonce,
            )
        return str(url)

    async def finish_sign_in(
        self, code: str, attempt: SignInAttempt
    ) -> tuple[Identity, Tokens | None]:
        """Exchange the code and verify the ID token. No token is stored, since we need none."""
        document = (await self._get_provider()).document
        client = self._client(document)
        client.register_compliance_hook(
            "access_token_response", partial(check_login_reply, self.label)
        )
        async with provider_step(self.label, "exchanging a code"):
            reply = await client.fetch_token(
                document.token_endpoint,
                grant_type="authorization_code",
                code=code,
                redirect_uri=self.redirect_uri,
                code_verifier=attempt.verifier,
                auth=self._build_basic_auth(document),
            )
        claims = await self._verify_id_token(reply["id_token"], attempt.nonce)
        if document.userinfo_endpoint and lacks_names(claims) and "access_token" in reply:
            claims = await self._add_userinfo(
                claims, document.userinfo_endpoint, reply["access_token"]
            )
        return identity_of(claims, any_tenant=TENANT in document.issuer), None

    async def _verify_id_token(self, id_token: str, nonce: str) -> dict[str, Any]:
        """Return the claims of an ID token; fetch the keys again if its signer is unknown."""

        def read(kept: _ProviderData) -> dict[str, Any]:
            made_by = kept.document.issuer
            return read_id_token(
                id_token,
                kept.keys,
                issuer=made_by,
                client_id=self.client_id,
                nonce=nonce,
                now=self.now(),
            )

        try:
            try:
                return read(await self._get_provider())
            except UnknownSignerError:
                return read(await self._get_provider(FRESH_KEYS_EVERY_S))
        except (JoseError, ValueError, RecursionError) as error:
            raise self._log_invalid_proof("verifying an ID token", error) from None

    async def _add_userinfo(
        self, claims: dict[str, Any], url: str, access_token: str
    ) -> dict[str, Any]:
        """Return the claims, completed from the userinfo endpoint."""
        try:
            return with_userinfo(
                claims,
                await self._get(url, "userinfo", {"Authorization": f"Bearer {access_token}"}),
            )
        except ValueError as error:
            raise self._log_invalid_proof("comparing userinfo", error) from None

    async def _get_provider(self, keep_s: float = DISCOVERY_KEEP_S) -> _ProviderData:
        """Return the provider's document and keys, at most `keep_s` old.

        Two tasks that find them too old at the same time both fetch them, which does no harm.
        """
        kept = self._kept
        if kept is None or trio.current_time() - kept.at_s >= keep_s:
            said = await self._get(document_address(self.issuer), "discovery")
            with self._check_description():
                document = read_document(said, self.issuer, secret=self.client_secret is not None)
            said = await self._get(document.jwks_uri, "keys")
            with self._check_description():
                keys = read_keys(said)
            self._kept = kept = _ProviderData(document, keys, trio.current_time())
        return kept

    async def _get(
        self, url: str, step: str, headers: dict[str, str] | None = None
    ) -> dict[str, Any]:
        client = open_client(self.client_id, None, self.transport)
        async with provider_step(self.label, step):
            response = await client.request("GET", url, headers=headers, withhold_token=True)
        return read_json(self.label, step, response)

    @contextmanager
    def _check_description(self) -> Iterator[None]:
        """Log a ValueError, which the provider's operator or ours must fix, and raise ours."""
        try:
            yield
        except ValueError as error:
            log.warning("provider_misdescribed", provider=self.label, detail=str(error))
            raise SignInUnavailableError(
                f"{self.label} is not configured correctly. Tell the operator of this service."
            ) from None

    def _log_invalid_proof(self, step: str, error: Exception) -> SignInUnavailableError:
        log.warning("provider_failed", provider=self.label, step=step, detail=type(error).__name__)
        return SignInUnavailableError(
            f"{self.label} sent an invalid proof of your identity. "
            "Tell the operator of this service."
        )

    def _build_basic_auth(self, document: DiscoveryDocument) -> httpx.BasicAuth | None:
        """Return our id and secret for the header, or None if they do not go there.

        Both are form-encoded first (RFC 6749, 2.3.1), which authlib does not do.
        """
        if document.auth_method != "client_secret_basic" or self.client_secret is None:
            return None
        return httpx.BasicAuth(
            quote(self.client_id, safe=""), quote(self.client_secret.reveal(), safe="")
        )

    def _client(self, document: DiscoveryDocument) -> Any:
        return open_client(
            self.client_id,
            self.client_secret.reveal() if self.client_secret else None,
            self.transport,
            token_endpoint_auth_method=document.auth_method,
            redirect_uri=self.redirect_uri,
            scope=SCOPES,
            code_challenge_method="S256",
        )
