"""RSS 2.0 (rssboard.org/rss-specification), with elements of Atom and Dublin Core that readers use.

The RSS Board's best practices profile decides where the specification leaves a choice.
"""

import io
from collections.abc import Iterable, Mapping
from datetime import datetime
from email.utils import format_datetime
from html import escape
from typing import Any
from xml.sax.saxutils import XMLGenerator

from newsintel import __version__
from newsintel.domain.bounds.slices import Sliced
from newsintel.http.bodies.channel import Channel
from newsintel.http.bodies.xml_elements import start_element, write_element

NAMESPACES = {
    "xmlns:atom": "http://www.w3.org/2005/Atom",
    "xmlns:dc": "http://purl.org/dc/elements/1.1/",
}


def build_rss(articles: Iterable[Mapping[str, Any]], channel: Channel) -> Sliced[bytes]:
    """Return a feed of articles, in slices.

    Args:
        articles: as in the JSON body.
        channel: describes the feed.
    """
    document = io.BytesIO()
    xml = XMLGenerator(document, "utf-8", short_empty_elements=True)
    xml.startDocument()
    start_element(xml, "rss", {"version": "2.0"} | NAMESPACES)
    start_element(xml, "channel")
    _write_channel(xml, channel)
    for article in articles:
        _write_item(xml, article)
        yield
    xml.endElement("channel")
    xml.endElement("rss")
    return document.getvalue()


def _write_channel(xml: XMLGenerator, channel: Channel) -> None:
    write_element(xml, "title", channel.title)
    write_element(xml, "link", channel.home_url)
    write_element(xml, "description", f"{channel.title}, as found by newsintel")
    write_element(xml, "generator", f"newsintel {__version__}")
    if channel.updated is not None:
        write_element(xml, "lastBuildDate", _format_date(channel.updated))
    _write_link(xml, "self", channel.self_url)
    if channel.next_url is not None:
        _write_link(xml, "next", channel.next_url)  # RFC 5005, 3


def _write_item(xml: XMLGenerator, article: Mapping[str, Any]) -> None:
    start_element(xml, "item")
    write_element(xml, "title", article["title"])
    write_element(xml, "link", article["url"])
    # Unlike the other texts, a description is HTML. Ours is plain text.
    write_element(xml, "description", escape(article["description"] or "", quote=False))
    write_element(xml, "dc:creator", article["author"])
    write_element(xml, "dc:publisher", article["publisher"])
    write_element(xml, "dc:language", article["language"])
    write_element(xml, "category", article["section"])
    write_element(xml, "comments", (article["discussion"] or {}).get("url"))
    write_element(xml, "guid", article["id"], isPermaLink="false")
    write_element(xml, "pubDate", _format_date(article["published_at"]))
    xml.endElement("item")


def _write_link(xml: XMLGenerator, rel: str, url: str) -> None:
    start_element(xml, "atom:link", {"href": url, "rel": rel, "type": "application/rss+xml"})
    xml.endElement("atom:link")


def _format_date(moment: str) -> str:
    """Write an RFC 3339 time in UTC as RFC 822 wants it, with a year of four digits."""
    return format_datetime(datetime.fromisoformat(moment), usegmt=True)
