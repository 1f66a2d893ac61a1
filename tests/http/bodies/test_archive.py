"""JSON bodies of the archive routes."""

from datetime import UTC, datetime

from newsintel.domain.archive.model import ArchivePage, Bar, Facets, Hit, Snippet
from newsintel.domain.paging import Position
from newsintel.http.bodies.archive import build_facets_body, build_page_body, build_timeline_body
from newsintel.http.bodies.search import summarize_article
from tests.make import NOON, article, at


def test_archive_page_has_times_snippets_and_groups():
    """Each article has its summary, times, snippet (text and offsets, or null) and group's id."""
    snippet = Snippet("A <b>flood</b> \u2026", ((5, 10),))
    hits = (Hit(article("a"), NOON, at(0.5), snippet, "a_first"), Hit(article("b"), NOON, NOON))
    body = build_page_body(ArchivePage(hits, Position((1,))), "next")
    assert body["next_cursor"] == "next"
    assert body["articles"][0] == summarize_article(article("a")) | {
        "first_seen_at": "2026-03-14T12:00:00.000Z",
        "fetched_at": "2026-03-14T12:00:00.500Z",
        "group_id": "a_first",
        "snippet": {"text": "A <b>flood</b> \u2026", "highlights": [[5, 10]]},
    }
    assert (body["articles"][1]["snippet"], body["articles"][1]["group_id"]) == (None, None)
    assert not {"score", "duplicates", "content"} & set(body["articles"][1])


def test_empty_page_has_an_empty_list_and_a_null_cursor():
    """No member is left out."""
    assert build_page_body(ArchivePage((), None), None) == {"articles": [], "next_cursor": None}


def test_timeline_gives_utc_starts_in_seconds():
    """Each bucket has its start and its count."""
    assert build_timeline_body([Bar(datetime(2026, 3, 1, tzinfo=UTC), 0)]) == {
        "buckets": [{"start": "2026-03-01T00:00:00Z", "count": 0}]
    }


def test_facets_keep_their_order():
    """The body lists the values in the order that it was given."""
    body = build_facets_body(Facets((("guardian", 2), ("reddit", 1)), ()))
    assert body == {
        "source": [{"value": "guardian", "count": 2}, {"value": "reddit", "count": 1}],
        "publisher": [],
    }
