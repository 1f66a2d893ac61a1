"""Reads RSS 0.9x to 2.0, RDF Site Summary, Atom 0.3 and 1.0, and CDF as rows."""

import base64
import binascii
import codecs
import html

from newsintel.domain.bounds.slices import Sliced
from newsintel.outbound.sources.feeds.nodes import (
    MOST_CHARS,
    Children,
    Node,
    index_children,
    list_nodes,
)
from newsintel.outbound.sources.feeds.rows import FeedRows, Row

_ROOTS = frozenset({"feed", "rss", "rdf:rdf", "channel", "rdf"})
_ITEMS = frozenset({"item", "entry"})

# The first that has a date counts. The moment of publication comes before that of a change.
_DATES: tuple[str, ...] = ("pubdate", "published", "issued", "dcterms:issued", "dc:date", "created")
_DATES += ("dcterms:created", "dcterms:modified", "updated", "modified")

_SUMMARIES = ("summary", "description", "abstract", "dc:description")

_PERIODS_S = {"hourly": 3600, "daily": 86400, "weekly": 604_800}
_PERIODS_S |= {"monthly": 2_592_000, "yearly": 31_536_000}

_UTF_8 = codecs.getincrementaldecoder("utf-8")

MOST_ITEMS = 2_000
"""Items of a feed that are read. Of a feed 100 articles are taken."""


def is_feed(root: Node | None) -> bool:
    """Return whether a document's root is that of a feed."""
    return root is not None and root.name in _ROOTS


def read_xml_feed(root: Node) -> Sliced[FeedRows]:
    """Return the rows of a feed with this root.

    Items are in the root (Atom, RDF), in the channel, or elsewhere: an element of the channel that
    is not closed has all items in it.
    """
    items = yield from list_nodes(root, _ITEMS, nested=False)
    rows = []
    for item in items[:MOST_ITEMS]:
        rows.append((yield from _read_item(item)))
        yield
    found = yield from index_children(root)
    channel = found.get("channel", [root])[0]
    found = yield from index_children(channel)
    return FeedRows(
        tuple(rows),
        (yield from _read_field(found, "title", "dc:title")),
        (yield from _find_link(channel, found)),
        (yield from _find_text(found, "language", "dc:language")) or channel.language,
        (yield from _read_ttl_s(found)),
    )


def _read_item(item: Node) -> Sliced[Row]:
    found = yield from index_children(item)
    row: Row = {"title": (yield from _read_field(found, "title", "dc:title", "media:title"))}
    origin = yield from _find_text(found, "feedburner:origlink")
    row["link"] = origin or (yield from _find_link(item, found))
    identity = yield from _find_text(found, "guid", "id")
    row["id"] = identity or item.attributes.get("rdf:about", "")
    published = yield from _find_text(found, *_DATES)
    row["published"] = published or item.attributes.get("lastmod", "")
    row["summary"] = yield from _read_field(found, *_SUMMARIES)
    row["full_text"] = yield from _read_field(found, "content:encoded", "content", "fullitem")
    row["author"] = yield from _find_author(found)
    row["language"] = yield from _find_text(found, "dc:language")
    return row


def _find_text(found: Children, *names: str) -> Sliced[str]:
    """Return the text of the first element with one of these names that has any."""
    for name in names:
        for one in found.get(name, ()):
            text = one.read_text()
            yield
            if text:
                return text
    return ""


def _read_field(found: Children, *names: str) -> Sliced[tuple[str, str]]:
    """Return form and text of the first of these elements that has a text.

    A title may stand twice, such as in an RSS feed with Atom's elements.
    """
    for name in names:
        for one in found.get(name, ()):
            pair = _read_construct(one)
            yield
            if pair[1]:
                return pair
    return "text", ""


def _read_construct(node: Node) -> tuple[str, str]:
    """Return form and text of a text construct (RFC 4287, 3.1), or of RSS's element."""
    form, mode = node.read_word("type"), node.read_word("mode")
    if mode == "base64":
        return ("html" if "html" in form else "text"), _decode_base64(node.read_text())
    if node.has_elements():
        return "html", _write_html(node)
    if form in ("text", "text/plain"):
        return "text", node.read_text()
    if form in ("html", "text/html", "xhtml", "application/xhtml+xml") or mode == "escaped":
        return "html", node.read_text()
    return "snippet", node.read_text()


def _decode_base64(text: str) -> str:
    """Return what a text in base64 holds; the text itself if it is not in base64.

    Of a long one only the beginning is there, so the last character may be cut.
    """
    written = "".join(text.split())[:MOST_CHARS]
    try:
        return _UTF_8().decode(base64.b64decode(written, validate=True))
    except (binascii.Error, ValueError):
        return text


def _write_html(node: Node) -> str:
    """Return an element's content as HTML without attributes: XHTML, or markup left unescaped."""
    pieces: list[str] = []
    names: list[str] = []
    for one in node.iterate_content():
        if one is None:
            pieces.append(f"</{names.pop()}>")
        elif isinstance(one, str):
            pieces.append(html.escape(one, quote=False))
        else:
            names.append(one.name.rpartition(":")[2])
            pieces.append(f"<{names[-1]}>")
    return "".join(pieces).strip()


def _find_link(node: Node, found: Children) -> Sliced[str]:
    """Return an item's address: its alternate link, else its id if that is a permanent link."""
    for link in found.get("link", ()):
        address = link.attributes.get("href", "").strip()
        if address and link.read_word("rel", "alternate") in ("alternate", ""):
            return link.base.resolve(address)
        if not address and (text := link.read_text()):
            return link.base.resolve(text)
        yield
    if address := node.attributes.get("href", "").strip():  # CDF
        return node.base.resolve(address)
    for guid in [*found.get("guid", []), *found.get("id", [])]:
        text = guid.read_text()
        yield
        permanent = guid.read_word("ispermalink", "true") != "false"
        if permanent and text[:8].lower().startswith(("http://", "https://")):
            return text
    return ""


def _find_author(found: Children) -> Sliced[str]:
    """Return an author's name: RSS has `address (Name)`, Atom a name in an element of its own."""
    for author in found.get("author", ()):
        text = (author.find_child("name") or author).read_text()
        yield
        address, bracket, rest = text.partition(" (")
        if bracket and "@" in address:
            text = rest.removesuffix(")")
        if text and "@" not in text:
            return text
    return (yield from _find_text(found, "dc:creator", "dc:author", "itunes:author"))


def _read_ttl_s(found: Children) -> Sliced[float]:
    """Return how long a feed asks to be kept: RSS's `ttl` in minutes, or RSS 1.0's syndication."""
    minutes = yield from _find_text(found, "ttl")
    if minutes.isascii() and minutes.isdigit():
        return 60.0 * int(minutes[:6])
    period = yield from _find_text(found, "sy:updateperiod")
    often = yield from _find_text(found, "sy:updatefrequency")
    times = int(often[:6]) if often.isascii() and often.isdigit() else 1
    return _PERIODS_S.get(period.lower(), 0) / max(1, times)
