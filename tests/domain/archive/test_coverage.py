"""The coverage of a story: who reported it, when, and where nobody did."""

from datetime import UTC, datetime, timedelta

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from newsintel.domain.archive.coverage import measure_coverage
from newsintel.domain.search.publisher_facts import (
    COUNTRIES,
    PUBLISHERS,
    PublisherFacts,
    find_publisher_facts,
)
from newsintel.domain.text.urls import canonicalize_url
from tests.make import article
from tests.values import articles

NOON = datetime(2026, 11, 23, 12, 20, tzinfo=UTC)


def report(url, publisher, minutes=0, **changes):
    """An article of a publisher, some minutes after noon."""
    values = {
        "url": url,
        "canonical_url": canonicalize_url(url),
        "publisher": publisher,
        "published_at": NOON + timedelta(minutes=minutes),
    }
    return article(url[-12:], **values | changes)


def test_each_publisher_counts_once_by_its_first_article():
    """The earliest article counts, whatever order they come in and however names are spelt."""
    found = measure_coverage(
        [
            report("https://www.spiegel.de/b", "DER SPIEGEL", 90),
            report("https://www.bbc.co.uk/news/a", "BBC News", 10),
            report("https://www.spiegel.de/a", "Der Spiegel", 30),
            report("https://feeds.zeit.de/c", "Zeit", 200),
        ]
    )
    assert [(one.publisher, one.country, one.language) for one in found.reports] == [
        ("BBC News", "GB", None),
        ("Der Spiegel", "DE", "de"),
        ("Zeit", "DE", "de"),
    ]
    assert found.first == found.reports[0]
    assert (found.countries, found.languages) == ({"DE": 2, "GB": 1}, {"de": 2})
    assert list(found.countries) == ["DE", "GB"]
    hour = NOON.replace(minute=0)
    assert found.hours == {hour: 2, hour + timedelta(hours=3): 1}
    assert found.missing == tuple(sorted(COUNTRIES - {"DE", "GB"}))


def test_a_source_knows_better_than_the_feed_list():
    """GDELT's country and the article's language come before the facts about the site."""
    found = measure_coverage(
        [
            report("https://www.dw.com/a", "DW", language="tr"),
            report("https://www.bugle.example/a", "Bugle", 1, country="IE", language="ga"),
            report("https://www.spiegel.de/int", "Spiegel", 2, country="AT", language="en"),
            report("https://unknown.example/a", "Unknown", 3),
        ]
    )
    assert [(one.country, one.language) for one in found.reports] == [
        ("DE", "tr"),
        ("IE", "ga"),
        ("AT", "en"),
        (None, None),
    ]
    assert found.countries == {"AT": 1, "DE": 1, "IE": 1}


def test_a_publisher_without_a_name_is_that_of_its_host():
    """GDELT knows the host and the country, NewsAPI the name: both are one publisher."""
    by_host = report("https://www.bugle.example/a", "bugle.example", 0, country="IE")
    by_name = report("https://www.bugle.example/b", "The Bugle", 5)
    elsewhere = report("https://www.msn.example/d", "The Bugle", 9)
    later = report("https://www.bugle.example/e", "bugle.example", 12, country="IE")
    for articles_ in ([by_host, by_name, elsewhere], [by_name, elsewhere, later]):
        found = measure_coverage(articles_)
        assert [(one.publisher, one.country) for one in found.reports] == [("The Bugle", "IE")]
    others = [
        report("https://www.msn.example/a", "BBC News", 1),
        report("https://www.msn.example/b", "CNN", 2),
        report("https://www.msn.example/c", "msn.example", 3),
    ]
    assert [one.publisher for one in measure_coverage(others).reports] == ["BBC News", "CNN"]


@pytest.mark.parametrize(
    "url",
    [
        "https://www.reddit.com/r/news/comments/1abc/storm/",
        "https://old.reddit.com/r/news/comments/1abc/",
        "https://news.ycombinator.com/item?id=46221321",
    ],
)
def test_forums_are_no_publishers(url):
    """A post without a link reports nothing: it is about the story."""
    found = measure_coverage([report(url, "r/news")])
    assert (found.reports, found.first, found.countries, found.hours) == ((), None, {}, {})
    assert found.missing == tuple(sorted(COUNTRIES))


def test_an_estimated_date_is_never_the_first():
    """It is the time of our own fetch."""
    guessed = report("https://www.nrk.no/a", "NRK", -600, published_at_estimated=True)
    found = measure_coverage([guessed, report("https://www.asahi.com/a", "Asahi", 5)])
    assert [one.publisher for one in found.reports] == ["Asahi", "NRK"]
    alone = measure_coverage([guessed]).first
    assert alone
    assert alone.publisher == "NRK"


@given(st.lists(articles(), max_size=8), st.randoms())
def test_order_of_articles_does_not_matter(found, dice):
    """And every country is either reported or missing, or not in the feed list."""
    named = [evolve(one, id=f"a_{place:0>20}") for place, one in enumerate(found)]
    mixed = [*named]
    dice.shuffle(mixed)
    coverage = measure_coverage(named)
    assert measure_coverage(mixed) == coverage
    assert len(coverage.reports) <= len(found)
    assert sum(coverage.hours.values()) == len(coverage.reports)
    assert not set(coverage.missing) & coverage.countries.keys()
    assert set(coverage.missing) | coverage.countries.keys() >= COUNTRIES


@pytest.mark.parametrize(
    ("host", "facts"),
    [
        ("www.spiegel.de", PublisherFacts("DE", "de")),
        ("spiegel.de", PublisherFacts("DE", "de")),
        ("notspiegel.de", PublisherFacts()),
        ("www.dw.com", PublisherFacts("DE", None)),
        ("m.folha.uol.com.br", PublisherFacts("BR", "pt")),
        ("uol.com.br", PublisherFacts()),
        ("de", PublisherFacts()),
        ("", PublisherFacts()),
    ],
)
def test_facts_are_those_of_the_site(host, facts):
    """A host has the facts of its parent domain."""
    assert find_publisher_facts(host) == facts


def test_facts_are_codes():
    """Two capitals, two small letters, and hosts as canonical addresses have them."""
    for host, facts in PUBLISHERS.items():
        assert canonicalize_url(f"https://www.{host}/a").startswith(f"https://{host}/a"), host
        assert facts.country
        assert len(facts.country) == 2
        assert facts.country.isupper()
        assert facts.language is None or (len(facts.language) == 2 and facts.language.islower())
