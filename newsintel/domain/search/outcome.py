"""What asking one source came to, and who asked. All values are frozen; times are aware UTC."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from attrs import field, frozen

from newsintel.domain.search.article import Article


class Status(StrEnum):
    """How one source did in one search. Every value but OK, EMPTY and DISABLED is a failure."""

    OK = "ok"
    EMPTY = "empty"
    TIMEOUT = "timeout"
    OVERLOADED = "overloaded"
    RATE_LIMITED = "rate_limited"
    QUOTA_EXHAUSTED = "quota_exhausted"
    UNAUTHORIZED = "unauthorized"
    UNSUPPORTED = "unsupported"
    """The plan does not cover this query: asking again brings the same, another query is welcome."""
    BAD_PAYLOAD = "bad_payload"
    UNREACHABLE = "unreachable"
    CIRCUIT_OPEN = "circuit_open"
    DISABLED = "disabled"

    @property
    def answered(self) -> bool:
        """True if the source gave its answer, be it an empty one."""
        return self in (Status.OK, Status.EMPTY)

    @property
    def failed(self) -> bool:
        """True if the source was to be asked and gave no answer."""
        return not self.answered and self is not Status.DISABLED


@frozen
class Page:
    """A source's usable reply.

    Attributes:
        returned: rows in the payload, before any was refused.
        dropped: how many rows were refused, by reason, e.g. `{"removed": 2}`.
        pause_s: seconds for which the source asked to be left alone although it answered; 0 = not at all.
        bug: the first exception that reading a row raised, for the log; each such row counts as dropped, `bug`.
    """

    articles: tuple[Article, ...]
    returned: int
    dropped: Mapping[str, int] = field(factory=dict)
    http_status: int | None = None
    pause_s: float = 0.0
    bug: Exception | None = None


@frozen
class Refusal:
    """A source's unusable reply, or none at all.

    Attributes:
        status: one of the failures.
        detail: one line for operators; never holds a key, a token or a URL with one.
        pause_s: seconds for which to leave the source alone as it asked; None = it did not say.
        query_fault: what was asked is at fault, so this says nothing about the next query.
    """

    status: Status
    detail: str
    http_status: int | None = None
    pause_s: float | None = None
    query_fault: bool = False


class HeldFrom(StrEnum):
    """From whom a source's quota was held back when somebody asked; an outcome that says so binds nobody else."""

    STRANGERS = "strangers"
    """From all who are not signed in: the rest is for those who are."""
    PERSON = "person"
    """From the person who asked: nobody has more calls than are left for all others."""


@frozen
class FetchOutcome:
    """What one source contributed to one harvest: exactly one per source asked, on the flight's channel.

    Attributes:
        latency_ms: from the job's arrival to its outcome, waiting for slot and pace included; None if it was not tried.
        retry_at: no sooner than this is it worth asking again.
        ignored: parameters of the query that this source could not apply.
        detail: one line for operators, None on success.
        fetched_at: when the outcome came about.
        keep_s: how long it is to stay fresh at least, so that the source's quota lasts.
        held_back: it was not asked because its quota was held back from the person who asked.
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
class Asker:
    """For whom sources are asked.

    Attributes:
        person: whose share of a quota it counts against; None = nobody's, as of a command.
        signed_in: whether the last of a quota may be had.
        held: the sources that, as far as this process knows, hold back from this very person now.
    """

    person: str | None = None
    signed_in: bool = False
    held: frozenset[str] = frozenset()

    def bound_by(self, outcome: FetchOutcome) -> bool:
        """False for an outcome that was held back from somebody else: for this asker the source may be asked."""
        if outcome.held_back is HeldFrom.PERSON:
            return outcome.source in self.held
        return outcome.held_back is None or not self.signed_in


ANYBODY = Asker()
"""Somebody who is not signed in; nothing else is known."""
