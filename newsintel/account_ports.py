"""What routes need of the stores about accounts, as Protocols: beside `ports`, and with the same promise.

Every method is trio-flavoured and raises `UnavailableError` (`BusyError` when no slot was free) and nothing else that is foreseen.
"""

from datetime import datetime
from typing import Protocol

from newsintel.account_model import Access, Account, Session


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

    async def sign_in(self, provider: str, subject: str, username: str, now: datetime) -> Account:
        """The account of somebody who has just signed in, made if it is their first time.

        Args:
            provider: `reddit`, `dev`, or an OpenID Connect issuer.
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
