"""Streams of Google Reader's API as Atom (RFC 4287), which older clients read.

An item's states are categories of the scheme SCHEME, as in Google Reader.
"""

import io
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from xml.sax.saxutils import XMLGenerator

from newsintel.domain.bounds.slices import Sliced
from newsintel.http.bodies.greader import STATE_PREFIX
from newsintel.http.bodies.xml_elements import start_element, write_element

ATOM_TYPE = "application/atom+xml; charset=utf-8"
NAMESPACES = {
    "xmlns": "http://www.w3.org/2005/Atom",
    "xmlns:gr": "http://www.google.com/schemas/reader/atom/",
}
SCHEME = "http://www.google.com/reader/"


def build_atom(body: dict[str, Any], title: str, self_url: str) -> Sliced[bytes]:
    """Return a stream as Atom, in slices.

    Args:
        body: as from `greader.build_contents`.
        title: of the stream.
        self_url: the address of the feed.
    """
    document = io.BytesIO()
    xml = XMLGenerator(document, "utf-8", short_empty_elements=True)
    xml.startDocument()
    start_element(xml, "feed", NAMESPACES)
    write_element(xml, "id", f"tag:google.com,2005:reader/{body['id']}")
    write_element(xml, "title", title)
    write_element(xml, "updated", _format_time(body["updated"]))
    write_element(xml, "gr:continuation", body.get("continuation"))
    _write_empty(xml, "link", {"rel": "self", "href": self_url})
    for item in body["items"]:
        _write_entry(xml, item)
        yield
    xml.endElement("feed")
    return document.getvalue()


def _write_entry(xml: XMLGenerator, item: dict[str, Any]) -> None:
    start_element(xml, "entry")
    write_element(xml, "id", item["id"])
    write_element(xml, "title", item["title"] or "-", type="text")
    write_element(xml, "published", _format_time(item["published"]))
    write_element(xml, "updated", _format_time(item["updated"]))
    _write_empty(xml, "link", {"rel": "alternate", "href": item["canonical"][0]["href"]})
    write_element(xml, "summary", item["summary"]["content"], type="html")
    start_element(xml, "author")
    write_element(xml, "name", item["author"])
    xml.endElement("author")
    _write_states(xml, item["categories"])
    xml.endElement("entry")


def _write_states(xml: XMLGenerator, states: Sequence[str]) -> None:
    for state in states:
        label = state.removeprefix(STATE_PREFIX)
        _write_empty(xml, "category", {"term": state, "scheme": SCHEME, "label": label})


def _write_empty(xml: XMLGenerator, name: str, attributes: dict[str, str]) -> None:
    start_element(xml, name, attributes)
    xml.endElement(name)


def _format_time(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
