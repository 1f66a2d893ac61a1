"""The demo with all its sources, also those without a key."""

import pytest

from tests.service import running
from tests.waiting import wait_for

UNLIMITED = {"RATE_LIMIT": "off", "MISS_LIMIT": "off"}


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """A demo in which no source is left out."""
    with running(tmp_path_factory.mktemp("keyless"), "demo", SOURCES="", **UNLIMITED) as service:
        yield service


def search(demo, **params):
    """The answer of a search."""
    return demo.client.get(f"{demo.url}/articles", params={"limit": 50} | params).json()


@pytest.mark.slow
def test_sources_without_keys_answer_like_the_others(demo):
    """They report articles, of which most are duplicates of what others report."""

    def search_all():
        body = search(demo, q="climate")
        return body if body["complete"] else None

    body = wait_for(search_all, "an answer of every source")  # the feeds are read after the start
    for name in ("hackernews", "gdelt"):
        assert body["sources"][name]["status"] == "ok"
        assert body["sources"][name]["kept"] > 0


@pytest.mark.slow
def test_links_of_hacker_news_have_a_discussion(demo):
    """The outlet is the publisher."""
    body = search(demo, q="climate", sources="hackernews")
    for article in body["articles"]:
        assert article["discussion"]["url"].startswith("https://news.ycombinator.com/item?id=")
        assert article["publisher"].endswith(".example") or article["publisher"] == "Hacker News"


def test_coverage_has_the_publishers_of_a_story(demo):
    """Once the story is archived and grouped, by country as GDELT says it."""
    body = search(demo, q="climate")
    told = max(body["articles"], key=lambda one: len(one["duplicates"]))

    address = f"{demo.url}/articles/{told['id']}"
    wait_for(lambda: demo.client.get(address).json()["duplicates"], "the story in the archive")
    coverage = demo.client.get(address + "/coverage").json()
    assert coverage["publishers"]
    assert coverage["first"] == coverage["publishers"][0]
    assert sum(coverage["countries"].values()) <= len(coverage["publishers"])
    assert "DE" in coverage["missing"]
