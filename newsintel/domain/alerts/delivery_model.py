"""Deliveries: what is sent to a channel, and what came of each attempt.

All values are frozen; times are aware UTC.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from attrs import frozen

from newsintel.domain.alerts.channels import ChannelKind
from newsintel.domain.alerts.model import Match
from newsintel.domain.alerts.signing import SigningKey

MAX_STORIES = 50
"""Stories in one message. The rest are in `GET /me/searches/{id}/matches`, where all are."""


class Outcome(StrEnum):
    """What came of an attempt."""

    DELIVERED = "delivered"
    REFUSED = "refused"
    """The receiver answered that it did not take it."""
    GONE = "gone"
    """The receiver wants no more: HTTP 410, or SMTP 550 and the like for the address."""
    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"
    FORBIDDEN = "forbidden"
    """This service must not call the address: its host is on a private network."""


class DeliveryState(StrEnum):
    """Where a delivery is: `pending` until it is delivered, has failed for good, or is cancelled.

    A channel that was disabled cancels its deliveries.
    """

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"
    CANCELLED = "cancelled"


@frozen
class ClaimedDelivery:
    """A delivery that this process may send until its claim ends.

    Attributes:
        id: the same in every attempt; receivers know by it what they have already.
        claimed_until: the end of the claim, which also identifies it.
        channel: the number of its channel.
        person: the public id of the account.
        search_id, search_name: of the saved search.
        keys: the signing keys of a webhook, the newest first; () for other kinds, and if they
            cannot be decrypted.
        attempts: how many have failed.
        created_at: when its first story was found.
        is_test: it is a test; to an address that is not confirmed, the mail that asks for it.
        confirmed: False for an e-mail address whose owner has not confirmed it.
        stories: the newest first, at most MAX_STORIES.
        total: how many there are.
    """

    id: str
    claimed_until: datetime
    channel: int
    kind: ChannelKind
    address: str
    keys: tuple[SigningKey, ...]
    person: str
    search_id: str
    search_name: str
    attempts: int
    created_at: datetime
    is_test: bool
    stories: Sequence[Match] = ()
    total: int = 0
    confirmed: bool = True


@frozen
class Attempt:
    """What came of an attempt.

    Attributes:
        status_code: of HTTP or SMTP; None if no answer came.
        detail: the reason in one line, without the receiver's own words; "" if it succeeded.
        asked_s: seconds from Retry-After; 0 = none.
    """

    outcome: Outcome
    status_code: int | None = None
    detail: str = ""
    asked_s: float = 0.0


@frozen
class Settlement:
    """What follows from an attempt.

    Attributes:
        state: of the delivery.
        retry_at: when it is tried again; None if it is not.
        disable: why the channel is disabled; None if it is not.
    """

    state: DeliveryState
    retry_at: datetime | None = None
    disable: str | None = None


@frozen
class LoggedAttempt:
    """A line of the delivery log."""

    attempted_at: datetime
    outcome: Outcome
    status_code: int | None
    detail: str
    latency_ms: int


@frozen
class LoggedDelivery:
    """A delivery as its person sees it.

    Attributes:
        due_at: when it was or is to be sent, or tried again.
        stories: how many it has.
        attempts: the latest first.
    """

    id: str
    kind: ChannelKind
    address: str
    state: DeliveryState
    is_test: bool
    created_at: datetime
    due_at: datetime
    stories: int
    attempts: Sequence[LoggedAttempt]


@frozen
class AlertFeed:
    """The private feed of a saved search, found by its address.

    Attributes:
        user_id: the internal id of the owner's account.
        person: the public id of the owner's account.
        search_id, name: of the saved search.
    """

    user_id: int
    person: str
    search_id: str
    name: str


@frozen
class FreshMatch:
    """A story that one of a person's searches has just matched.

    Attributes:
        search_id, search_name: of the saved search.
    """

    search_id: str
    search_name: str
    match: Match
