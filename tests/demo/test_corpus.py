"""The invented news: there is enough, it is reproducible, and it has duplicates and look-alikes."""

import random
from collections import Counter, defaultdict
from datetime import timedelta
from itertools import combinations
from urllib.parse import urlsplit

import pytest
from rapidfuzz.distance import Levenshtein

from newsintel.demo.corpus import build_corpus
from newsintel.demo.documents import Document
from newsintel.demo.matching import GUARDIAN, NEWSAPI, REDDIT, parse_query
from newsintel.demo.stories import generate_stories, load_themes
from tests.demo.conftest import NOW

CORPUS = build_corpus(NOW, 0)
STORIES = list(generate_stories(NOW, random.Random(0)))
ALL = (*CORPUS.newsapi, *CORPUS.guardian, *CORPUS.reddit)


def _title(document: Document) -> str:
    row = document.row
    return str(row.get("webTitle") or row.get("title") or row.get("data", {}).get("title"))


def _url(document: Document) -> str:
    row = document.row
    return str(row.get("webUrl") or row.get("url") or row.get("data", {}).get("url"))


def test_equal_arguments_give_equal_corpora() -> None:
    """Seed and time decide everything; another seed gives another corpus."""
    assert build_corpus(NOW, 0) == CORPUS
    assert build_corpus(NOW, 1) != CORPUS


def test_corpus_has_enough_themes_and_stories() -> None:
    """At least 25 themes and 400 stories, each with a unique name and in at least one source."""
    assert len(load_themes()) >= 25
    assert len({story.name for story in STORIES}) == len(STORIES) >= 400
    assert {document.story for document in ALL} - {""} == {story.name for story in STORIES}


def test_headlines_of_stories_are_unique() -> None:
    """No two stories have the same headline: a follow-up is never a duplicate."""
    assert len({story.title.casefold() for story in STORIES}) == len(STORIES)


def test_look_alikes_are_planted() -> None:
    """Some headlines are nearly equal but different news: a number, an opponent, a verb differs."""
    alike = [
        (first.title, second.title)
        for first, second in combinations(STORIES, 2)
        if Levenshtein.normalized_similarity(first.title.casefold(), second.title.casefold()) > 0.75
    ]
    assert len(alike) >= 6


def test_articles_are_at_most_a_week_old() -> None:
    """Nothing is dated after now or older than a week."""
    assert all(NOW - timedelta(days=7) < document.at <= NOW for document in ALL)


@pytest.mark.parametrize(
    "query",
    [
        "climate",
        '"neural networks"',
        "health",
        "chips",
        "football",
        "housing",
        "energy",
        "space",
        "economy",
    ],
)
def test_common_words_find_plenty(query: str) -> None:
    """A word of a theme finds at least 15 rows in each source, also in default subreddits."""
    front = [
        document
        for document in CORPUS.reddit
        if document.row["data"].get("subreddit") in ("news", "worldnews", "technology")
    ]
    for documents, dialect in (
        (CORPUS.newsapi, NEWSAPI),
        (CORPUS.guardian, GUARDIAN),
        (front, REDDIT),
    ):
        assert (
            sum(parse_query(query, dialect).matches(document.join_text()) for document in documents)
            >= 15
        )


def test_stories_have_several_headlines_and_addresses() -> None:
    """Most stories come several times, with different headlines and spellings of one address."""
    told: dict[str, list[Document]] = defaultdict(list)
    for document in ALL:
        if document.story:
            told[document.story].append(document)
    several = [documents for documents in told.values() if len(documents) > 1]
    assert len(several) > 300
    assert sum(len({_title(document) for document in documents}) > 1 for documents in several) > 200
    spellings = Counter()
    for documents in several:
        paths = defaultdict(set)
        for document in documents:
            parts = urlsplit(_url(document))
            paths[parts.netloc.removeprefix("www."), parts.path.removesuffix("/amp")].add(
                _url(document)
            )
        spellings[any(len(urls) > 1 for urls in paths.values())] += 1
    assert spellings[True] > 150


def test_addresses_are_reserved_example_domains() -> None:
    """Every address is under .example, except Reddit's own pages and NewsAPI's removed rows."""
    hosts = {
        urlsplit(_url(document)).hostname or ""
        for document in ALL
        if document.row.get("kind") != "t5"
    }
    assert {host for host in hosts if not host.endswith(".example")} <= {
        "www.reddit.com",
        "removed.com",
    }


def test_oddities_are_planted() -> None:
    """Difficult rows exist: removed rows, adult and self posts, other kinds, markup, gaps."""
    posts = [document.row["data"] for document in CORPUS.reddit if document.row["kind"] == "t3"]
    assert any(row.row["title"] == "[Removed]" for row in CORPUS.newsapi)
    assert any(row.row["description"] is None for row in CORPUS.newsapi)
    assert any("&#8217;" in (row.row["description"] or "") for row in CORPUS.newsapi)
    assert any("<strong>" in row.row["fields"]["trailText"] for row in CORPUS.guardian)
    assert any("thumbnail" not in row.row["fields"] for row in CORPUS.guardian)
    assert any("pillarId" not in row.row for row in CORPUS.guardian)
    assert any(post["over_18"] for post in posts)
    assert any(post["is_self"] for post in posts)
    assert any(post["removed_by_category"] for post in posts)
    assert any(row.row["kind"] == "t5" for row in CORPUS.reddit)
    assert any("\u2019" in _title(row) for row in ALL)
