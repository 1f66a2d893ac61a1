"""The meaning of statuses, Retry-After and upstream messages."""

import pytest

from newsintel.domain.search.outcome import Status
from newsintel.outbound.sources.refusals import (
    clean_message,
    make_status_refusal,
    pause_after,
    retry_after,
)
from tests.outbound.sources.replies import NOW, reply


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("4", 4.0),
        (" 120 ", 120.0),
        ("1.5", 1.5),
        ("0", 1.0),
        ("-5", 1.0),
        ("1000000000", 3600.0),
        ("9" * 500, 3600.0),
        ("Mon, 23 Nov 2026 12:01:30 GMT", 90.0),
        ("Mon, 23 Nov 2026 12:01:30", 90.0),
        ("Mon, 23 Nov 2026 12:01:30 -0000", 90.0),
        ("Sun, 22 Nov 2026 12:00:00 GMT", 1.0),
        ("Fri, 23 Nov 2029 12:00:00 GMT", 3600.0),
        ("Fri, 23 Nov 20000 12:00:00 GMT", None),
        ("soon", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str | None, seconds: float | None) -> None:
    """The result is clamped to 1 s and 1 h; None if the header has no usable value."""
    assert retry_after(value, NOW) == seconds


def test_default_pause_is_a_minute() -> None:
    """A source limits our rate and does not say for how long."""
    assert pause_after(reply({}), NOW) == 60.0
    assert pause_after(reply({}, retry_after="soon"), NOW) == 60.0
    assert pause_after(reply({}, retry_after="7"), NOW) == 7.0


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (401, Status.UNAUTHORIZED),
        (403, Status.UNAUTHORIZED),
        (429, Status.RATE_LIMITED),
        (408, Status.UNREACHABLE),
        (500, Status.UNREACHABLE),
        (503, Status.UNREACHABLE),
        (522, Status.UNREACHABLE),
        (302, Status.BAD_PAYLOAD),
        (200, Status.BAD_PAYLOAD),
        (400, Status.BAD_PAYLOAD),
        (404, Status.BAD_PAYLOAD),
        (600, Status.BAD_PAYLOAD),
    ],
)
def test_status_decides_the_refusal(status: int, expected: Status) -> None:
    """These statuses mean the same for every source."""
    refusal = make_status_refusal(reply({}, status), NOW)
    assert (refusal.status, refusal.http_status) == (expected, status)
    assert refusal.detail.endswith(f"(HTTP {status})")


@pytest.mark.parametrize(
    "status", [200, 302, 400, 401, 403, 404, 408, 410, 413, 414, 422, 429, 451, 500, 503, 522]
)
def test_only_a_wrong_request_is_the_querys_fault(status: int) -> None:
    """RFC 9110, 15.5: bad, too large, too long, or unprocessable.

    Any other error would also hit the next query.
    """
    assert make_status_refusal(reply({}, status), NOW).query_fault is (
        status in (400, 413, 414, 422)
    )


def test_refusal_has_the_pause_and_message_of_the_source() -> None:
    """Both come from the reply."""
    refusal = make_status_refusal(reply({}, 503, retry_after="30"), NOW, "come back later")
    assert refusal.pause_s == 30.0
    assert refusal.detail == "the source is out of order (HTTP 503): come back later"


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (
            "Your key is wrong, see https://example.org/help?key=1 now",
            "Your key is wrong, see *** now",
        ),
        ("API key 0123456789abcdef0123456789abcdef is disabled", "API key *** is disabled"),
        ("apiKey=short1 is bad; token: abc", "apiKey=*** is bad; token: ***"),
        ("<p>No\r\nluck &amp; no fun</p>", "No luck & no fun"),
        ("word " * 100, "word " * 39 + "word…"),
        (None, ""),
        (["x"], ""),
    ],
)
def test_message_is_one_line_without_secrets(raw: object, expected: str) -> None:
    """Keys and URLs are redacted, and the line is short."""
    assert clean_message(raw) == expected
