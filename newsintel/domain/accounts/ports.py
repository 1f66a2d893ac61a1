"""Protocols of the stores and providers for accounts that routes use.

Every method runs on trio. Its only expected errors are `UnavailableError`, and `BusyError` if no
slot was free.
"""

from datetime import datetime
from typing import Protocol

from newsintel.domain.accounts.model import (
    Access,
    Account,
    ApiKey,
    Identity,
    Session,
    SignInAttempt,
    Tokens,
)


class Accounts(Protocol):
    """Accounts in PostgreSQL, for identifying callers and signing in."""

    async def get_account(self, public_id: str) -> Account | None:
        """Return an account by its public id; None if it was deleted."""
        ...

    async def find_key_holder(self, digest: str, now: datetime) -> tuple[Account, Access] | None:
        """Return the account and the scope of an API key, by the key's SHA-256 in hexadecimal.

        Returns:
            None if the key does not exist or has expired.
        """
        ...

    async def find_by_identity(self, provider: str, subject: str) -> Account | None:
        """Return the account of a provider's subject; None if the person never signed in."""
        ...

    async def sign_in(self, provider: str, subject: str, username: str, now: datetime) -> Account:
        """Return the account of a person who has just signed in; create it the first time.

        Args:
            provider: `reddit`, `dev`, `local`, or an OpenID Connect issuer.
            subject: the id that the provider never gives to another person.
            username: the current name at the provider.
            now: becomes last_login_at.
        """
        ...


class Sessions(Protocol):
    """Sessions in Redis. `person` is the public id of an account."""

    async def start(self, person: str, client: str, operator_as: tuple[str, ...] = ()) -> str:
        """Start a session for a browser with the User-Agent `client`.

        `operator_as`: the entries of OPERATORS that match the person.

        Returns:
            The secret id of the new session, which is not stored.
        """
        ...

    async def find(self, session_id: str) -> Session | None:
        """Return the session of a cookie's value and mark it as seen now; None if it has ended."""
        ...

    async def list_of_user(self, person: str) -> tuple[Session, ...]:
        """Return a user's sessions, the last seen first."""
        ...

    async def end_session(self, person: str, digest: str) -> bool:
        """End one of a user's sessions; False if the user has no such session."""
        ...

    async def end_user_sessions(self, person: str) -> None:
        """End every session of a user."""
        ...


class ApiKeys(Protocol):
    """API keys in PostgreSQL."""

    async def create(self, user_id: int, key: ApiKey, digest: str, most: int) -> ApiKey | None:
        """Store a new key under a new id; None if the account has `most` keys already."""
        ...

    async def list_of_user(self, user_id: int) -> tuple[ApiKey, ...]:
        """Return an account's keys, including expired ones, the newest first."""
        ...

    async def revoke(self, user_id: int, public_id: str) -> bool:
        """Revoke a key at once; False if the account has no such key."""
        ...


class Attempts(Protocol):
    """Sign-in attempts in Redis."""

    async def store(self, attempt: SignInAttempt) -> None:
        """Store an attempt for ten minutes."""
        ...

    async def take(self, state: str) -> SignInAttempt | None:
        """Return and delete the attempt of a state; None if there is none."""
        ...


class TokenStore(Protocol):
    """Tokens of providers in PostgreSQL. Reading may also raise `UnknownKeyError`."""

    async def put(self, user_id: int, provider: str, tokens: Tokens) -> None:
        """Store an account's tokens of a provider and replace earlier ones."""
        ...

    async def take(self, user_id: int, provider: str) -> Tokens | None:
        """Delete an account's tokens of a provider and return them; None if there are none.

        Only one caller gets them. Tokens that are stored later stay.
        """
        ...

    async def reseal_all(self) -> int:
        """Encrypt with the newest key all tokens that another key encrypted.

        It is safe while the service runs.

        Returns:
            How many accounts' tokens it encrypted.

        Raises:
            UnknownKeyError: the key of some tokens is missing. It names the first, after all others
                are done.
        """
        ...


class Provider(Protocol):
    """An external service that identifies people.

    Each method has a time limit. It raises `SignInUnavailableError` if the provider is unavailable
    or its reply is invalid.
    """

    @property
    def label(self) -> str:
        """The name that people know."""
        ...

    async def start_sign_in(self, attempt: SignInAttempt) -> str:
        """Return the URL to which the browser is sent."""
        ...

    async def finish_sign_in(
        self, code: str, attempt: SignInAttempt
    ) -> tuple[Identity, Tokens | None]:
        """Return the identity behind a code, and the tokens to store, if any.

        Raises:
            InvalidParameterError: the provider rejects the code; names `code`.
            DeniedError: the provider says that this person must not be admitted.
        """
        ...


class TokenIssuer(Protocol):
    """A provider whose tokens are stored. Raises the same errors as `Provider`."""

    async def revoke(self, tokens: Tokens) -> None:
        """Revoke tokens at the provider, including access tokens derived from them."""
        ...


class Links(Protocol):
    """Manages accounts' tokens of providers."""

    async def store_tokens(self, user_id: int, provider: str, tokens: Tokens) -> None:
        """Store the tokens of a sign-in."""
        ...

    async def revoke_all_tokens(self, user_id: int) -> None:
        """Revoke and delete all tokens of an account, for its deletion or a sign-out everywhere.

        If a provider is unavailable, its tokens are still deleted, and the failure is logged.
        """
        ...
