"""Lists of feeds, ours and others'."""

from newsintel.domain.bounds.slices import run_all
from newsintel.domain.feeds.model import Subscription
from newsintel.domain.search.publisher_facts import COUNTRIES, UNKNOWN, find_publisher_facts
from newsintel.domain.text.safe_urls import get_host
from newsintel.outbound.sources.feeds.default_list import load_default_feeds, mark_state_media
from newsintel.outbound.sources.feeds.opml import read_opml

SUBSCRIPTIONS = """<?xml version="1.0" encoding="ISO-8859-1"?>
<opml version="2.0">
  <head><title>mySubscriptions.opml</title></head>
  <body>
    <outline text="CNET News.com" description="Tech news and business reports by CNET News.com."
      htmlUrl="http://news.com.com/" language="unknown" title="CNET News.com" type="rss"
      version="RSS2" xmlUrl="http://news.com.com/2547-1_3-0-5.xml"/>
    <outline text="washingtonpost.com - Politics" description="Politics"
      htmlUrl="http://www.washingtonpost.com/wp-dyn/politics?nav=rss_politics" language="en"
      title="washingtonpost.com - Politics" type="rss" version="RSS2"
      xmlUrl="http://www.washingtonpost.com/wp-srv/politics/rssheadlines.xml"/>
  </body>
</opml>"""
"""Two outlines of the example in the OPML 2.0 specification."""


def read(body: str):
    """The feeds of a list."""
    return run_all(read_opml(body.encode()))


def test_the_specifications_example():
    """A language of more than two letters is unknown."""
    first, second = read(SUBSCRIPTIONS)
    assert first == Subscription("http://news.com.com/2547-1_3-0-5.xml", title="CNET News.com")
    assert second.language == "en"


def test_folders_repeats_and_foreign_addresses():
    """Folders may be nested; each address counts once."""
    outline = "<outline xmlUrl='{}' title='{}'/>".format
    inner = outline("https://a.example/", "A") + outline("https://a.example/", "again")
    inner += outline("feed:https://b.example/", "B") + outline("", "C") + "<outline text='D'/>"
    found = read(
        f"<opml><body><outline text='F'><outline>{inner}</outline></outline></body></opml>"
    )
    assert [(one.address, one.title) for one in found] == [("https://a.example/", "A")]


def test_addresses_beyond_ascii_are_encoded():
    """PostgreSQL indexes bytes, so their limit counts what is stored."""
    outline = "<outline xmlUrl='https://{}'/>".format
    inner = outline("b\u00fccher.example/\u65b0") + outline("xn--bcher-kva.example/%E6%96%B0")
    inner += outline("x.example/" + "\u65b0" * 1_990)
    (found,) = read(f"<opml><body>{inner}</body></opml>")
    assert found.address == "https://xn--bcher-kva.example/%E6%96%B0"


def test_what_is_no_list():
    """It is named in one line."""
    assert read("<rss/>") == "not OPML"
    assert read("") == "not OPML"
    assert read("<opml><body/></opml>") == "OPML without a feed"
    assert read("<opml>" + "<a>" * 200) == "XML nested more than 100 levels deep"


def test_the_default_list():
    """Some sixty feeds, each with its language, country and terms; no state media."""
    feeds = load_default_feeds()
    assert 60 <= len(feeds) <= 70
    assert len({one.address for one in feeds}) == len(feeds)
    for feed in feeds:
        assert feed.address.startswith("https://")
        assert feed.language is not None
        assert len(feed.language) == 2
        assert feed.country is not None
        assert feed.country.isupper()
        assert feed.licence
        assert feed.title
        assert not mark_state_media(feed).state_media
    assert len({one.country for one in feeds}) > 20


def test_the_facts_about_publishers_are_those_of_the_default_list():
    """A site in several languages has no language there, and a feed may be on another host."""
    feeds = load_default_feeds()
    assert {feed.country for feed in feeds} == COUNTRIES
    found = [(feed, find_publisher_facts(get_host(feed.address))) for feed in feeds]
    known = [(feed, facts) for feed, facts in found if facts != UNKNOWN]
    assert len(known) > 0.9 * len(feeds)
    for feed, facts in known:
        assert facts.country == feed.country, feed
        assert facts.language in (feed.language, None), feed


def test_state_media_is_marked():
    """By its host, or a host below it."""
    assert mark_state_media(Subscription("https://www.rt.com/rss/")).state_media
    assert mark_state_media(Subscription("https://tass.com/rss/v2.xml")).state_media
    assert not mark_state_media(Subscription("https://smart.com/rss/")).state_media
