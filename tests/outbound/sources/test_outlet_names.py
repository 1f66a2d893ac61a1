"""Names of outlets of which only the address is known, compared with NewsAPI's names."""

import pytest

from newsintel.domain.text.clean import fold
from newsintel.domain.text.safe_urls import sanitize_url
from newsintel.domain.text.urls import canonicalize_url
from newsintel.outbound.sources.known_outlets import KNOWN_OUTLETS
from newsintel.outbound.sources.outlet_names import name_outlet
from tests.outbound.sources.replies import recorded_bodies
from tests.shared import needs_shared


@pytest.mark.parametrize(
    ("address", "name"),
    [
        # known outlets, also their other hosts, editions and redirect pages
        ("www.bbc.co.uk/news/1", "BBC News"),
        ("news.bbc.co.uk/1/hi/1.stm", "BBC News"),
        ("amp.theguardian.com/world/2026/x-1", "The Guardian"),
        ("edition.cnn.com/2026/x", "CNN"),
        ("cnnespanol.cnn.com/x", "CNN Spanish"),
        ("markets.businessinsider.com/x", "Business Insider"),
        ("abcnews.go.com/x", "ABC News"),
        ("www.google.com/url?q=https://www.nytimes.com/2026/x-1.html", "The New York Times"),
        # others: the host, without parts that name no outlet
        ("www.kyivindependent.com/x", "kyivindependent.com"),
        ("m.jpost.example/x", "jpost.example"),
        ("news.sky.com/story/x", "sky.com"),
        ("en.wikipedia.org/wiki/X", "wikipedia.org"),
        ("g1.example.com.br/x", "g1.example.com.br"),
        ("www.www.example/x", "www.example"),
        # such a part may be the outlet itself
        ("www.news.com.au/x", "News.com.au"),
        ("news.co.uk/x", "news.co.uk"),
        ("mobile.news/x", "mobile.news"),
        ("www.edition.de/x", "edition.de"),
        # a host that ends like a known one
        ("notcnn.com/x", "notcnn.com"),
        ("go.com/x", "go.com"),
        ("xn--e1afmkfd.xn--p1ai/x", "xn--e1afmkfd.xn--p1ai"),
    ],
)
def test_an_outlet_has_its_name_or_its_host(address: str, name: str) -> None:
    """Hosts of one outlet have one name, and no host is named by a part such as `www` alone."""
    assert name_outlet(f"https://{address}") == name


def test_every_known_outlet_is_found_by_its_own_page() -> None:
    """No domain of the table is written in a form that addresses do not have."""
    for domain, name in KNOWN_OUTLETS.items():
        for host in (domain, f"www.{domain}"):
            assert name_outlet(f"https://{host}/a-1") == name


@needs_shared
def test_names_are_those_of_newsapi() -> None:
    """The judge is every recorded row of an outlet that has an id at NewsAPI.

    The three rows that differ are links of a collector to pages of others.
    """
    differ, rows = set(), 0
    for _, body in recorded_bodies("newsapi"):
        for row in body["articles"]:
            source, url = row["source"], sanitize_url(row["url"] or "")
            if source.get("id") and url:
                rows += 1
                if fold(name_outlet(url)) != fold(source["name"]):
                    differ.add((source["name"], canonicalize_url(url).split("/")[2]))
    assert rows > 100
    assert differ == {
        ("Google News (UK)", "theguardian.com"),
        ("Hacker News", "heartbeat.peakon.com"),
        ("Recode", "vox.com"),
    }


@needs_shared
def test_other_outlets_are_their_domain_as_at_newsapi() -> None:
    """NewsAPI calls outlets that it does not know by their domain: `Androidcentral.com`.

    Those that differ are on a subdomain or another domain, or other rows name them.
    """
    differ, rows = set(), 0
    for _, body in recorded_bodies("newsapi"):
        for row in body["articles"]:
            name, url = row["source"]["name"] or "", sanitize_url(row["url"] or "")
            if url and "." in name and " " not in name and not row["source"].get("id"):
                rows += 1
                if fold(name_outlet(url)) != fold(name.removeprefix("Www.")):
                    differ.add(name)
    assert rows > 100
    assert differ == {
        "Archlinux.org",
        "Detik.com",
        "Forbes.com",
        "Timesofisrael.com",
        "Washington.edu",
        "Yahoo.com",
        "Youtube.com",
        "dh.be",
    }
