"""Lists of feeds in OPML 2.0 (opml.org/spec2.opml).

Facts for which OPML has no attribute are in a namespace, as section "Extending OPML" allows.
"""

import re
from collections.abc import Iterable
from xml.etree.ElementTree import Element, SubElement, tostring

from newsintel.domain.bounds.slices import Sliced
from newsintel.domain.feeds.model import Subscription

OPML_TYPE = "text/x-opml; charset=utf-8"
NAMESPACE = "urn:x-newsintel:feeds"

_DECLARATION = "<?xml version='1.0' encoding='utf-8'?>\n"
_PLACE = "outlines"
"""Stands for the outlines while the document is written: ten thousand take too long at once."""

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def build_opml(feeds: Iterable[Subscription]) -> Sliced[bytes]:
    """Return a list of feeds. Equal lists give equal bytes."""
    root = Element("opml", {"version": "2.0", "xmlns:newsintel": NAMESPACE})
    head = SubElement(root, "head")
    SubElement(head, "title").text = "Feeds of newsintel"
    SubElement(root, "body").text = _PLACE
    outlines = []
    for feed in feeds:
        outlines.append(tostring(Element("outline", _list_attributes(feed)), encoding="unicode"))
        yield
    document: str = tostring(root, encoding="unicode")
    return f"{_DECLARATION}{document.replace(_PLACE, ''.join(outlines))}".encode()


def _list_attributes(feed: Subscription) -> dict[str, str]:
    values = {
        "type": "rss",  # of every feed, also of Atom ("Subscription lists")
        "text": feed.title or feed.publisher or feed.address,
        "xmlUrl": feed.address,
        "language": feed.language,
        "newsintel:publisher": feed.publisher,
        "newsintel:country": feed.country,
        "newsintel:licence": feed.licence,
        "newsintel:stateMedia": "true" if feed.state_media else None,
    }
    return {name: _NOT_XML.sub("", value) for name, value in values.items() if value}
