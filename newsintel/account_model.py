"""The values that travel where somebody is signed in: an account, and what a request may do in its name."""

from datetime import datetime
from enum import StrEnum

from attrs import frozen


@frozen
class Account:
    """Somebody who has signed in.

    Attributes:
        id: the row's own; never leaves the process.
        public_id: `u_` and 20 lower-case base32 characters.
        username: as the provider has it; not unique.
        provider: `reddit`, `dev`, or an OpenID Connect issuer.
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


@frozen
class Caller:
    """Whoever sent a request.

    Attributes:
        person: tells persons apart for limits and counting: an account's public id, else a digest of the client's address that is
            another one each day. Never stored with a query.
        account: None for an anonymous caller, and then so is `access`.
        session: digest of the session's id, where a session is what signed the request in.
    """

    person: str
    account: Account | None = None
    access: Access | None = None
    session: str | None = None

    @property
    def signed_in(self) -> bool:
        """True if the request speaks for an account."""
        return self.account is not None
