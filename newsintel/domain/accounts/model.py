"""The values of signing in: accounts, sessions, keys, callers."""

from datetime import datetime
from enum import StrEnum

from attrs import field, frozen

LOCAL_PROVIDER = "local"
"""The provider of accounts that the operator made on the command line. They have no sign-in."""

MOST_KEYS = 50
"""Maximum API keys of one account: far more programs than one person runs."""


@frozen
class Account:
    """An account of a person who has signed in.

    Attributes:
        id: the id of the row; never leaves the process.
        public_id: `u_` and 20 lower-case base32 characters.
        username: the name at the provider; not unique.
        provider: `reddit`, `dev`, LOCAL_PROVIDER, or an OpenID Connect issuer.
    """

    id: int
    public_id: str
    username: str
    provider: str
    created_at: datetime
    last_login_at: datetime


class Access(StrEnum):
    """What a request may do for an account: with a session all, with a key as its scope says."""

    SESSION = "session"
    WRITE = "write"
    READ = "read"

    def covers(self, need: "Access") -> bool:
        """Whether this access includes `need`: a session includes all, a write key also reads."""
        order = (Access.READ, Access.WRITE, Access.SESSION)
        return order.index(self) >= order.index(need)


@frozen
class Session:
    """A browser that is signed in.

    Attributes:
        digest: SHA-256 of the id in the cookie, in hexadecimal. The id itself is not stored.
        person: the public id of the account. The internal one is a number that a database which was
            restored from a backup gives to another account again.
        client: the browser's User-Agent at sign-in, shortened.
        operator_as: the entries of OPERATORS that matched this person at sign-in. No other name or
            address is kept.
    """

    digest: str
    person: str
    created_at: datetime
    last_seen_at: datetime
    client: str
    operator_as: tuple[str, ...] = ()


@frozen
class ApiKey:
    """An API key as its owner sees it. The key itself is missing: only a digest of it is stored.

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
    """The identity of a person at a provider.

    Attributes:
        provider: `reddit`, `dev`, or an OpenID Connect issuer.
        subject: the id that the provider never gives to another person.
        username: the name at the provider; not unique.
        invited_as: the entries of SIGN_IN and of OPERATORS that match this person, e.g.
            `reddit:alice`.
    """

    provider: str
    subject: str
    username: str
    invited_as: tuple[str, ...]


@frozen
class Tokens:
    """A person's tokens for calls to a provider. They are never shown and never logged."""

    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    expires_at: datetime


@frozen
class SignInAttempt:
    """A sign-in that was started and has not returned yet.

    Attributes:
        provider: its name in our URLs, `reddit` or `oidc`.
        state: 256 random bits that the browser brings back.
        browser: digest of the cookie that was set in the browser that started it.
        verifier: the PKCE code verifier (RFC 7636).
        nonce: returned inside an ID token (OpenID Connect).
        next: the path on this site to go to afterwards.
    """

    provider: str
    state: str = field(repr=False)
    browser: str
    verifier: str = field(repr=False)
    nonce: str = field(repr=False)
    next: str


class AnonymousReason(StrEnum):
    """Why a caller with a key or a session counts as anonymous."""

    BAD_KEY = "bad_key"
    """The key is unknown, expired or revoked: 401 on every route."""
    UNKNOWN = "unknown"
    """The store is unavailable: 503 where an account is required, no error on public routes."""
    THROTTLED = "throttled"
    """Its address has sent too many invalid keys or sessions, so this one was not looked up: 429
    where an account is required, no error on public routes."""


@frozen
class Caller:
    """The sender of a request.

    Attributes:
        person: identifies the person for limits and counting: the public id of the account, else a
            digest of the client's address that changes daily. Never stored with a query.
        account: None for an anonymous caller; then `access` is None, too.
        session: digest of the session's id, if the request uses a session.
        doubt: set for an anonymous caller who sent a key or a session.
        operator_as: the session's.
    """

    person: str
    account: Account | None = None
    access: Access | None = None
    session: str | None = None
    doubt: AnonymousReason | None = None
    operator_as: tuple[str, ...] = ()

    @property
    def signed_in(self) -> bool:
        """Whether the request belongs to an account."""
        return self.account is not None
