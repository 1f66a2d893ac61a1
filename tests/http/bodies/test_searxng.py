"""Bodies of SearXNG: what a story, a source's status and a problem become."""

import pytest

from newsintel.domain.search.outcome import Status
from newsintel.domain.search.query import build_query
from newsintel.http.bodies.search import View, render
from newsintel.http.bodies.searxng import add_searxng_error, build_results_body, choose_sources
from tests.http.world import answer, outcome

SOURCES = ("newsapi", "guardian", "reddit", "hackernews")

EVERY_RESULT = {
    *("url", "title", "content", "engine", "engines", "score", "category", "publishedDate"),
    *("template", "parsed_url", "positions"),
}
"""Members of a result that SearXNG itself always sends (searx/result_types)."""


def build(*outcomes, view=None, articles=3):
    """Return the body of an answer with these outcomes."""
    query = build_query("flood", sources=SOURCES)
    body = render(answer(query, *outcomes, articles=articles), view or View())
    return build_results_body("flood", body, ["storm"])


def test_each_story_is_a_result():
    """Texts are never null, and the times are those of ISO 8601 without the letter Z."""
    body = build()
    first = body["results"][0]
    assert first.keys() >= EVERY_RESULT
    assert first["content"] == ""
    assert first["engines"] == [first["engine"]] == ["guardian"]
    assert first["publishedDate"] == "2026-03-01T11:00:00+00:00"
    assert first["pubdate"] == "2026-03-01 11:00:00"
    assert first["parsed_url"] == ["https", "example.org", "/1", "", "", ""]
    assert [one["positions"] for one in body["results"]] == [[1], [2], [3]]
    assert (body["query"], body["number_of_results"], body["suggestions"]) == (
        "flood",
        3,
        ["storm"],
    )
    assert body["answers"] == body["corrections"] == body["infoboxes"] == []


def test_positions_count_over_all_pages():
    """The third story is alone on the second page of two."""
    assert build(view=View(limit=2, page=2))["results"][0]["positions"] == [3]


def test_sources_that_failed_are_unresponsive():
    """Those that answered, found nothing or are disabled are not."""
    statuses = (Status.TIMEOUT, Status.EMPTY, Status.DISABLED, Status.RATE_LIMITED)
    outcomes = [outcome(status, name) for status, name in zip(statuses, SOURCES, strict=True)]
    assert build(*outcomes, articles=0)["unresponsive_engines"] == [
        ["newsapi", "timeout"],
        ["hackernews", "rate_limited"],
    ]


@pytest.mark.parametrize(
    ("engines", "categories", "chosen"),
    [
        ("", "", SOURCES),
        ("reddit,guardian", "", ("guardian", "reddit")),
        (" reddit ", "", ("reddit",)),
        ("google,bing", "", SOURCES),
        ("google,reddit", "", ("reddit",)),
        ("", "general", SOURCES),
        ("", "news,images", SOURCES),
        ("", "images", SOURCES),
        ("", "social media", ("reddit", "hackernews")),
        ("guardian", "social media", ("guardian", "reddit", "hackernews")),
    ],
)
def test_unknown_engines_and_categories_are_skipped(engines, categories, chosen):
    """The rules are those of SearXNG's webadapter: a list without a known name is absent."""
    assert choose_sources(engines, categories, SOURCES) == chosen


def test_posts_of_forums_are_social_media():
    """SearXNG has this category for them."""
    query = build_query("flood", sources=SOURCES)
    body = render(answer(query), View())
    body["articles"][0]["source"] = "reddit"
    shown = build_results_body("flood", body, [])
    assert [one["category"] for one in shown["results"]] == ["social media", "news", "news"]


def test_a_problem_has_the_member_that_clients_read():
    """It stays a problem document."""
    assert add_searxng_error({"code": "busy", "detail": "Later"}) == {
        "code": "busy",
        "detail": "Later",
        "error": "Later",
    }
