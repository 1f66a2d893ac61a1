"""Reads XML as a small tree, within limits that hold against any input.

It uses Expat, which reads no file and no address. Entities that a document declares are refused,
except short plain texts; so nothing grows. Expat cannot be paused, so it gets the text in pieces.
"""

import re
from html.entities import html5
from xml.parsers import expat

from attrs import define

from newsintel.domain.bounds.slices import Sliced
from newsintel.outbound.sources.feeds.bases import Base
from newsintel.outbound.sources.feeds.nodes import Node
from newsintel.outbound.sources.feeds.repairing import repair_xml

_PIECE_CHARS = 4 * 1024
"""Of one slice: about 1 ms if it is full of empty elements."""

MOST_LEVELS = 100
"""The deepest recorded feed, with XHTML in it, has 14."""
MOST_ELEMENTS = 60_000
"""A hundred items with a hundred elements each are 10,000."""
MOST_ATTRIBUTES = 100
"""Of one element. Expat and Python take linear time for them; the largest recorded has 12."""
MOST_NAMESPACES = 100
"""That an element may use. The recorded feed with the most declares 16."""
MOST_NAME_CHARS = 1_000
"""Of an element or an attribute."""
MOST_ENTITY_CHARS = 16
"""Of an entity that a document declares. Real ones stand for a character."""

_BEFORE_ROOT = re.compile(r"\s{1,10000}|<!--.{0,10000}?-->|<\?xml\s[^<>]{0,10000}\?>", re.DOTALL)
"""What may be before the root. Its encoding does not count, and comments before it are a fault that
some feeds have.
"""

_FAMILIES = {
    "http://www.w3.org/2005/atom": "",
    "http://purl.org/atom/ns": "",
    "http://purl.org/rss/1.0": "",
    "http://my.netscape.com/rdf/simple/0.9": "",
    "http://channel.netscape.com/rdf/simple/0.9": "",
    "http://backend.userland.com/rss2": "",
    "http://blogs.law.harvard.edu/tech/rss": "",
    "http://www.w3.org/1999/02/22-rdf-syntax-ns": "rdf",
    "http://purl.org/dc/elements/1.1": "dc",
    "http://purl.org/dc/elements/1.0": "dc",
    "http://purl.org/dc/terms": "dcterms",
    "http://purl.org/rss/1.0/modules/content": "content",
    "http://www.w3.org/1999/xhtml": "xhtml",
    "http://search.yahoo.com/mrss": "media",
    "http://rssnamespace.org/feedburner/ext/1.0": "feedburner",
    "http://www.itunes.com/dtds/podcast-1.0.dtd": "itunes",
    "http://www.w3.org/xml/1998/namespace": "xml",
}
"""The namespaces that matter, in lower case and without `/` or `#` at the end.

All core vocabularies of feeds are one, because feeds mix them.
"""


MOST_ENTITIES = 3_000
"""That a document declares. HTML has 2,231 names, and Expat keeps a table of all."""
_MOST_NAMESPACE_CHARS = 100
"""That are compared. The longest that matters has 43."""


class UnsafeXmlError(Exception):
    """A document exceeds a limit. The message is one line and quotes nothing of the document."""


@define
class XmlDocument:
    """A document: its root, and the fault at which reading stopped, or None."""

    root: Node | None
    fault: str | None


def read_xml(text: str, address: str) -> Sliced[XmlDocument]:
    """Read a document; if it has a fault, repair it and read it again.

    What comes after a fault that stays is left out.

    Args:
        text: the document; its own encoding declaration does not count.
        address: where it was; relative addresses in it are resolved against it.

    Raises:
        UnsafeXmlError: it exceeds a limit.
    """
    document = yield from _Reader(address).read(text)
    if document.fault is None:
        return document
    repaired = yield from repair_xml(text)
    return (yield from _Reader(address).read(repaired))


class _Reader:
    """Reads one document."""

    def __init__(self, address: str) -> None:
        self._path = [Node("", {}, Base(address), "")]
        self._prefixes: list[dict[str, str]] = [{}]
        self._elements = self._entities = 0
        self._parser = expat.ParserCreate("utf-8")
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._add_text
        self._parser.EntityDeclHandler = self._check_entity
        self._parser.SkippedEntityHandler = self._skip_entity

    def read(self, text: str) -> Sliced[XmlDocument]:
        fault = None
        begin = yield from _find_root(text)
        try:
            for start in range(begin, len(text), _PIECE_CHARS):
                piece = text[start : start + _PIECE_CHARS]
                self._parser.Parse(piece.encode("utf-8", "replace"), False)
                yield
            self._parser.Parse(b"", True)
        except expat.ExpatError as error:
            fault = f"{expat.ErrorString(error.code)} in line {error.lineno}"
        roots = (one for one in self._path[0].content if isinstance(one, Node))
        return XmlDocument(next(roots, None), fault)

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        if self._elements > MOST_ELEMENTS:
            raise UnsafeXmlError(f"XML of more than {MOST_ELEMENTS:,} elements")
        if len(self._path) > MOST_LEVELS:
            raise UnsafeXmlError(f"XML nested more than {MOST_LEVELS} levels deep")
        if len(attributes) > MOST_ATTRIBUTES:
            raise UnsafeXmlError(f"an element of more than {MOST_ATTRIBUTES} attributes")
        if max(map(len, [tag, *attributes])) > MOST_NAME_CHARS:
            raise UnsafeXmlError(f"a name of more than {MOST_NAME_CHARS:,} characters")
        parent = self._path[-1]
        prefixes = self._prefixes[-1] | _read_namespaces(attributes)
        if len(prefixes) > MOST_NAMESPACES:
            raise UnsafeXmlError(f"an element within more than {MOST_NAMESPACES} namespaces")
        self._prefixes.append(prefixes)
        lower = {name.lower(): value for name, value in attributes.items()}
        node = Node(
            _name(tag, prefixes),
            lower,
            parent.base.enter(lower.get("xml:base") or lower.get("base", "")),
            lower.get("xml:lang", parent.language),
        )
        parent.content.append(node)
        self._path.append(node)

    def _end(self, _tag: str) -> None:
        self._path.pop()
        self._prefixes.pop()

    def _add_text(self, text: str) -> None:
        self._path[-1].content.append(text)

    def _check_entity(
        self, _name: str, is_parameter: int, value: str | None, *_where: str | None
    ) -> None:
        self._entities += 1
        if self._entities > MOST_ENTITIES:
            raise UnsafeXmlError(f"XML that declares more than {MOST_ENTITIES:,} entities")
        if value is None and is_parameter:
            return  # HTML's lists of entities, in old feeds; Expat does not read them
        if value is None:
            raise UnsafeXmlError("XML that declares an external entity")
        if len(value) > MOST_ENTITY_CHARS or "&" in value or "%" in value or "<" in value:
            raise UnsafeXmlError("XML that declares an entity of more than a few characters")

    def _skip_entity(self, name: str, _is_parameter: int) -> None:
        """Use HTML's meaning of an entity that an external DTD may declare; we read no DTD."""
        self._add_text(html5.get(name + ";", ""))


def _find_root(text: str) -> Sliced[int]:
    """Return where the root begins, or what else Expat has to read."""
    place = 0
    while found := _BEFORE_ROOT.match(text, place):
        place = found.end()
        yield
    return place


def _read_namespaces(attributes: dict[str, str]) -> dict[str, str]:
    """Return the namespaces that an element declares, by prefix."""
    return {
        name[6:]: value[:_MOST_NAMESPACE_CHARS].lower().rstrip("/#")
        for name, value in attributes.items()
        if name == "xmlns" or name.startswith("xmlns:")
    }


def _name(tag: str, prefixes: dict[str, str]) -> str:
    """Return an element's name. An unknown namespace keeps its prefix, a default one has none."""
    prefix, colon, local = tag.rpartition(":")
    address = prefixes.get(prefix)
    family = prefix if address is None else _FAMILIES.get(address, prefix)
    if not colon and address is not None and _FAMILIES.get(address) == "xhtml":
        family = "xhtml"
    name = local.lower()
    return f"{family.lower()}:{name}" if family else name
