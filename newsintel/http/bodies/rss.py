"""RSS 2.0 (rssboard.org/rss-specification), with elements of Atom and Dublin Core that readers use.

The RSS Board's best practices profile decides where the specification leaves a choice.
"""

import io
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from email.utils import format_datetime
from html import escape
from typing import Any
from xml.sax.saxutils import XMLGenerator
from xml.sax.xmlreader import AttributesImpl

from newsintel import __version__
from newsintel.domain.bounds.slices import Sliced
from newsintel.http.bodies.channel import Channel

NAMESPACES = {
    "xmlns:atom": "http://www.w3.org/2005/Atom",
    "xmlns:dc": "http://purl.org/dc/elements/1.1/",
}

NO_ATTRIBUTES: Mapping[str, str] = {}

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no XML 1.0 document may contain, not even escaped (XML 1.0, 2.2)."""


def build_rss(articles: Iterable[Mapping[str, Any]], channel: Channel) -> Sliced[bytes]:
    """Return a feed of articles, in slices.

    Args:
        articles: as in the JSON body.
        channel: describes the feed.
    """
    document = io.BytesIO()
    xml = XMLGenerator(document, "utf-8", short_empty_elements=True)
    xml.startDocument()
    _start(xml, "rss", {"version": "2.0"} | NAMESPACES)
    _start(xml, "channel")
    _write_channel(xml, channel)
    for article in articles:
        _write_item(xml, article)
        yield
    xml.endElement("channel")
    xml.endElement("rss")
    return document.getvalue()


def _write_channel(xml: XMLGenerator, channel: Channel) -> None:
    _write(xml, "title", channel.title)
    _write(xml, "link", channel.home_url)
    _write(xml, "description", f"{channel.title}, as found by newsintel")
    _write(xml, "generator", f"newsintel {__version__}")
    if channel.updated is not None:
        _write(xml, "lastBuildDate", _format_date(channel.updated))
    _write_link(xml, "self", channel.self_url)
    if channel.next_url is not None:
        _write_link(xml, "next", channel.next_url)  # RFC 5005, 3


def _write_item(xml: XMLGenerator, article: Mapping[str, Any]) -> None:
    _start(xml, "item")
    _write(xml, "title", article["title"])
    _write(xml, "link", article["url"])
    # Unlike the other texts, a description is HTML. Ours is plain text.
    _write(xml, "description", escape(article["description"] or "", quote=False))
    _write(xml, "dc:creator", article["author"])
    _write(xml, "dc:publisher", article["publisher"])
    _write(xml, "dc:language", article["language"])
    _write(xml, "category", article["section"])
    _write(xml, "comments", (article["discussion"] or {}).get("url"))
    _write(xml, "guid", article["id"], isPermaLink="false")
    _write(xml, "pubDate", _format_date(article["published_at"]))
    xml.endElement("item")


def _start(xml: XMLGenerator, name: str, attributes: Mapping[str, str] = NO_ATTRIBUTES) -> None:
    xml.startElement(name, AttributesImpl(attributes))


def _write(xml: XMLGenerator, name: str, text: str | None, **attributes: str) -> None:
    """Write an element with a text; nothing if there is no text."""
    if text:
        _start(xml, name, attributes)
        xml.characters(_NOT_XML.sub("", text))
        xml.endElement(name)


def _write_link(xml: XMLGenerator, rel: str, url: str) -> None:
    _start(xml, "atom:link", {"href": url, "rel": rel, "type": "application/rss+xml"})
    xml.endElement("atom:link")


def _format_date(moment: str) -> str:
    """Write an RFC 3339 time in UTC as RFC 822 wants it, with a year of four digits."""
    return format_datetime(datetime.fromisoformat(moment), usegmt=True)
