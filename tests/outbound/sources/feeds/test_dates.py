"""The dates of feeds, in the forms of their specifications and in those that publishers write."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsintel.outbound.sources.feeds.dates import parse_date


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        # W3C, "Date and Time Formats"
        ("1997", (1997, 1, 1)),
        ("1997-07", (1997, 7, 1)),
        ("1997-07-16", (1997, 7, 16)),
        ("1997-07-16T19:20+01:00", (1997, 7, 16, 18, 20)),
        ("1997-07-16T19:20:30+01:00", (1997, 7, 16, 18, 20, 30)),
        ("1997-07-16T19:20:30.45+01:00", (1997, 7, 16, 18, 20, 30)),
        # RFC 3339, 5.8
        ("1985-04-12T23:20:50.52Z", (1985, 4, 12, 23, 20, 50)),
        ("1990-12-31T15:59:60-08:00", (1990, 12, 31, 23, 59, 59)),
        # RSS 2.0 and RFC 822
        ("Sat, 07 Sep 2002 00:00:01 GMT", (2002, 9, 7, 0, 0, 1)),
        ("Tue, 03 Jun 2003 09:39:21 EST", (2003, 6, 3, 14, 39, 21)),
        ("Tue, 3 Jun 03 09:39 PDT", (2003, 6, 3, 16, 39)),
        ("Thu Jan  1 12:00:00 2004", (2004, 1, 1, 12)),
        # what publishers write
        ("2003-12-31 10:14:55", (2003, 12, 31, 10, 14, 55)),
        ("20031231", (2003, 12, 31)),
        ("2026-03-14T10:00:00+0530", (2026, 3, 14, 4, 30)),
        ("2026-03-14T10:00:00+05", (2026, 3, 14, 5)),
        ("Sat, 14 Mar 2026 10:00:00 CET", (2026, 3, 14, 9)),
        ("Sat, 14 Mar 2026 10:00:00 IST", (2026, 3, 14, 4, 30)),
        ("Sat, 14 Mar 2026 10:00:00 GMT+0200", (2026, 3, 14, 8)),
        ("Sat, 14 Mar 2026 10:00:00 UTC+02:00", (2026, 3, 14, 8)),
        ("Sat, 14 Mar 2026 10:00:00 GMT+02", (2026, 3, 14, 8)),
        ("Sat, 14 Mar 2026 10:00:00 +02:00", (2026, 3, 14, 8)),
        ("Sat, 14 Mar 2026 10:00:00 +0000 (Coordinated Universal Time)", (2026, 3, 14, 10)),
        ("  Sat, 14 Mar 2026 10:00:00\n", (2026, 3, 14, 10)),
    ],
)
def test_dates(text, moment):
    """Whole seconds in UTC."""
    assert parse_date(text) == datetime(*moment, tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["", "today", "2026-13-01", "Sat, 99 Mar 2026 10:00:00 GMT", "0000"]
)
def test_what_is_no_date(text):
    """It is left to the time of the poll."""
    assert parse_date(text) is None


@given(st.text(alphabet="0123456789-:TZ+ ,.JanFriGMT()\x00é²"))
def test_no_text_makes_it_fail(text):
    """Whatever a feed has for a date."""
    found = parse_date(text)
    assert found is None or found.tzinfo is UTC
