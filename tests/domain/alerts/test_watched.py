"""The query of a saved search, and how it is stored."""

from datetime import UTC, datetime

import pytest

from newsintel.domain.alerts.channels import ChannelKind
from newsintel.domain.alerts.model import Channel, WatchedQuery
from newsintel.domain.alerts.watched import (
    build_watched,
    read_watched,
    tidy_watched,
    write_watched,
)
from newsintel.domain.archive.query import build_archive_query
from newsintel.errors import InvalidParameterError

NOW = datetime(2026, 11, 23, tzinfo=UTC)
FULL = WatchedQuery("storm after:2026-01-01", ("guardian", "reddit"), "BBC", "en")


@pytest.mark.parametrize("query", [FULL, WatchedQuery(None, ("reddit",)), WatchedQuery("x")])
def test_what_is_stored_is_read_again(query):
    """And an empty object is a query for everything."""
    assert read_watched(write_watched(query)) == query
    assert read_watched({}) == WatchedQuery(None)


def test_it_is_the_query_of_the_archive():
    """With the same parser and filters."""
    assert build_watched(FULL) == build_archive_query(
        FULL.q, sources=FULL.sources, publisher=FULL.publisher, language=FULL.language
    )
    assert build_watched(WatchedQuery("x"), NOW, NOW).start == NOW


def test_texts_are_tidied_and_sources_named_once():
    """So that equal queries are stored equal."""
    given = WatchedQuery("  a\u200b   storm ", ("reddit", "reddit"), " Le  Monde ")
    assert tidy_watched(given, NOW) == WatchedQuery("a storm", ("reddit",), "Le Monde")
    assert tidy_watched(FULL, NOW) == FULL


@pytest.mark.parametrize(
    ("query", "field", "code"),
    [
        (WatchedQuery("x before:2026-11-01"), "q", "ended"),
        (WatchedQuery("   "), "q", "blank"),
        (WatchedQuery("x", publisher=" "), "publisher", "blank"),
        (WatchedQuery("…"), "q", "no_words"),
    ],
)
def test_what_can_find_nothing_is_refused(query, field, code):
    """A time that is not over yet is accepted."""
    assert tidy_watched(WatchedQuery("x before:2026-12-01"), NOW).q == "x before:2026-12-01"
    with pytest.raises(InvalidParameterError) as refused:
        tidy_watched(query, NOW)
    assert (refused.value.field, refused.value.code) == (field, code)


@pytest.mark.parametrize(
    ("kind", "facts", "works"),
    [
        (ChannelKind.NTFY, {}, True),
        (ChannelKind.NTFY, {"failing_since": NOW}, False),
        (ChannelKind.NTFY, {"disabled_at": NOW}, False),
        (ChannelKind.EMAIL, {}, False),
        (ChannelKind.EMAIL, {"confirmed_at": NOW}, True),
    ],
)
def test_a_channel_works_until_it_fails(kind, facts, works):
    """An e-mail address works once its owner has agreed."""
    assert Channel(1, kind, "to", **facts).works is works
