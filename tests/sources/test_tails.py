"""Outlets' names at the end of headlines."""

import re

import pytest

from newsintel.sources.tails import without_outlet
from newsintel.text import plain
from tests.shared import needs_shared
from tests.sources.replies import recorded_bodies


@pytest.mark.parametrize(
    ("title", "publisher", "host", "author", "expected"),
    [
        ("Rain ahead - The Daily Bugle", "The Daily Bugle", "bugle.example", None, "Rain ahead"),
        ("Rain ahead - Daily Bugle", "The Daily Bugle", "bugle.example", None, "Rain ahead"),
        ("Rain ahead - The Daily Bugle", "Daily Bugle", "bugle.example", None, "Rain ahead"),
        ("Rain ahead \u2013 Daily Bugle", "Dailybugle.example", "www.dailybugle.example", None, "Rain ahead"),
        ("Rain ahead | La Tromba", "Latromba.example", "latromba.example", None, "Rain ahead"),
        ("Rain ahead - Bugle.co", "Others", "others.example", None, "Rain ahead"),
        ("Rain ahead - Bugle Sports +", "bugle.example", "bgl.example", None, "Rain ahead"),
        ("Rain ahead - Bugle info", "Www.bugle.example", "www.bugle.example", None, "Rain ahead"),
        ("Rain ahead - Daily Bugle", "Db.example", "db.example", None, "Rain ahead"),
        ("Rain ahead - Bugle Football Club", "Buglefc.example", "buglefc.example", None, "Rain ahead"),
        ("Rain ahead | Bugle.example - Bugle", "Bugle", "bugle.example", None, "Rain ahead"),
        ("Bugle - Bugle - Bugle", "Bugle", "bugle.example", None, "Bugle"),
        ("Rain ahead - Yahoo Sports", "Yahoo Entertainment", "news.example", None, "Rain ahead"),
        ("Rain ahead - Yahoo Finance", "Bugle", "bugle.example", None, "Rain ahead"),
        ("Rain ahead - Some Outlet", "Google News", "news.google.com", None, "Rain ahead"),
        ("Rain - Snow - Some Outlet", "Google News", "news.google.com", None, "Rain - Snow"),
        ("Rain ahead - Some - Outlet (+)", "Google News", "news.google.com", "Some - Outlet (+)", "Rain ahead"),
        ("Rain ahead - Bugle News", "YouTube", "www.youtube.com", None, "Rain ahead"),
    ],
)
def test_outlets_go(title: str, publisher: str, host: str, author: str | None, expected: str) -> None:
    """A tail goes when publisher, host, author or its own form vouch that it names the outlet."""
    assert without_outlet(title, publisher=publisher, host=host, author=author) == expected


@pytest.mark.parametrize(
    ("title", "publisher", "host"),
    [
        ("Spider-Man - the return", "Bugle", "bugle.example"),
        ("Spider-Man - The Return", "Bugle", "bugle.example"),
        ("Market report - Forecast to 2023", "Bugle", "bugle.example"),
        ("Storm over Rome - live", "Live Weather", "liveweather.example"),
        ("Storm over Rome - live updates", "Google News (UK)", "bugle.example"),
        ("A day out - Bugle calls for all to hear", "Bugle", "bugle.example"),
        ("Talks fail - Yahoo says no", "Bugle", "bugle.example"),
        ("A singer - A Song", "YouTube", "www.youtube.com"),
        ("It rained - a long, long tail of more than six words", "Google News", "news.google.com"),
        ("Up - &", "Bugle", "bugle.example"),
        ("Up - The", "The Bugle", "the.example"),
        ("Well-known", "Known", "known.example"),
        ("- Bugle", "Bugle", "bugle.example"),
    ],
)
def test_headlines_stay(title: str, publisher: str, host: str) -> None:
    """Without a witness a tail is part of the headline."""
    assert without_outlet(title, publisher=publisher, host=host, author=None) == title


@needs_shared
def test_recorded_tails() -> None:
    """Of the recorded headlines with a tail, only those stay that a reader would call part of the headline."""
    kept = stripped = 0
    for _, body in recorded_bodies("newsapi"):
        for row in body["articles"]:
            before = plain(row["title"], 300) or ""
            host = row["url"].split("/")[2]
            after = without_outlet(before, publisher=row["source"]["name"], host=host, author=row["author"])
            stripped += before != after
            kept += re.search(r"\S\s+[-\u2013\u2014|]\s+\S", after) is not None
    # The 13 were read one by one: subtitles, columnists, a live blog's tail.
    assert (stripped, kept) == (148, 13)
