"""Writes elements of XML, without the characters that no document may have."""

import re
from collections.abc import Mapping
from xml.sax.saxutils import XMLGenerator
from xml.sax.xmlreader import AttributesImpl

NO_ATTRIBUTES: Mapping[str, str] = {}

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no XML 1.0 document may contain, not even escaped (XML 1.0, 2.2)."""


def start_element(
    xml: XMLGenerator, name: str, attributes: Mapping[str, str] = NO_ATTRIBUTES
) -> None:
    """Begin an element."""
    xml.startElement(name, AttributesImpl(attributes))


def write_element(xml: XMLGenerator, name: str, text: str | None, **attributes: str) -> None:
    """Write an element with a text; nothing if there is no text."""
    if text:
        start_element(xml, name, attributes)
        xml.characters(_NOT_XML.sub("", text))
        xml.endElement(name)
