"""A small OpenID Connect provider over real HTTP.

It has discovery, keys that rotate, codes, and ID tokens that a test can make wrong.
"""

import base64
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import trio
from attrs import define, field
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey

from newsintel.demo.wire import Reply, Request, serve_connection


@define
class Issuer:
    """A provider's behavior, and the requests that it received. `url` is the issuer.

    Attributes:
        claims: replace the right claims; None removes one.
        document: replaces members of the discovery document.
        members: replace members of the token endpoint's reply; None removes one.
        reply: replaces the whole reply of the token endpoint.
        userinfo: the userinfo endpoint's JSON object, or its whole reply; None if the provider has
            no such endpoint.
        strange_keys: stand before the provider's own keys in the key set.
    """

    client_id: str = "newsintel"
    client_secret: str = "planted-oidc-secret"
    url: str = ""
    claims: dict[str, Any] = field(factory=dict)
    document: dict[str, Any] = field(factory=dict)
    members: dict[str, Any] = field(factory=dict)
    reply: Reply | None = None
    userinfo: dict[str, Any] | Reply | None = None
    strange_keys: list[Any] = field(factory=list)
    sign: Callable[[dict[str, Any]], str] | None = None
    keys: list[RSAKey | ECKey] = field(factory=lambda: [ECKey.generate_key("P-256", {"kid": "k1"})])
    asked: list[str] = field(factory=list)
    codes: dict[str, dict[str, str]] = field(factory=dict)

    def rotate(self, kid: str) -> None:
        """Sign with a new key from now on."""
        self.keys = [ECKey.generate_key("P-256", {"kid": kid})]

    def authorize(self, url: str, code: str = "code-1") -> dict[str, str]:
        """Act as the person's browser: store the request under a code; returns its parameters."""
        self.codes[code] = dict(parse_qsl(urlsplit(url).query))
        return self.codes[code]

    async def respond(self, request: Request) -> Reply:
        """Answer one request."""
        self.asked.append(request.path)
        if request.path.endswith("/.well-known/openid-configuration"):
            return Reply.json(200, self._discovery())
        match request.path:
            case "/keys":
                own = KeySet(self.keys).as_dict(private=False)["keys"]
                return Reply.json(200, {"keys": [*self.strange_keys, *own]})
            case "/token":
                return self.reply or self._token(request)
            case "/userinfo":
                return self._userinfo(request)
        return Reply(404)

    def _discovery(self) -> dict[str, Any]:
        endpoints = {
            "authorization_endpoint": "/authorize",
            "token_endpoint": "/token",
            "jwks_uri": "/keys",
        }
        if self.userinfo is not None:
            endpoints["userinfo_endpoint"] = "/userinfo"
        return (
            {"issuer": self.url}
            | {name: self.url + path for name, path in endpoints.items()}
            | self.document
        )

    def _userinfo(self, request: Request) -> Reply:
        if request.headers.get("authorization") != "Bearer at":
            return Reply(401)
        return self.userinfo if isinstance(self.userinfo, Reply) else Reply.json(200, self.userinfo)

    def _token(self, request: Request) -> Reply:
        form = dict(parse_qsl(request.body.decode()))
        basic = (
            "Basic " + base64.b64encode(f"{self.client_id}:{self.client_secret}".encode()).decode()
        )
        posted = (form.get("client_id"), form.get("client_secret")) == (
            self.client_id,
            self.client_secret,
        )
        if request.headers.get("authorization") != basic and not posted:
            return Reply.json(401, {"error": "invalid_client"})
        asked = self.codes.pop(form.get("code", ""), None)
        challenge = (
            base64.urlsafe_b64encode(sha256(form.get("code_verifier", "").encode()).digest())
            .decode()
            .rstrip("=")
        )
        if (
            asked is None
            or asked["redirect_uri"] != form["redirect_uri"]
            or asked["code_challenge"] != challenge
        ):
            return Reply.json(400, {"error": "invalid_grant"})
        token = (self.sign or self.signed)(self._claims(asked["nonce"]))
        reply = {
            "access_token": "at",
            "token_type": "Bearer",
            "expires_in": 3600,
            "id_token": token,
        } | self.members
        return Reply.json(200, {name: value for name, value in reply.items() if value is not None})

    def _claims(self, nonce: str) -> dict[str, Any]:
        now = int(time.time())
        right = {
            "iss": self.url,
            "aud": self.client_id,
            "sub": "subject-1",
            "nonce": nonce,
            "iat": now,
            "exp": now + 300,
        }
        named = {"preferred_username": "alice", "email": "A@b.org", "email_verified": True}
        return {
            name: value
            for name, value in (right | named | self.claims).items()
            if value is not None
        }

    def signed(self, claims: dict[str, Any], key: RSAKey | ECKey | None = None) -> str:
        """Return a signed ID token."""
        by = key or self.keys[0]
        header = {"alg": "RS256" if isinstance(by, RSAKey) else "ES256", "kid": by.kid}
        return jwt.encode(header, claims, by)


@asynccontextmanager
async def running_issuer() -> AsyncIterator[Issuer]:
    """Run an issuer on its own port."""
    issuer = Issuer()
    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    issuer.url = f"http://127.0.0.1:{listeners[0].socket.getsockname()[1]}"
    async with trio.open_nursery() as nursery:
        await nursery.start(
            trio.serve_listeners, partial(serve_connection, respond=issuer.respond), listeners
        )
        yield issuer
        nursery.cancel_scope.cancel()
