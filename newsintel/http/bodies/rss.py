"""RSS 2.0 (rssboard.org/rss-specification), with elements of Atom and Dublin Core that readers use.

The RSS Board's best practices profile decides where the specification leaves a choice.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from email.utils import format_datetime
from html import escape
from typing import Any
from xml.etree.ElementTree import Element, SubElement, register_namespace, tostring

from newsintel import __version__
from newsintel.domain.bounds.slices import Sliced
from newsintel.http.bodies.channel import Channel

ATOM, DUBLIN_CORE = "http://www.w3.org/2005/Atom", "http://purl.org/dc/elements/1.1/"
register_namespace("atom", ATOM)
register_namespace("dc", DUBLIN_CORE)

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no XML 1.0 document may contain, not even escaped (XML 1.0, 2.2)."""


def build_rss(articles: Iterable[Mapping[str, Any]], channel: Channel) -> Sliced[bytes]:
    """Return a feed of articles, in slices.

    Args:
        articles: as in the JSON body.
        channel: describes the feed.
    """
    rss = Element("rss", version="2.0")
    top = SubElement(rss, "channel")
    _add(top, "title", channel.title)
    _add(top, "link", channel.home_url)
    _add(top, "description", f"{channel.title}, as found by newsintel")
    _add(top, "generator", f"newsintel {__version__}")
    if channel.updated is not None:
        _add(top, "lastBuildDate", _format_date(channel.updated))
    _add_link(top, "self", channel.self_url)
    if channel.next_url is not None:
        _add_link(top, "next", channel.next_url)  # RFC 5005, 3
    for article in articles:
        _add_item(top, article)
        yield
    document: bytes = tostring(rss, encoding="utf-8", xml_declaration=True)
    return document


def _add_item(top: Element, article: Mapping[str, Any]) -> None:
    item = SubElement(top, "item")
    _add(item, "title", article["title"])
    _add(item, "link", article["url"])
    # Unlike the other texts, a description is HTML. Ours is plain text.
    _add(item, "description", escape(article["description"] or "", quote=False))
    _add(item, f"{{{DUBLIN_CORE}}}creator", article["author"])
    _add(item, f"{{{DUBLIN_CORE}}}publisher", article["publisher"])
    _add(item, f"{{{DUBLIN_CORE}}}language", article["language"])
    _add(item, "category", article["section"])
    _add(item, "comments", (article["discussion"] or {}).get("url"))
    _add(item, "guid", article["id"], isPermaLink="false")
    _add(item, "pubDate", _format_date(article["published_at"]))


def _add(parent: Element, name: str, text: str | None, **attributes: str) -> None:
    """Add an element with a text; none if there is no text."""
    if text:
        SubElement(parent, name, attributes).text = _NOT_XML.sub("", text)


def _add_link(parent: Element, rel: str, url: str) -> None:
    attributes = {"href": url, "rel": rel, "type": "application/rss+xml"}
    SubElement(parent, f"{{{ATOM}}}link", attributes)


def _format_date(moment: str) -> str:
    """Write an RFC 3339 time in UTC as RFC 822 wants it, with a year of four digits."""
    return format_datetime(datetime.fromisoformat(moment), usegmt=True)
