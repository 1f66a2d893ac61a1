"""What delivers alerts needs: its store, and a way to each kind of receiver."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from newsintel.domain.alerts.delivery_model import (
    AlertFeed,
    Attempt,
    ClaimedDelivery,
    FreshMatch,
    LoggedDelivery,
    Settlement,
)


class Deliveries(Protocol):
    """The outbox and the delivery log."""

    async def claim(
        self, now: datetime, until: datetime, busy: Sequence[str] = ()
    ) -> ClaimedDelivery | None:
        """Claim the delivery that has been due for longest, with its stories.

        No other process gets it before `until`. The deliveries of a channel wait for each other.

        Args:
            now: the time.
            until: the end of the claim.
            busy: public ids of people whose deliveries wait.
        """
        ...

    async def settle(
        self,
        delivery: ClaimedDelivery,
        attempt: Attempt,
        settlement: Settlement,
        now: datetime,
        latency_ms: int,
    ) -> bool:
        """Log an attempt and store what follows from it.

        Returns:
            False if the claim has ended, so that another process may have it. Nothing is stored.
        """
        ...

    async def list_log(self, user_id: int, search_id: str) -> Sequence[LoggedDelivery] | None:
        """Return the newest deliveries of a person's search; None if they have no such search."""
        ...

    async def create_tests(
        self, user_id: int, search_id: str, now: datetime, *, unconfirmed: bool = False
    ) -> int | None:
        """Put a test into the outbox for each channel of a person's search that is sent to.

        To an e-mail address that is not confirmed, a test is the mail that asks for it. A channel
        that had a test within the last minute gets no other.

        Args:
            user_id: the id of the account.
            search_id: of the saved search.
            now: the time.
            unconfirmed: only for addresses that are not confirmed.

        Returns:
            How many; None if they have no such search.
        """
        ...

    async def rotate_secret(
        self, user_id: int, search_id: str, address: str, now: datetime
    ) -> str | None:
        """Make a new signing secret for a webhook; the one before signs too for a day.

        Returns:
            The secret; None if they have no such webhook.
        """
        ...

    async def confirm_channel(self, channel: int, now: datetime) -> str | None:
        """Note that the owner of an e-mail address wants the alerts of a channel.

        Returns:
            The name of its search; None if it does not exist or was ended.
        """
        ...

    async def end_channel(self, channel: int, reason: str, now: datetime) -> str | None:
        """Disable a channel, once or again. Its e-mail address has to be confirmed again.

        Returns:
            The name of its search; None if it does not exist.
        """
        ...

    async def find_feed(self, digest: str) -> AlertFeed | None:
        """Return a search by the SHA-256 of its feed's secret, in hexadecimal."""
        ...

    async def list_fresh(self, user_id: int, since: datetime, most: int) -> Sequence[FreshMatch]:
        """Return what a person's searches have matched since a time, the earliest first."""
        ...

    async def prune_log(self, before: datetime) -> int:
        """Delete finished deliveries that are older, with their attempts; return how many."""
        ...

    async def correct_times(self, now: datetime) -> int:
        """Make due what a clock that was far ahead has put off or claimed; return how much.

        It would wait until that time comes, perhaps for years.
        """
        ...

    async def reseal_all(self) -> int:
        """Encrypt the signing secrets with the first of SECRET_KEYS; return how many channels.

        Raises:
            UnknownKeyError: some were encrypted with a missing key; all others are done.
        """
        ...


class Sender(Protocol):
    """A way to the receivers of one kind."""

    async def send(self, delivery: ClaimedDelivery) -> Attempt:
        """Send a delivery once, within a time limit."""
        ...
