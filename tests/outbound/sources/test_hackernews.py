"""Hacker News: requests, posts and refusals."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from newsintel.config.reading import read_settings
from newsintel.domain.search.article import Article, Engagement
from newsintel.domain.search.forums import name_forum
from newsintel.domain.search.outcome import Refusal, SourcePage, Status
from newsintel.domain.search.query import build_query
from newsintel.domain.search.query_model import Sort
from newsintel.outbound.sources import REGISTRY
from newsintel.outbound.sources.source import Request
from tests.outbound.sources.replies import NOW, QUERY, query, reply
from tests.shared import load_json, needs_shared

SOURCE = REGISTRY["hackernews"]
SETTINGS = read_settings([SOURCE.options], {}).source["hackernews"]

DOCUMENTED = {
    "hits": [
        {
            "title": "Y Combinator",
            "url": "http://ycombinator.com",
            "author": "pg",
            "points": 57,
            "story_text": None,
            "comment_text": None,
            "_tags": ["story"],
            "num_comments": 2,
            "objectID": "1",
            "_highlightResult": {
                "title": {"value": "Y Combinator", "matchLevel": "none", "matchedWords": []},
                "url": {
                    "value": "http://ycombinator.com",
                    "matchLevel": "none",
                    "matchedWords": [],
                },
                "author": {
                    "value": "<em>pg</em>",
                    "matchLevel": "full",
                    "matchedWords": ["pg"],
                },
            },
        }
    ],
    "page": 0,
    "nbHits": 11,
    "nbPages": 1,
    "hitsPerPage": 20,
    "processingTimeMS": 1,
    "query": "pg",
    "params": "query=pg",
}
"""The answer in the API's own documentation (hn.algolia.com/api, Search, Answer)."""


def hit(**changes: Any) -> dict[str, Any]:
    """A good link post with changes."""
    return {
        "objectID": "46221321",
        "title": "Show HN: Storm charts",
        "url": "https://www.bugle.example/storm?utm_source=hn",
        "author": "someone",
        "points": 12,
        "num_comments": 3,
        "created_at": "2026-11-20T10:00:00Z",
        "created_at_i": 1795168800,
    } | changes


def read(*hits: Any, **bounds: Any) -> SourcePage:
    """The page of these hits."""
    found = SOURCE.read(reply({"hits": list(hits), "nbHits": 9}), query(**bounds), NOW)
    assert isinstance(found, SourcePage)
    return found


def ask(text: str, **more: Any) -> Request:
    """The request for a search."""
    found = SOURCE.build_request(
        build_query(text, sources=("hackernews",), **more), SETTINGS, "", NOW
    )
    assert isinstance(found, Request)
    return found


def test_source_needs_no_key() -> None:
    """It is on without any setting; the pace is the documented limit of calls per hour."""
    assert SETTINGS.enabled
    assert (SETTINGS.url, SETTINGS.quota) == ("https://hn.algolia.com", None)
    assert 3600 / SETTINGS.pace_s <= 10_000


def test_request_has_every_parameter() -> None:
    """Phrases and exclusions have Algolia's advanced syntax; corrections and prefixes are off."""
    request = ask('node.js "high tide" -film -"old news"')
    assert (request.path, request.headers) == ("/api/v1/search", ())
    assert dict(request.params) == {
        "query": '"node.js" "high tide" -film -"old news"',
        "tags": "story",
        "hitsPerPage": "100",
        "typoTolerance": "false",
        "queryType": "prefixNone",
        "attributesToRetrieve": (
            "objectID,title,url,author,points,num_comments,story_text,created_at_i"
        ),
        "attributesToHighlight": "[]",
    }


@pytest.mark.parametrize(
    ("sort", "path"),
    [
        (Sort.RELEVANCE, "/api/v1/search"),
        (Sort.NEWEST, "/api/v1/search_by_date"),
        (Sort.POPULAR, "/api/v1/search"),
    ],
)
def test_newest_first_has_its_own_path(sort: Sort, path: str) -> None:
    """The relevance of the API has the points in it; we sort by popularity ourselves."""
    assert ask("storm", sort=sort).path == path
    assert SOURCE.list_ignored_parameters(query(sort=sort)) == ()


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("storm OR flood", "storm"),
        ("coast (storm OR flood)", "coast"),
        ("coast (storm OR flood) -film", "coast -film"),
        ("coast storm -film OR coast flood -book", "coast"),
        ("Claude OR claude", "Claude"),
    ],
)
def test_or_is_never_sent(text: str, sent: str) -> None:
    """The API takes OR as a word: the recorded reply lists `or` among its matched words.

    The common words of all alternatives are sent, else the first alternative.
    """
    assert dict(ask(text).params)["query"] == sent


def test_long_query_is_shortened() -> None:
    """The limit is in bytes. Wanted words are dropped from the end, then unwanted ones."""
    words = [f"気象庁台風情報速報{number}" for number in range(18)]
    sent = dict(ask(" ".join(words) + " -film").params)["query"]
    assert 480 < len(sent.encode()) <= 512
    assert sent.split() == [*words[: len(sent.split()) - 1], "-film"]
    excluded = " ".join("-" + word for word in words)
    sent = dict(ask("storm " + excluded).params)["query"]
    assert 480 < len(sent.encode()) <= 512
    assert sent.split()[0] == "storm"
    alone = "気" * 200
    assert dict(ask(alone).params)["query"] == alone


@pytest.mark.parametrize(
    ("start", "end", "sent"),
    [
        (None, None, None),
        (NOW, None, "created_at_i>=1795435200"),
        (NOW + timedelta(milliseconds=1), None, "created_at_i>=1795435201"),
        (None, NOW + timedelta(milliseconds=1), "created_at_i<=1795435200"),
        (NOW, NOW, "created_at_i>=1795435200,created_at_i<=1795435200"),
    ],
)
def test_dates_are_filters(start: datetime | None, end: datetime | None, sent: str | None) -> None:
    """The API filters by seconds; the bounds are inclusive."""
    assert dict(ask("storm", start=start, end=end).params).get("numericFilters") == sent


@pytest.mark.parametrize(("language", "ignored"), [(None, ()), ("en", ("language",))])
def test_language_is_ignored(language: str | None, ignored: tuple[str, ...]) -> None:
    """Posts do not say their language."""
    assert SOURCE.list_ignored_parameters(query(language=language)) == ignored


def test_link_post_becomes_the_linked_article() -> None:
    """The outlet published it, and not who posted it; the item is the discussion."""
    article = read(hit()).articles[0]
    assert article == Article(
        id=article.id,
        source="hackernews",
        external_id="46221321",
        url="https://www.bugle.example/storm?utm_source=hn",
        canonical_url="https://bugle.example/storm",
        title="Show HN: Storm charts",
        publisher="bugle.example",
        published_at=datetime(2026, 11, 20, 10, tzinfo=UTC),
        engagement=Engagement(12, 3, "https://news.ycombinator.com/item?id=46221321"),
    )
    assert article.engagement
    assert name_forum(str(article.engagement.url)) == "Hacker News"


@pytest.mark.parametrize(
    "url", [None, "", "javascript:alert(1)", "https://news.ycombinator.com/item?id=46221321&p=2"]
)
def test_text_post_has_its_own_address(url: str | None) -> None:
    """Without a link to another site the post itself is the article. Its text is HTML."""
    text = "Hi HN! I&#x27;m asking<p>Is <i>it</i> <a href='https:&#x2F;&#x2F;x.example'>x</a>?"
    article = read(hit(url=url, story_text=text)).articles[0]
    assert article.url == "https://news.ycombinator.com/item?id=46221321"
    assert article.canonical_url == "https://news.ycombinator.com/item?id=46221321"
    assert (article.publisher, article.author) == ("Hacker News", "someone")
    assert article.description == "Hi HN! I'm asking Is it x?"
    assert article.engagement
    assert article.engagement.url == article.url


@pytest.mark.parametrize("points", [None, -1, "12"])
def test_missing_points_are_none(points: object) -> None:
    """`points` may be null."""
    article = read(hit(points=points)).articles[0]
    assert article.engagement
    assert article.engagement.points == 0


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (hit(objectID=None), "bad_id"),
        (hit(objectID="1/../2"), "bad_id"),
        (hit(title=None), "no_title"),
        (hit(title=" \u200b"), "no_title"),
        ("text", "not_an_object"),
    ],
)
def test_bad_hit_is_left_out_and_counted(bad: object, reason: str) -> None:
    """The good hits are kept."""
    page = read(*[hit()] * 49, bad)
    assert (len(page.articles), page.returned, page.dropped) == (49, 50, {reason: 1})


def test_dates_are_checked_again() -> None:
    """A post outside the bounds is dropped."""
    page = read(hit(), start=NOW - timedelta(days=1))
    assert (page.articles, page.dropped) == ((), {"out_of_range": 1})


@pytest.mark.parametrize(
    ("body", "status", "expected", "said"),
    [
        ({"message": "Rate limit", "status": 429}, 429, Status.RATE_LIMITED, "Rate limit"),
        ({"message": "Unknown filter", "status": 400}, 400, Status.BAD_PAYLOAD, "Unknown filter"),
        (b"GET https://x/1/indexes: {}", 403, Status.UNAUTHORIZED, "HTTP 403"),
        (b"<html>", 502, Status.UNREACHABLE, "HTTP 502"),
        (b"<html>", 200, Status.BAD_PAYLOAD, "HTML page"),
        ({"hits": None}, 200, Status.BAD_PAYLOAD, "without hits"),
        ({"message": "odd"}, 200, Status.BAD_PAYLOAD, "without hits"),
    ],
)
def test_errors_become_refusals(body: object, status: int, expected: Status, said: str) -> None:
    """Errors are JSON with a message, or text."""
    found = SOURCE.read(reply(body, status), QUERY, NOW)
    assert isinstance(found, Refusal)
    assert (found.status, found.http_status) == (expected, status)
    assert said in found.detail


def test_documented_answer_is_read() -> None:
    """It has no date, so the date is estimated; the highlights are never read."""
    found = SOURCE.read(reply(DOCUMENTED), QUERY, NOW)
    assert isinstance(found, SourcePage)
    article = found.articles[0]
    assert (article.title, article.url, article.author) == (
        "Y Combinator",
        "http://ycombinator.com",
        None,
    )
    assert (article.published_at_estimated, article.description) == (True, None)
    assert article.engagement == Engagement(57, 2, "https://news.ycombinator.com/item?id=1")


@needs_shared
def test_recorded_answer_is_read() -> None:
    """All six posts become articles: five links, and one question without a link."""
    body = load_json("recorded/extra/hackernews_algolia_search_by_date.json")
    found = SOURCE.read(reply(body), QUERY, NOW)
    assert isinstance(found, SourcePage)
    assert (len(found.articles), found.dropped) == (6, {})
    assert [a.external_id for a in found.articles] == [row["objectID"] for row in body["hits"]]
    texts = [article for article in found.articles if article.publisher == "Hacker News"]
    links = [article for article in found.articles if article.publisher != "Hacker News"]
    assert [bool(row.get("url")) for row in body["hits"]].count(True) == len(links)
    assert all(article.url.startswith("https://news.ycombinator.com/item?id=") for article in texts)
    assert not any("<" in (article.description or "") for article in found.articles)
    assert all(not article.published_at_estimated for article in found.articles)
    for article, row in zip(found.articles, body["hits"], strict=True):
        assert article.engagement
        assert article.engagement.points == row["points"]
        assert f"{article.published_at:%Y-%m-%dT%H:%M:%SZ}" == row["created_at"]
