"""The values that travel where somebody is signed in: an account, and what a request may do in its name."""

from datetime import datetime
from enum import StrEnum

from attrs import field, frozen

LOCAL = "local"
"""The provider of accounts that the operator made on the command line; nobody signs in to them."""

MOST_KEYS = 50
"""API keys of one account; far more programs than one person runs."""


@frozen
class Account:
    """Somebody who has signed in.

    Attributes:
        id: the row's own; never leaves the process.
        public_id: `u_` and 20 lower-case base32 characters.
        username: as the provider has it; not unique.
        provider: `reddit`, `dev`, LOCAL, or an OpenID Connect issuer.
    """

    id: int
    public_id: str
    username: str
    provider: str
    created_at: datetime
    last_login_at: datetime


class Access(StrEnum):
    """By what a request speaks for an account, and so what it may do: a session anything, a key what its scope says."""

    SESSION = "session"
    WRITE = "write"
    READ = "read"

    def covers(self, need: "Access") -> bool:
        """True if whoever has this may do what takes `need`: a session covers all, a write key also reads."""
        order = (Access.READ, Access.WRITE, Access.SESSION)
        return order.index(self) >= order.index(need)


@frozen
class Session:
    """A browser that is signed in.

    Attributes:
        digest: SHA-256 of the id in the cookie, in hexadecimal; the id itself is kept nowhere.
        user_id: of the account, inside the process.
        client: what the browser called itself when it signed in, cut short.
    """

    digest: str
    user_id: int
    created_at: datetime
    last_seen_at: datetime
    client: str


@frozen
class ApiKey:
    """A key as its owner sees it: everything but the key, of which only a digest is kept.

    Attributes:
        public_id: `k_` and 20 lower-case base32 characters.
        access: READ or WRITE.
        expires_at: None = never.
        last_used_at: to about a minute; None = never.
    """

    public_id: str
    name: str
    access: Access
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


@frozen
class Identity:
    """Who somebody is to a provider.

    Attributes:
        provider: `reddit`, `dev`, or an OpenID Connect issuer.
        subject: what the provider never gives to somebody else.
        username: as the provider has it; not unique.
        invited_as: what SIGN_IN may call them, e.g. `reddit:alice`, in lower case.
    """

    provider: str
    subject: str
    username: str
    invited_as: tuple[str, ...]


@frozen
class Tokens:
    """What lets us speak to a provider for somebody; never shown, never logged."""

    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    expires_at: datetime


@frozen
class Attempt:
    """A sign-in that has been started and not yet come back.

    Attributes:
        provider: its name in our addresses, `reddit` or `oidc`.
        state: what comes back with the browser, 256 bits.
        browser: digest of the cookie that was set on the browser that started it.
        verifier: PKCE's (RFC 7636).
        nonce: comes back inside an ID token (OpenID Connect).
        next: where to go afterwards, a path of ours.
    """

    provider: str
    state: str = field(repr=False)
    browser: str
    verifier: str = field(repr=False)
    nonce: str = field(repr=False)
    next: str


class Doubt(StrEnum):
    """Why a caller who showed a key or a session is anonymous all the same."""

    BAD_KEY = "bad_key"
    """It is no key that is good now: 401 on every route."""
    UNKNOWN = "unknown"
    """The store that knows is away: 503 where an account is needed, and on public routes nothing."""
    THROTTLED = "throttled"
    """Its address has shown too many that are no good: it was not looked up. 429 where an account is needed, on public routes nothing."""


@frozen
class Caller:
    """Whoever sent a request.

    Attributes:
        person: tells persons apart for limits and counting: an account's public id, else a digest of the client's address that is
            another one each day. Never stored with a query.
        account: None for an anonymous caller, and then so is `access`.
        session: digest of the session's id, where a session is what signed the request in.
        doubt: set on an anonymous caller who meant to be somebody.
    """

    person: str
    account: Account | None = None
    access: Access | None = None
    session: str | None = None
    doubt: Doubt | None = None

    @property
    def signed_in(self) -> bool:
        """True if the request speaks for an account."""
        return self.account is not None
