"""Results of the MCP tools: they fit, and say what they left out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsintel.http.bodies.mcp import (
    build_archive_result,
    build_fetch_result,
    build_search_result,
    build_similar_result,
    build_story_result,
    build_trend_result,
    count_bytes,
)

WORDS = (
    *(
        "Überschwemmung „an der Donau“ 🌊",
        "洪水警報が発令されました",
        "فيضان في المدينة",
        "e\u0301te\u0301",
    ),
    *("Наводнение в городе", "บอกข่าวน้ำท่วม", '"quoted" \\ back', "बाढ़ की चेतावनी", "홍수 경보"),
)
TEXT = st.lists(st.sampled_from(WORDS), max_size=60).map(" ".join)


def make_article(number=0, title="Title", description=None, **more):
    """Return an article as a list shows it."""
    return {
        "id": f"a_{'abcdefghij'[number % 10] * 20}",
        "title": title,
        "description": description,
        "url": f"https://example.org/{number}",
        "source": "guardian",
        "publisher": "The Guardian",
        "author": None,
        "section": None,
        "language": None,
        "published_at": "2026-03-01T12:00:00Z",
    } | more


def make_search(*articles):
    """Return the body of a search."""
    report = {"status": "ok", "kept": len(articles), "latency_ms": 1.0, "retry_at": None}
    return {
        "articles": list(articles),
        "total": len(articles),
        "page": 1,
        "has_more": False,
        "complete": True,
        "origin": "live",
        "fetched_at": "2026-03-01T12:00:00.000Z",
        "sources": {"guardian": report},
    }


@given(st.lists(TEXT, max_size=30), st.integers(1_024, 8_192))
def test_lists_fit_and_count_what_they_left_out(texts, max_bytes):
    """In every script: a character may have four bytes."""
    body = make_search(
        *(make_article(place, text[:80] or "-", text) for place, text in enumerate(texts))
    )
    result = build_search_result(body, max_bytes)
    assert count_bytes(result) <= max_bytes
    assert len(result["results"]) + result["left_out"] == len(texts)
    assert [one["id"] for one in result["results"]] == [
        one["id"] for one in body["articles"][: len(result["results"])]
    ]


def test_descriptions_are_cut_before_results_are_left_out():
    """The same length for all of them."""
    body = make_search(*(make_article(place, description="x" * 900) for place in range(9)))
    result = build_search_result(body, 4_096)
    assert result["left_out"] == 0
    assert {len(one["description"]) for one in result["results"]} == {200}
    assert all(one["description"].endswith("x\u2026") for one in result["results"])
    assert len(build_search_result(body, 65_536)["results"][0]["description"]) == 400


def test_null_members_are_left_out_and_duplicates_become_publishers():
    """Each publisher once."""
    duplicates = [{"publisher": name} for name in ("BBC", "Le Monde", "BBC")]
    article = make_article(description="short", duplicates=duplicates, score=0.5, language="en")
    (found,) = build_search_result(make_search(article), 4_096)["results"]
    assert found["also_reported_by"] == ["BBC", "Le Monde"]
    assert (found["description"], found["score"], found["language"]) == ("short", 0.5, "en")
    assert "author" not in found


def test_reports_that_alone_are_too_long_stay():
    """A result without them would hide which source failed."""
    result = build_search_result(make_search(make_article()), 10)
    assert result["results"] == []
    assert result["left_out"] == 1
    assert result["sources"] == {"guardian": {"status": "ok", "kept": 1}}


def test_archive_and_similar_results():
    """The last page has no cursor; a similar article has its reason."""
    page = {"articles": [make_article()], "next_cursor": None}
    assert set(build_archive_result(page, 4_096)) == {"results", "left_out"}
    more = build_archive_result(page | {"next_cursor": "abc"}, 4_096)
    assert more["next_cursor"] == "abc"
    similar = make_article(reasons={"terms": ["rail"], "text": "both say rail"})
    (found,) = build_similar_result({"articles": [similar]}, 4_096)["results"]
    assert found["reasons"] == ["both say rail"]


def test_trends_and_stories_lose_their_last_entries():
    """They have no descriptions to cut."""
    searches = [{"query": "x" * 50, "people": 3, "reasons": ["many"]} for _ in range(20)]
    trends = build_trend_result({"window": "24h", "searches": searches}, 1_024)
    assert 0 < len(trends["searches"]) < 20
    assert len(trends["searches"]) + trends["left_out"] == 20
    report = {
        "publisher": "BBC",
        "country": None,
        "language": "en",
        "published_at": "2026-03-01T12:00:00Z",
        "url": "https://example.org",
    }
    coverage = {
        "countries": {"GB": 1},
        "languages": {"en": 1},
        "missing": [],
        "publishers": [report],
    }
    story = build_story_result(make_article(), coverage, 4_096)
    assert story["reports"] == [{name: value for name, value in report.items() if value}]


@given(TEXT, st.integers(1_024, 2_048))
def test_parts_of_a_text_together_are_the_text(text, max_bytes):
    """No character is lost or repeated, and each part fits."""
    body = make_article(content=text, group_id=None)
    parts, offset = [], 0
    while offset is not None:
        result = build_fetch_result(body, offset, max_bytes)
        assert count_bytes(result) <= max_bytes
        parts.append(result["text"])
        offset = result.get("next_offset")
    assert "".join(parts) == text


@pytest.mark.parametrize(
    ("content", "description", "shown"),
    [("Text", "About", "Text"), (None, "About", "About"), (None, None, "")],
)
def test_an_article_without_text_has_its_description(content, description, shown):
    """Most sources give no text."""
    body = make_article(description=description, content=content, group_id=None)
    assert build_fetch_result(body, 0, 4_096)["text"] == shown


def test_a_reader_of_parts_always_gets_on():
    """Even if the rest of the result alone is too long."""
    body = make_article(title="x" * 2_000, content="ab", group_id=None)
    assert build_fetch_result(body, 0, 1_024)["text"] == "a"
