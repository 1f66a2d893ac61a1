"""Feeds that are polled: what is known of each, and what came of a poll.

All values are frozen; times are aware UTC.
"""

from datetime import datetime
from enum import StrEnum
from urllib.parse import urlsplit

from attrs import field, frozen

MAX_FEEDS = 10_000
"""Feeds of one service. Polled hourly, they are three polls a second."""


class Origin(StrEnum):
    """Why a feed is read."""

    SETTING = "setting"
    """It is in the list that the setting FEEDS names."""
    COMMAND = "command"
    """`newsintel feeds add` or `import` added it."""


@frozen
class Subscription:
    """A feed to read, as a list names it.

    Attributes:
        address: http or https; the feed's identity, also after it has moved.
        publisher: the outlet whose feed it is; None if its items are of several outlets, or if the
            outlet is not known.
        language: two lower-case letters; None if unknown or mixed.
        country: of the publisher, ISO 3166-1 alpha-2 in capitals; None if unknown.
        licence: on what terms it may be read, in one line; None if unknown.
        state_media: a government controls the publisher.
        title: the feed's name in lists.
    """

    address: str
    publisher: str | None = None
    language: str | None = None
    country: str | None = None
    licence: str | None = None
    state_media: bool = False
    title: str | None = None


class PollStatus(StrEnum):
    """What came of the last poll of a feed."""

    WAITING = "waiting"
    """It has not been polled yet."""
    OK = "ok"
    UNCHANGED = "unchanged"
    """The server said so (304), or the body was the same as before."""
    POSTPONED = "postponed"
    """It was read, and the archive had no room; it is read again soon."""
    RATE_LIMITED = "rate_limited"
    """429 or 503: the server wants fewer requests."""
    REFUSED = "refused"
    """Its address or its body is not safe to use; the reason says why."""
    NOT_A_FEED = "not_a_feed"
    HTTP_ERROR = "http_error"
    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    GONE = "gone"
    """410: it is not asked again."""

    @property
    def failed(self) -> bool:
        """Whether the poll brought nothing although it should have."""
        return self not in (
            PollStatus.WAITING,
            PollStatus.OK,
            PollStatus.UNCHANGED,
            PollStatus.POSTPONED,
        )


@frozen
class Validators:
    """What a server wants to see again to say that nothing has changed (RFC 9110, 8.8).

    Both are exactly as received, in Latin-1; "" = none. `digest` is of the body, for servers that
    send neither.
    """

    etag: str = ""
    last_modified: str = ""
    digest: str = ""


@frozen
class LeasedFeed:
    """A feed that this process may poll now; no other process polls its host meanwhile.

    Attributes:
        number: its id in the database.
        url: where it is asked; its address, unless it has moved.
        lease: proves that the lease is still ours.
        failures: polls that failed in a row.
        rhythm_s: the pause that its content suggested last; 0 = unknown.
        newest_at: when its newest item was published, as far as known.
    """

    number: int
    subscription: Subscription
    url: str
    lease: str = field(repr=False)
    validators: Validators = Validators()
    failures: int = 0
    rhythm_s: float = 0.0
    newest_at: datetime | None = None


@frozen
class PollResult:
    """What came of a poll, as it is stored.

    Attributes:
        reason: one line for operators; None if all is well.
        next_at: when the feed is polled next; None = never again.
        host_free_at: when any feed of the same host may be polled.
        failures: polls that failed in a row, with this one.
        url: where it is asked from now on; None = as before.
        validators: from now on; None = as before.
        title: its own title; None = as before.
        items: the number of its items; None = as before.
        rhythm_s: the pause that its content suggests; None = as before.
        newest_at: when its newest item was published; None = as before.
    """

    status: PollStatus
    reason: str | None
    next_at: datetime | None
    host_free_at: datetime
    failures: int = 0
    url: str | None = None
    validators: Validators | None = None
    title: str | None = None
    items: int | None = None
    rhythm_s: float | None = None
    newest_at: datetime | None = None


@frozen
class FeedState:
    """A feed with its state, for lists."""

    subscription: Subscription
    origin: Origin
    url: str
    status: PollStatus
    reason: str | None
    polled_at: datetime | None
    answered_at: datetime | None
    next_at: datetime | None
    items: int | None
    newest_at: datetime | None


def find_host(url: str) -> str:
    """Return the host of an address, with its port unless that is the scheme's own."""
    parts = urlsplit(url)
    own = {"http": 80, "https": 443}.get(parts.scheme)
    port = "" if parts.port in (None, own) else f":{parts.port}"
    return f"{parts.hostname or ''}{port}"
