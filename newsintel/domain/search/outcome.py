"""The result of asking one source, and who asked. All values are frozen; times are aware UTC."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from attrs import field, frozen

from newsintel.domain.search.article import Article


class Status(StrEnum):
    """The result of one source in one search. All except OK, EMPTY and DISABLED are failures."""

    OK = "ok"
    EMPTY = "empty"
    TIMEOUT = "timeout"
    OVERLOADED = "overloaded"
    RATE_LIMITED = "rate_limited"
    QUOTA_EXHAUSTED = "quota_exhausted"
    UNAUTHORIZED = "unauthorized"
    UNSUPPORTED = "unsupported"
    """The plan does not cover this query. A retry cannot succeed; other queries can."""
    BAD_PAYLOAD = "bad_payload"
    UNREACHABLE = "unreachable"
    CIRCUIT_OPEN = "circuit_open"
    DISABLED = "disabled"

    @property
    def answered(self) -> bool:
        """Whether the source answered, possibly with nothing."""
        return self in (Status.OK, Status.EMPTY)

    @property
    def failed(self) -> bool:
        """Whether the source is enabled and did not answer."""
        return not self.answered and self is not Status.DISABLED


@frozen
class SourcePage:
    """A source's usable reply.

    Attributes:
        returned: rows in the payload, including dropped ones.
        dropped: how many rows were dropped, by reason, e.g. `{"removed": 2}`.
        pause_s: seconds without requests that the source asked for although it answered; 0 = none.
        bug: the first exception that reading a row raised, for the log. Each such row counts as
            dropped for the reason `bug`.
    """

    articles: tuple[Article, ...]
    returned: int
    dropped: Mapping[str, int] = field(factory=dict)
    http_status: int | None = None
    pause_s: float = 0.0
    bug: Exception | None = None


@frozen
class Refusal:
    """An unusable or missing reply of a source.

    Attributes:
        status: one of the failures.
        detail: one line for operators. It never holds a key, a token or a URL with one.
        pause_s: seconds without requests that the source asked for; None = it did not say.
        query_fault: the query caused the failure, so other queries are not affected.
    """

    status: Status
    detail: str
    http_status: int | None = None
    pause_s: float | None = None
    query_fault: bool = False


class HeldFrom(StrEnum):
    """From whom a source's quota was held back. The outcome does not apply to other callers."""

    ANONYMOUS = "strangers"
    """From all anonymous callers: the rest of the quota is for signed-in people."""
    PERSON = "person"
    """From the person who asked: one person gets at most as many calls as are left for all
    others."""


@frozen
class FetchOutcome:
    """What one source contributed to one harvest. The flight's channel gets one per source asked.

    Attributes:
        latency_ms: from the job's arrival to its outcome, including the wait for a slot and the
            pace; None if the source was not asked.
        retry_at: a retry cannot succeed before this time.
        ignored: parameters of the query that this source could not apply.
        detail: one line for operators, None on success.
        fetched_at: the time of the outcome.
        keep_s: the minimum time for which it stays fresh, so that the source's quota lasts.
        held_back: the source was not asked because its quota was held back from these callers.
    """

    source: str
    status: Status
    fetched_at: datetime
    articles: tuple[Article, ...] = ()
    returned: int = 0
    dropped: Mapping[str, int] = field(factory=dict)
    latency_ms: float | None = None
    http_status: int | None = None
    retry_at: datetime | None = None
    ignored: tuple[str, ...] = ()
    detail: str | None = None
    keep_s: float = 0.0
    held_back: HeldFrom | None = None


@frozen
class FetchCaller:
    """The caller for whom sources are asked.

    Attributes:
        person: whose share of a quota is used; None = no share, for a command.
        signed_in: whether the caller may use the last part of a quota.
        held: the sources whose quota this process holds back from this person now.
    """

    person: str | None = None
    signed_in: bool = False
    held: frozenset[str] = frozenset()

    def is_bound_by(self, outcome: FetchOutcome) -> bool:
        """Whether an outcome applies to this caller: False if it was held back only from others."""
        if outcome.held_back is HeldFrom.PERSON:
            return outcome.source in self.held
        return outcome.held_back is None or not self.signed_in


ANONYMOUS_CALLER = FetchCaller()
"""An anonymous caller without any other information."""
