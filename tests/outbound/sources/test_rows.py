"""Rows of a payload: bad ones are dropped one by one, dates and numbers are made plausible."""

from datetime import UTC, datetime, timedelta

import pytest

from newsintel.domain.bounds.slices import Sliced, run_all
from newsintel.domain.search.article import Article
from newsintel.outbound.sources.rows import (
    SourceRow,
    read_count,
    read_date,
    read_members,
    read_page,
    read_text,
    read_url,
)
from tests.outbound.sources.replies import NOW, QUERY, query


def article(row: SourceRow) -> Sliced[Article | str]:
    """A row as an article, unless the row has a reason to refuse it."""
    yield
    if "reason" in row:
        return str(row["reason"])
    return Article(
        "a_1", "newsapi", "1", "https://example.org/", "https://example.org/", "T", "P", **row
    )


def test_one_bad_row_drops_only_itself() -> None:
    """Of 50 rows, 49 are kept, and the one that is not an object is counted."""
    rows = [{"published_at": NOW}] * 49 + ["junk"]
    found = run_all(read_page(rows, article, QUERY, http_status=200, pause_s=2.0))
    assert (len(found.articles), found.returned, found.dropped) == (49, 50, {"not_an_object": 1})
    assert (found.http_status, found.pause_s) == (200, 2.0)


def test_reasons_are_counted() -> None:
    """Each reason has its own count."""
    found = run_all(
        read_page(
            [{"reason": "a"}, {"reason": "b"}, {"reason": "a"}], article, QUERY, http_status=200
        )
    )
    assert (found.articles, found.returned, found.dropped) == ((), 3, {"a": 2, "b": 1})


def test_bug_drops_its_row_and_is_reported() -> None:
    """Any exception of the reader drops its row only; the first exception is kept for the log."""

    def broken(row: SourceRow) -> Sliced[Article | str]:
        if "raises" in row:
            raise row["raises"]
        return (yield from article(row))

    first, second = ValueError("Invalid IPv6 URL"), RecursionError("too deep")
    rows = [
        {"published_at": NOW},
        {"raises": first},
        {"published_at": NOW},
        {"raises": second},
        {"reason": "a"},
    ]
    found = run_all(read_page(rows, broken, QUERY, http_status=200))
    assert (len(found.articles), found.returned, found.dropped) == (2, 5, {"bug": 2, "a": 1})
    assert found.bug is first
    assert run_all(read_page(rows[:1], broken, QUERY, http_status=200)).bug is None


def test_at_most_100_rows() -> None:
    """A payload longer than the requested page is cut, and the cut rows are counted."""
    found = run_all(read_page([{"published_at": NOW}] * 102, article, QUERY, http_status=200))
    assert (len(found.articles), found.returned, found.dropped) == (100, 102, {"beyond_limit": 2})


def test_rows_outside_the_dates_are_dropped() -> None:
    """Bounds are inclusive; an estimated date excludes nothing."""
    day = timedelta(days=1)
    rows = [
        {"published_at": NOW - day},
        {"published_at": NOW + day},
        {"published_at": NOW - day - day},
        {"published_at": NOW + day + day},
        {"published_at": NOW + day + day, "published_at_estimated": True},
    ]
    found = run_all(
        read_page(rows, article, query(start=NOW - day, end=NOW + day), http_status=200)
    )
    assert (len(found.articles), found.dropped) == (3, {"out_of_range": 2})


def test_rows_in_another_language_are_dropped() -> None:
    """An unknown language is kept. Without a language in the query, every row is kept."""
    rows = [{"published_at": NOW, "language": language} for language in ("en", "fr", None)]
    assert run_all(read_page(rows, article, query(language="en"), http_status=200)).dropped == {
        "other_language": 1
    }
    assert run_all(read_page(rows, article, QUERY, http_status=200)).dropped == {}


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
def test_date_is_read_as_utc(value: object, expected: datetime) -> None:
    """A date is ISO text with or without a zone, or seconds since 1970.

    A date up to one day ahead is accepted.
    """
    assert read_date(value, NOW) == (expected, False)


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "yesterday",
        "1970-01-01T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "1989-12-31T23:59:59Z",
        "9999-12-31T23:59:59Z",
        "20000-01-01T00:00:00Z",
        "2026-11-24T12:00:01Z",
        0,
        -1,
        1e20,
        float("inf"),
        10**400,
        [],
        {},
    ],
)
def test_implausible_date_is_replaced(value: object) -> None:
    """The time of the fetch replaces a missing, unreadable, too old or future date.

    It is flagged as estimated.
    """
    assert read_date(value, NOW) == (NOW, True)


def test_field_of_the_wrong_type_is_missing() -> None:
    """It counts as absent."""
    row: SourceRow = {
        "text": 5,
        "url": ["x"],
        "object": "x",
        "number": "5",
        "ok": " A ",
        "link": "https://example.org/",
        "inner": {"a": 1},
    }
    assert (read_text(row, "text", 9), read_text(row, "none", 9), read_text(row, "ok", 9)) == (
        None,
        None,
        "A",
    )
    assert (read_url(row, "url"), read_url(row, "none"), read_url(row, "link")) == (
        None,
        None,
        "https://example.org/",
    )
    assert (read_members(row, "object"), read_members(row, "none"), read_members(row, "inner")) == (
        {},
        {},
        {"a": 1},
    )


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (5, 5),
        (5.9, 5),
        (-3, 0),
        (10**400, 2**31 - 1),
        (float("inf"), 2**31 - 1),
        ("5", 0),
        (None, 0),
    ],
)
def test_number_fits_the_archives_column(value: object, expected: int) -> None:
    """A payload may contain any value."""
    assert read_count({"n": value}, "n") == expected
