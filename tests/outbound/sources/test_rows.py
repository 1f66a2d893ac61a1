"""Rows: bad ones cost themselves, dates and numbers are made sane."""

from datetime import UTC, datetime, timedelta

import pytest

from newsintel.domain.bounds.slices import Sliced, whole
from newsintel.domain.search.article import Article
from newsintel.outbound.sources.rows import Row, address, members, moment, number, page, text
from tests.outbound.sources.replies import NOW, QUERY, query


def article(row: Row) -> Sliced[Article | str]:
    """A row as an article, unless it says why not."""
    yield
    if "reason" in row:
        return str(row["reason"])
    return Article("a_1", "newsapi", "1", "https://example.org/", "https://example.org/", "T", "P", **row)


def test_one_bad_row_costs_itself() -> None:
    """Of 50 rows with one that is no object, 49 are kept and one is counted."""
    rows = [{"published_at": NOW}] * 49 + ["junk"]
    found = whole(page(rows, article, QUERY, http_status=200, pause_s=2.0))
    assert (len(found.articles), found.returned, found.dropped) == (49, 50, {"not_an_object": 1})
    assert (found.http_status, found.pause_s) == (200, 2.0)


def test_reasons_are_counted() -> None:
    """Each reason has its count."""
    found = whole(page([{"reason": "a"}, {"reason": "b"}, {"reason": "a"}], article, QUERY, http_status=200))
    assert (found.articles, found.returned, found.dropped) == ((), 3, {"a": 2, "b": 1})


def test_a_bug_costs_its_row_and_is_told() -> None:
    """Whatever a row makes its reader raise: the others are kept, and the first exception is there to be logged."""

    def broken(row: Row) -> Sliced[Article | str]:
        if "raises" in row:
            raise row["raises"]
        return (yield from article(row))

    first, second = ValueError("Invalid IPv6 URL"), RecursionError("too deep")
    rows = [{"published_at": NOW}, {"raises": first}, {"published_at": NOW}, {"raises": second}, {"reason": "a"}]
    found = whole(page(rows, broken, QUERY, http_status=200))
    assert (len(found.articles), found.returned, found.dropped) == (2, 5, {"bug": 2, "a": 1})
    assert found.bug is first
    assert whole(page(rows[:1], broken, QUERY, http_status=200)).bug is None


def test_at_most_100_rows() -> None:
    """A payload longer than any page that is asked for is cut, and says so."""
    found = whole(page([{"published_at": NOW}] * 102, article, QUERY, http_status=200))
    assert (len(found.articles), found.returned, found.dropped) == (100, 102, {"beyond_limit": 2})


def test_rows_outside_the_dates() -> None:
    """Bounds are inclusive; a date that is a guess excludes nothing."""
    day = timedelta(days=1)
    rows = [
        {"published_at": NOW - day},
        {"published_at": NOW + day},
        {"published_at": NOW - day - day},
        {"published_at": NOW + day + day},
        {"published_at": NOW + day + day, "published_at_estimated": True},
    ]
    found = whole(page(rows, article, query(start=NOW - day, end=NOW + day), http_status=200))
    assert (len(found.articles), found.dropped) == (3, {"out_of_range": 2})


def test_rows_in_another_language() -> None:
    """A known other language is left out when one is asked for; an unknown one is not."""
    rows = [{"published_at": NOW, "language": language} for language in ("en", "fr", None)]
    assert whole(page(rows, article, query(language="en"), http_status=200)).dropped == {"other_language": 1}
    assert whole(page(rows, article, QUERY, http_status=200)).dropped == {}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2019-06-05T12:23:15Z", datetime(2019, 6, 5, 12, 23, 15, tzinfo=UTC)),
        ("2019-06-05T12:23:15.9586022Z", datetime(2019, 6, 5, 12, 23, 15, 958602, tzinfo=UTC)),
        ("2019-06-05T14:23:15+02:00", datetime(2019, 6, 5, 12, 23, 15, tzinfo=UTC)),
        (" 2019-06-05T12:23:15 ", datetime(2019, 6, 5, 12, 23, 15, tzinfo=UTC)),
        (1559737395.0, datetime(2019, 6, 5, 12, 23, 15, tzinfo=UTC)),
        (1559737395, datetime(2019, 6, 5, 12, 23, 15, tzinfo=UTC)),
        ("2026-11-24T11:59:59Z", datetime(2026, 11, 24, 11, 59, 59, tzinfo=UTC)),
    ],
)
def test_moment(value: object, expected: datetime) -> None:
    """ISO text with any zone, or none, and seconds since 1970 are moments in UTC; up to a day ahead is believed."""
    assert moment(value, NOW) == (expected, False)


@pytest.mark.parametrize(
    "value",
    [
        *(None, "", "yesterday", "1970-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "1989-12-31T23:59:59Z", "9999-12-31T23:59:59Z"),
        *("20000-01-01T00:00:00Z", "2026-11-24T12:00:01Z", 0, -1, 1e20, float("inf"), 10**400, [], {}),
    ],
)
def test_moment_that_cannot_be(value: object) -> None:
    """Missing, unreadable, absurdly old and future dates become the time of the fetch, flagged."""
    assert moment(value, NOW) == (NOW, True)


def test_fields_of_the_wrong_type() -> None:
    """A field of another type is an absent one."""
    row: Row = {"text": 5, "url": ["x"], "object": "x", "number": "5", "ok": " A ", "link": "https://example.org/", "inner": {"a": 1}}
    assert (text(row, "text", 9), text(row, "none", 9), text(row, "ok", 9)) == (None, None, "A")
    assert (address(row, "url"), address(row, "none"), address(row, "link")) == (None, None, "https://example.org/")
    assert (members(row, "object"), members(row, "none"), members(row, "inner")) == ({}, {}, {"a": 1})


@pytest.mark.parametrize(
    ("value", "expected"),
    [(5, 5), (5.9, 5), (-3, 0), (10**400, 2**31 - 1), (float("inf"), 2**31 - 1), ("5", 0), (None, 0)],
)
def test_number(value: object, expected: int) -> None:
    """A count fits the archive's column, whatever a payload says."""
    assert number({"n": value}, "n") == expected
