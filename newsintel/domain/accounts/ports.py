"""What routes need of stores and providers about accounts, as Protocols: beside `ports`, and with the same promise.

Every method is trio-flavoured and raises `UnavailableError` (`BusyError` when no slot was free) and nothing else that is foreseen.
"""

from datetime import datetime
from typing import Protocol

from newsintel.domain.accounts.model import Access, Account, ApiKey, Attempt, Identity, Session, Tokens


class Accounts(Protocol):
    """PostgreSQL, as those see it who ask whose a request is."""

    async def account(self, user_id: int) -> Account | None:
        """An account by the id that sessions hold; None if it has been deleted."""
        ...

    async def key_holder(self, digest: str, now: datetime) -> tuple[Account, Access] | None:
        """The account that an API key speaks for, by the key's SHA-256 in hexadecimal, and the key's scope.

        Returns:
            None if there is no such key, or it has expired.
        """
        ...

    async def find(self, provider: str, subject: str) -> Account | None:
        """The account of somebody as a provider calls them; None if they never signed in."""
        ...

    async def sign_in(self, provider: str, subject: str, username: str, now: datetime) -> Account:
        """The account of somebody who has just signed in, made if it is their first time.

        Args:
            provider: `reddit`, `dev`, `local`, or an OpenID Connect issuer.
            subject: what the provider never gives to somebody else.
            username: as the provider has it today.
            now: becomes last_login_at.
        """
        ...


class Sessions(Protocol):
    """Redis, as those see it who sign people in and out, or ask whose a request is."""

    async def start(self, user_id: int, client: str) -> str:
        """Sign a user in on a browser that calls itself `client`; returns the new session's secret id, which is kept nowhere."""
        ...

    async def find(self, session_id: str) -> Session | None:
        """The session of a cookie's value, seen now; None if it has ended."""
        ...

    async def of_user(self, user_id: int) -> tuple[Session, ...]:
        """A user's sessions, the one seen last first."""
        ...

    async def end(self, user_id: int, digest: str) -> bool:
        """End one of a user's sessions; False if the user has no such session."""
        ...

    async def end_all(self, user_id: int) -> None:
        """End every session of a user."""
        ...


class ApiKeys(Protocol):
    """PostgreSQL, as an account's owner sees it who gives keys to programs."""

    async def make(self, user_id: int, key: ApiKey, digest: str, most: int) -> ApiKey | None:
        """Keep a new key, under an id that it is given here; None if the account has `most` already."""
        ...

    async def of_user(self, user_id: int) -> tuple[ApiKey, ...]:
        """An account's keys, the newest first; expired ones too."""
        ...

    async def revoke(self, user_id: int, public_id: str) -> bool:
        """End a key at once; False if the account has no such key."""
        ...


class Attempts(Protocol):
    """Redis, as those see it who send browsers to a provider and have them back."""

    async def keep(self, attempt: Attempt) -> None:
        """Keep an attempt for ten minutes."""
        ...

    async def take(self, state: str) -> Attempt | None:
        """The attempt of a state, which nobody can take again; None if there is none."""
        ...


class TokenStore(Protocol):
    """PostgreSQL, as the keeper of providers' tokens sees it. What is read may also raise `UnknownKeyError`."""

    async def put(self, user_id: int, provider: str, tokens: Tokens) -> None:
        """Keep an account's tokens of a provider in place of any others."""
        ...

    async def get(self, user_id: int, provider: str) -> Tokens | None:
        """An account's tokens of a provider."""
        ...

    async def delete(self, user_id: int, provider: str) -> None:
        """Forget an account's tokens of a provider."""
        ...

    async def reseal(self) -> int:
        """Encrypt with the newest key whatever another one encrypted; safe beside a running service.

        Returns:
            How many accounts' tokens it encrypted.

        Raises:
            UnknownKeyError: for the first whose key is not at hand, when all others are done.
        """
        ...


class Provider(Protocol):
    """A service elsewhere that tells who somebody is.

    Each method is bounded in time and raises `SignInUnavailableError` where the provider is away or talks nonsense.
    """

    @property
    def label(self) -> str:
        """What people call it."""
        ...

    async def begin(self, attempt: Attempt) -> str:
        """The address to send the browser to."""
        ...

    async def finish(self, code: str, attempt: Attempt) -> tuple[Identity, Tokens | None]:
        """Who came back with a code, and the tokens that are worth keeping.

        Raises:
            InvalidParameterError: the provider does not take the code; names `code`.
            DeniedError: the provider tells that this is nobody to let in.
        """
        ...


class TokenIssuer(Protocol):
    """A provider whose tokens are kept; raises as `Provider` does."""

    async def revoke(self, tokens: Tokens) -> None:
        """Have the provider forget them, the access tokens that came of them included."""
        ...


class Links(Protocol):
    """Accounts' tokens at providers."""

    async def link(self, user_id: int, provider: str, tokens: Tokens) -> None:
        """Keep what signing in brought."""
        ...

    async def unlink(self, user_id: int) -> None:
        """Revoke and forget every token of an account, as signing out everywhere and deleting it do.

        What a provider that is away did not revoke is forgotten all the same, and logged.
        """
        ...
