"""Reads feeds in tests, without pauses."""

from newsintel.domain.bounds.slices import run_all
from newsintel.domain.feeds.model import Subscription
from newsintel.domain.search.outcome import SourcePage
from newsintel.outbound.sources.feeds.articles import read_articles
from newsintel.outbound.sources.feeds.reading import NoFeed, read_feed
from newsintel.outbound.sources.feeds.rows import FeedRows
from newsintel.outbound.sources.source import Response
from tests.make import NOON

ADDRESS = "https://news.example/feeds/all.xml"


def read(document: str | bytes, content_type: str = "", address: str = ADDRESS):
    """A feed as it was read, or what it is instead."""
    body = document.encode() if isinstance(document, str) else document
    response = Response(200, {"content-type": content_type}, body)
    return run_all(read_feed(response, address))


def rows(document: str | bytes, content_type: str = "") -> FeedRows:
    """A feed that can be read."""
    found = read(document, content_type)
    assert isinstance(found, FeedRows), found
    return found


def refusal(document: str | bytes, content_type: str = "") -> NoFeed:
    """Why a document is no feed."""
    found = read(document, content_type)
    assert isinstance(found, NoFeed), found
    return found


def page(document: str | bytes, now=NOON, **known) -> SourcePage:
    """The articles of a feed."""
    return run_all(read_articles(rows(document), Subscription(ADDRESS, **known), now))


def rss(items: str, channel: str = "", before: str = "") -> str:
    """An RSS feed with these items."""
    return f"{before}<rss version='2.0'><channel>{channel}{items}</channel></rss>"


def item(title: str = "T", link: str = "https://news.example/1", more: str = "") -> str:
    """An item of RSS."""
    return f"<item><title>{title}</title><link>{link}</link>{more}</item>"
