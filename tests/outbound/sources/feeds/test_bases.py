"""Relative addresses: resolved as RFC 3986 says, and in small steps whatever the bases are."""

import pytest

from newsintel.domain.bounds.slices import run_all
from newsintel.domain.text.request_urls import MAX_ADDRESS
from newsintel.outbound.sources.feeds import bases
from newsintel.outbound.sources.feeds.bases import MOST_NESTED, Base, resolve
from newsintel.outbound.sources.feeds.opml import read_opml
from newsintel.outbound.sources.feeds.tree import read_xml
from tests.outbound.sources.feeds.reading import ADDRESS, item, rows, rss

LONG = "http://x.example/" + "a" * 1_000_000 + "/"
FITS = "http://x.example/" + "a" * (MAX_ADDRESS - 60) + "/"


@pytest.fixture
def joined(monkeypatch):
    """The lengths of what is resolved: base, address and result."""
    lengths = []

    def join(base, address):
        found = urljoin(base, address)
        lengths.append((len(base), len(address), len(found)))
        return found

    urljoin = bases.urljoin
    monkeypatch.setattr(bases, "urljoin", join)
    return lengths


@pytest.mark.parametrize(
    ("reference", "found"),
    [
        ("g", "http://a/b/c/g"),
        ("./g/", "http://a/b/c/g/"),
        ("/g", "http://a/g"),
        ("//g", "http://g"),
        ("?y", "http://a/b/c/d;p?y"),
        ("#s", "http://a/b/c/d;p?q#s"),
        ("", "http://a/b/c/d;p?q"),
        ("../../../g", "http://a/g"),
        ("g:h", "g:h"),
    ],
)
def test_the_examples_of_rfc_3986(reference, found):
    """Section 5.4."""
    assert resolve("http://a/b/c/d;p?q", reference) == found


def test_an_address_that_is_too_long_or_unusable_is_none():
    """Before it is resolved, and after."""
    assert resolve("http://x.example/", "http://[x") == ""
    assert resolve("http://x.example/", "a" * (MAX_ADDRESS + 1)) == ""
    assert resolve("http://x.example/", "//" + "e\u0301" * 300 + "/") == ""
    assert len(resolve(FITS, "b" * 40)) < MAX_ADDRESS
    assert resolve(FITS, "b" * 70) == ""


def test_a_long_base_is_dropped(joined):
    """A feed of one kilobyte when packed; its links stay those of the base around."""
    document = rss("<a base='b'/>" * 6_000 + item(link="c"))
    found = rows(document.replace("<rss", f"<rss xml:base='{LONG}'"))
    assert found.rows[0]["link"] == "https://news.example/feeds/c"
    assert joined == [(len(ADDRESS), 1, len("https://news.example/feeds/c"))]


def test_bases_are_resolved_when_they_are_needed_and_shared(joined):
    """Neighbours with the same base have one; no address outgrows the limit."""
    items = "<item href='b' base='c/'/>" * 800
    found = rows(rss(items).replace("<rss", f"<rss xml:base='{FITS}'"))
    assert {row["link"] for row in found.rows} == {FITS + "c/b"}
    assert max(map(max, joined)) <= MAX_ADDRESS
    document = run_all(read_xml(f"<r xml:base='{FITS}'>" + "<a base='b'/>" * 6_000 + "</r>", ""))
    assert document.root is not None
    assert len({id(one.base) for one in document.root.content}) == 1
    assert len(joined) == 802


def test_nested_bases_have_a_limit(joined):
    """A base too deep does not count, nor does one that makes an address too long."""
    base = Base("http://x.example/")
    for number in range(50):
        base = base.enter(f"{number}/")
    assert base.read() == "http://x.example/" + "".join(f"{n}/" for n in range(MOST_NESTED))
    inner = Base(FITS).enter("d" * 100 + "/").enter("e/")
    assert inner.read() == FITS + "e/"
    assert len(joined) <= MOST_NESTED + 4


def test_lists_have_the_same_limits(joined):
    """They are read by the same reader."""
    outlines = "<outline base='b'/>" * 6_000 + "<outline xmlUrl='https://a.example/'/>"
    (feed,) = run_all(read_opml(f"<opml base='{LONG}'>{outlines}</opml>".encode()))
    assert feed.address == "https://a.example/"
    assert joined == []
