"""Shared error handling of the sources: HTTP statuses, Retry-After and safe upstream messages."""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from newsintel.domain.limits.pauses import clamp_pause
from newsintel.domain.search.outcome import Refusal, Status
from newsintel.domain.text.clean import to_plain_text
from newsintel.domain.text.markup import read_snippet
from newsintel.outbound.sources.source import Response

_QUERY_FAULTS = frozenset({400, 413, 414, 422})
"""Statuses by which a source says that the request itself is wrong (RFC 9110, 15.5)."""

DEFAULT_PAUSE_S = 60.0
"""The pause if a source does not say how long to wait.

Source: reliability list, fault 5; GitHub's rule for API clients.
"""

# RFC 9110, 10.2.3, allows digits only; a sign or a fraction is accepted as well.
_DELAY = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")

_URL = re.compile(r"(?:[a-z][a-z0-9+.-]{1,20}://|www\.)\S+", re.IGNORECASE)
_NAMED_SECRET = re.compile(
    r"((?:api[-_ ]?key|key|token|secret|password|bearer)\s*[=:]\s*)\S+", re.IGNORECASE
)
# The keys of all three sources are longer than 16 characters. Other words of this length are rare
# in messages; hiding them too does no harm.
_LIKE_A_SECRET = re.compile(r"[A-Za-z0-9_+/=-]{16,}")


def retry_after(value: str | None, now: datetime) -> float | None:
    """Return the seconds of a Retry-After header, limited to 1..3,600.

    Returns:
        None if the header is absent or cannot be read.
    """
    text = (value or "").strip()
    if _DELAY.fullmatch(text):
        return clamp_pause(float(text))
    try:
        moment = parsedate_to_datetime(text)
        return clamp_pause(
            ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now).total_seconds()
        )
    except (ValueError, OverflowError):
        return None


def pause_after(response: Response, now: datetime) -> float:
    """Return the seconds to pause after a source limited our rate."""
    return retry_after(response.headers.get("retry-after"), now) or DEFAULT_PAUSE_S


def make_status_refusal(response: Response, now: datetime, said: str = "") -> Refusal:
    """Return the refusal for an HTTP status.

    Args:
        response: any response except a usable 200.
        now: aware UTC.
        said: the source's own message, already cleaned by `clean_message`.
    """
    status = response.status
    pause_s = retry_after(response.headers.get("retry-after"), now)
    if status in (401, 403):
        kind, meaning = Status.UNAUTHORIZED, "the credentials were refused"
    elif status == 429:
        kind, meaning, pause_s = (
            Status.RATE_LIMITED,
            "too many requests",
            pause_after(response, now),
        )
    elif status == 408 or 500 <= status < 600:
        kind, meaning = Status.UNREACHABLE, "the source is out of order"
    elif 300 <= status < 400:
        kind, meaning = Status.BAD_PAYLOAD, "a redirect, not followed"
    else:
        kind, meaning = Status.BAD_PAYLOAD, "an answer that does not fit the API"
    return Refusal(
        kind,
        f"{meaning} (HTTP {status})" + (f": {said}" if said else ""),
        status,
        pause_s,
        status in _QUERY_FAULTS,
    )


def clean_message(raw: object) -> str:
    """Clean a source's own message for an operator.

    Returns:
        One line of at most 200 characters. URLs and text that may be a key are replaced by `***`.
    """
    text = to_plain_text(raw, 2000, read_snippet) if isinstance(raw, str) else None
    for pattern, instead in ((_URL, "***"), (_NAMED_SECRET, r"\1***"), (_LIKE_A_SECRET, "***")):
        text = pattern.sub(instead, text or "")
    return to_plain_text(text or "", 200) or ""
