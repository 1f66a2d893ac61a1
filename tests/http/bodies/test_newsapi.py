"""Bodies and filters of NewsAPI, beside recorded answers of NewsAPI itself."""

import json

import pytest

from newsintel.domain.bounds.slices import run_all
from newsintel.domain.feeds.model import Subscription
from newsintel.domain.search.matching import PreparedQuery
from newsintel.domain.search.query import build_query
from newsintel.http.bodies.newsapi import (
    build_articles_body,
    build_newsapi_error,
    build_sources_body,
    guess_publisher,
    make_source_id,
)
from newsintel.http.bodies.newsapi_filter import ArticleFilter
from tests.shared import SHARED, needs_shared

ARTICLE = {
    "url": "https://www.bbc.com/news/1",
    "publisher": "BBC News",
    "author": None,
    "title": "Flood in Kyiv",
    "description": "Water rose",
    "image_url": None,
    "section": "Sport",
    "language": "en",
    "published_at": "2026-03-01T11:00:00Z",
    "content": "x" * 205,
}


def test_an_article_has_newsapis_members():
    """The text is cut at 200 characters, with the number of those that follow."""
    body = build_articles_body([ARTICLE], 7)
    assert (body["status"], body["totalResults"]) == ("ok", 7)
    (shown,) = body["articles"]
    assert shown["source"] == {"id": "bbc-news", "name": "BBC News"}
    assert shown["content"] == "x" * 200 + "… [+5 chars]"
    short = {name: value for name, value in ARTICLE.items() if name != "content"}
    assert build_articles_body([short], 1)["articles"][0]["content"] is None
    assert build_articles_body([ARTICLE | {"content": "y"}], 1)["articles"][0]["content"] == "y"


@needs_shared
def test_the_members_are_those_of_recorded_answers():
    """Every recorded list of NewsAPI has the members that ours has, with the same types."""
    ours = build_articles_body([ARTICLE], 7)
    judged = 0
    for file in sorted((SHARED / "recorded" / "newsapi").glob("*.json")):
        body = json.loads(file.read_text())
        if not isinstance(body, dict) or not body.get("articles"):
            continue
        assert body.keys() <= ours.keys(), file.name
        # Bodies from before 2018 have no `content`.
        assert body["articles"][0].keys() <= ours["articles"][0].keys(), file.name
        assert body["articles"][0]["source"].keys() == ours["articles"][0]["source"].keys()
        judged += 1
    assert judged > 10


@pytest.mark.parametrize(
    ("publisher", "source_id"),
    [
        ("BBC News", "bbc-news"),
        ("The Verge", "the-verge"),
        ("Al Jazeera English", "al-jazeera-english"),
        ("r/worldnews", "r-worldnews"),
        ("L'Équipe", "léquipe"),
        ("日本経済新聞", "日本経済新聞"),
        ("الجزيرة", "الجزيرة"),
        ("Ｎｅｗｓ２４", "news24"),
        ("!!!", None),
    ],
)
def test_ids_are_made_of_names(publisher, source_id):
    """Names that NewsAPI knows get NewsAPI's own ids."""
    assert make_source_id(publisher) == source_id


def test_the_archive_finds_a_publisher_by_its_id():
    """It ignores case, so most names come back."""
    assert guess_publisher("bbc-news") == "bbc news"


def problem(code, *errors):
    """Return a problem document."""
    return {
        "code": code,
        "detail": "said",
        "request_id": "r",
        "errors": [{"field": "q", "code": error, "message": "m"} for error in errors],
    }


@pytest.mark.parametrize(
    ("document", "code"),
    [
        (problem("unauthenticated"), "apiKeyInvalid"),
        (problem("rate_limited"), "rateLimited"),
        (problem("invalid_parameter", "invalid"), "parameterInvalid"),
        (problem("invalid_parameter", "invalid", "sourcesTooMany"), "sourcesTooMany"),
        (problem("sources_failed"), "unexpectedError"),
        (problem("not_found"), "unexpectedError"),
    ],
)
def test_problems_become_newsapis_errors(document, code):
    """What NewsAPI has no code for is its unexpectedError."""
    body = build_newsapi_error(document)
    assert (body["status"], body["code"], body["request_id"]) == ("error", code, "r")
    assert body["message"]


@needs_shared
@pytest.mark.parametrize(
    ("file", "document"),
    [
        ("401_apiKeyInvalid", problem("unauthenticated")),
        ("429_rateLimited", problem("rate_limited")),
    ],
)
def test_errors_begin_like_the_recorded_ones(file, document):
    """Status and code are equal, and the first sentence is, since some clients read it."""
    recorded = json.loads((SHARED / f"recorded/newsapi/http/{file}.json").read_text())
    theirs, ours = recorded["response"]["body"], build_newsapi_error(document)
    assert (ours["status"], ours["code"]) == (theirs["status"], theirs["code"])
    assert ours["message"].partition(".")[0] == theirs["message"].partition(".")[0]


FEEDS = [
    Subscription("https://feeds.bbc.co.uk/a", "BBC News", "en", "GB", title="BBC World"),
    Subscription("https://feeds.bbc.co.uk/b", "BBC News", "en", "GB"),
    Subscription("http://taz.de:8080/rss", "taz", "de", "DE"),
    Subscription("https://mixed.example/rss"),
    Subscription("https://odd.example/rss", "!!!"),
    Subscription("https://unknown.example/rss", "Unknown"),
]


def test_sources_are_the_publishers_of_the_feeds():
    """Each is listed once, by name; feeds of several publishers are left out."""
    body = run_all(build_sources_body(FEEDS, language=None, country=None))
    assert [one["id"] for one in body["sources"]] == ["bbc-news", "taz", "unknown"]
    assert body["sources"][0] == {
        "id": "bbc-news",
        "name": "BBC News",
        "description": "BBC World",
        "url": "https://feeds.bbc.co.uk",
        "category": "general",
        "language": "en",
        "country": "gb",
    }
    assert (body["sources"][2]["language"], body["sources"][2]["country"]) == ("", "")


def test_sources_are_chosen_by_language_and_country():
    """Both must match."""
    german = run_all(build_sources_body(FEEDS, language="de", country=None))["sources"]
    british = run_all(build_sources_body(FEEDS, language=None, country="gb"))["sources"]
    assert ([one["id"] for one in german], [one["id"] for one in british]) == (
        ["taz"],
        ["bbc-news"],
    )
    assert run_all(build_sources_body(FEEDS, language="de", country="gb"))["sources"] == []


def words(text):
    """Return the words of a filter."""
    return PreparedQuery(build_query(text, sources=()).clauses)


@pytest.mark.parametrize(
    ("chosen", "kept"),
    [
        (ArticleFilter(), True),
        (ArticleFilter(sources=("bbc-news", "wired")), True),
        (ArticleFilter(sources=("wired",)), False),
        (ArticleFilter(domains=("bbc.com",)), True),
        (ArticleFilter(domains=("bc.com",)), False),
        (ArticleFilter(without_domains=("bbc.com",)), False),
        (ArticleFilter(without_domains=("cnn.com",)), True),
        (ArticleFilter(category="sports"), True),
        (ArticleFilter(category="science"), False),
        (ArticleFilter(country="gb"), True),
        (ArticleFilter(country="us"), False),
        (ArticleFilter(words=words("flood"), fields=("title",)), True),
        (ArticleFilter(words=words("flood kyiv"), fields=("title",)), True),
        (ArticleFilter(words=words("water"), fields=("title",)), False),
        (ArticleFilter(words=words("water"), fields=("title", "description")), True),
        (ArticleFilter(words=words("water"), fields=("content",)), False),
    ],
)
def test_a_filter_keeps_what_it_describes(chosen, kept):
    """Each of its parts must agree; sites include their subdomains."""
    assert chosen.keeps(ARTICLE) is kept


def test_an_article_without_facts_has_no_category_and_no_country():
    """Such an article shows up only in lists that do not ask for them."""
    bare = ARTICLE | {"section": None, "url": "https://example.org/1", "content": None}
    assert ArticleFilter().keeps(bare)
    assert not ArticleFilter(category="sports").keeps(bare)
    assert not ArticleFilter(country="gb").keeps(bare)
    assert not ArticleFilter(words=words("flood"), fields=("content",)).keeps(bare)
