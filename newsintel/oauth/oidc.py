"""Signing in with any OpenID Connect provider: what its discovery document says, the code flow with PKCE, and an ID token that holds."""

from functools import partial
from typing import Any
from urllib.parse import urlsplit

import trio
from attrs import define, field, frozen
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from newsintel.account_model import Attempt, Identity, Tokens
from newsintel.errors import SignInUnavailableError
from newsintel.logs import get_logger
from newsintel.oauth.exchange import check_token_reply, conversation, read_json
from newsintel.oauth.id_token import UnknownSignerError, identity_of, read_id_token
from newsintel.oauth.library import open_client
from newsintel.options import Secret
from newsintel.outbound import Transport
from newsintel.ports import WallClock

log = get_logger(__name__)

SCOPES = "openid profile email"
KEEP_S = 3600.0
"""For which a discovery document and its keys are used before they are asked for again."""

FRESH_KEYS_EVERY_S = 60.0
"""A token signed by an unknown key has the keys asked for again, no more often than this: providers rotate them without notice."""


@frozen
class _Document:
    """What of a discovery document (OpenID Connect Discovery 1.0, 3) is used."""

    authorization_answerpoint: str
    token_endpoint: str
    jwks_uri: str
    auth_method: str


@define
class _Kept:
    """What the provider said, and when (trio's clock)."""

    document: _Document
    keys: KeySet
    at_s: float


@define
class OpenIdConnect:
    """An issuer as a Provider.

    Attributes:
        issuer: exactly as its documents and tokens name it.
        transport: the way out; closed by whoever opened it.
    """

    issuer: str
    client_id: str
    client_secret: Secret | None
    shown_as: str
    redirect_uri: str
    transport: Transport
    now: WallClock
    _kept: _Kept | None = field(default=None, init=False)

    @property
    def label(self) -> str:
        """What people call it."""
        return self.shown_as

    async def begin(self, attempt: Attempt) -> str:
        """The address of the provider's page that asks the person."""
        document = (await self._known()).document
        url, _ = self._client(document).create_authorization_url(
            document.authorization_answerpoint, state=attempt.state, code_verifier=attempt.verifier, nonce=attempt.nonce
        )
        return str(url)

    async def finish(self, code: str, attempt: Attempt) -> tuple[Identity, Tokens | None]:
        """Exchange the code, and verify the ID token that comes with it. Its other tokens are not kept: nobody here has a use for them."""
        document = (await self._known()).document
        client = self._client(document)
        client.register_compliance_hook("access_token_response", partial(check_token_reply, self.label, code_of="authorization_code"))
        async with conversation(self.label, "exchanging a code"):
            reply = await client.fetch_token(
                document.token_endpoint,
                grant_type="authorization_code",
                code=code,
                redirect_uri=self.redirect_uri,
                code_verifier=attempt.verifier,
            )
        claims = await self._verified(reply.get("id_token"), attempt.nonce)
        return identity_of(self.issuer, claims), None

    async def _verified(self, id_token: Any, nonce: str) -> dict[str, Any]:
        """The claims of an ID token; its signer's key is asked for if it is not known yet."""
        kept = await self._known()
        expected = partial(read_id_token, id_token, issuer=self.issuer, client_id=self.client_id, nonce=nonce, now=self.now())
        try:
            try:
                return expected(kept.keys)
            except UnknownSignerError:
                return expected((await self._known(FRESH_KEYS_EVERY_S)).keys)
        except (JoseError, ValueError) as error:
            log.warning("provider_failed", provider=self.label, step="verifying an ID token", detail=type(error).__name__)
            raise SignInUnavailableError(f"{self.label} sent a proof of who you are that does not hold. Tell whoever runs this.") from None

    async def _known(self, keep_s: float = KEEP_S) -> _Kept:
        """What the provider said within `keep_s`. Two who find it too old at once ask twice, which does no harm."""
        kept = self._kept
        if kept is None or trio.current_time() - kept.at_s >= keep_s:
            document = await self._document()
            self._kept = kept = _Kept(document, await self._keys(document), trio.current_time())
        return kept

    async def _document(self) -> _Document:
        said = await self._get(self.issuer + "/.well-known/openid-configuration", "discovery")
        authorization, token, jwks = (said.get(name) for name in ("authorization_answerpoint", "token_endpoint", "jwks_uri"))
        # Another issuer's document would have us trust its keys (Discovery 1.0, 4.3).
        if said.get("issuer") != self.issuer or not all(map(self._usable, (authorization, token, jwks))):
            raise self._nonsense("discovery", "another issuer, or endpoints that cannot be used")
        methods = said.get("token_endpoint_auth_methods_supported")
        posts = isinstance(methods, list) and "client_secret_basic" not in methods and "client_secret_post" in methods
        method = "none" if self.client_secret is None else "client_secret_post" if posts else "client_secret_basic"
        return _Document(str(authorization), str(token), str(jwks), method)

    async def _keys(self, document: _Document) -> KeySet:
        try:
            return KeySet.import_key_set(await self._get(document.jwks_uri, "keys"))  # type: ignore[arg-type]
        except (JoseError, ValueError, KeyError, TypeError, AttributeError):
            raise self._nonsense("keys", "no usable set of keys") from None

    async def _get(self, url: str, step: str) -> dict[str, Any]:
        client = open_client(self.client_id, None, self.transport)
        async with conversation(self.label, step):
            response = await client.request("GET", url, withhold_token=True)
        return read_json(self.label, step, response)

    def _usable(self, endpoint: Any) -> bool:
        """True for a URL that is as well protected as the issuer's own."""
        return isinstance(endpoint, str) and urlsplit(endpoint).scheme in ("https", urlsplit(self.issuer).scheme)

    def _nonsense(self, step: str, what: str) -> SignInUnavailableError:
        log.warning("provider_failed", provider=self.label, step=step, detail=what)
        return SignInUnavailableError(f"{self.label} did not describe itself as it should. Tell whoever runs this.")

    def _client(self, document: _Document) -> Any:
        return open_client(
            self.client_id,
            self.client_secret.reveal() if self.client_secret else None,
            self.transport,
            token_endpoint_auth_method=document.auth_method,
            redirect_uri=self.redirect_uri,
            scope=SCOPES,
            code_challenge_method="S256",
        )
