"""Reads RSS 0.9x to 2.0, RDF Site Summary, Atom 0.3 and 1.0, and CDF as rows."""

import base64
import binascii
import html
from collections.abc import Iterator

from newsintel.domain.bounds.slices import Sliced
from newsintel.outbound.sources.feeds.rows import FeedRows, Row
from newsintel.outbound.sources.feeds.tree import Node

_ROOTS = frozenset({"feed", "rss", "rdf:rdf", "channel", "rdf"})
_ITEMS = frozenset({"item", "entry"})

# The first that has a date counts. The moment of publication comes before that of a change.
_DATES: tuple[str, ...] = ("pubdate", "published", "issued", "dcterms:issued", "dc:date", "created")
_DATES += ("dcterms:created", "dcterms:modified", "updated", "modified")

_PERIODS_S = {"hourly": 3600, "daily": 86400, "weekly": 604_800}
_PERIODS_S |= {"monthly": 2_592_000, "yearly": 31_536_000}

_ITEMS_A_SLICE = 20


def is_feed(root: Node | None) -> bool:
    """Return whether a document's root is that of a feed."""
    return root is not None and root.name in _ROOTS


def read_xml_feed(root: Node) -> Sliced[FeedRows]:
    """Return the rows of a feed with this root."""
    channel = root.find_child("channel") or root
    rows = []
    for number, item in enumerate(_list_items(root)):
        rows.append(_read_item(item))
        if not number % _ITEMS_A_SLICE:
            yield
    return FeedRows(
        tuple(rows),
        _read_field(channel, "title", "dc:title"),
        _find_link(channel),
        _find_text(channel, "language", "dc:language") or channel.language,
        _read_ttl_s(channel),
    )


def _list_items(root: Node) -> list[Node]:
    """Return the items, in order: in the root (Atom, RDF), in the channel, or elsewhere.

    An element of the channel that is not closed has all items in it.
    """
    found = []
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if node.name in _ITEMS:
            found.append(node)
        else:
            waiting += reversed([one for one in node.content if isinstance(one, Node)])
    return found


def _read_item(item: Node) -> Row:
    return {
        "title": _read_field(item, "title", "dc:title", "media:title"),
        "link": _find_text(item, "feedburner:origlink") or _find_link(item),
        "id": _find_text(item, "guid", "id") or item.attributes.get("rdf:about", ""),
        "published": _find_text(item, *_DATES) or item.attributes.get("lastmod", ""),
        "summary": _read_field(item, "summary", "description", "abstract", "dc:description"),
        "full_text": _read_field(item, "content:encoded", "content", "fullitem"),
        "author": _find_author(item),
        "language": _find_text(item, "dc:language"),
    }


def _find_text(node: Node, *names: str) -> str:
    """Return the text of the first element with one of these names that has any."""
    return next(filter(None, (one.read_text() for one in _iterate_children(node, *names))), "")


def _iterate_children(node: Node, *names: str) -> Iterator[Node]:
    for name in names:
        yield from node.list_children(name)


def _read_field(node: Node, *names: str) -> tuple[str, str]:
    """Return form and text of the first of these elements that has a text.

    A title may stand twice, such as in an RSS feed with Atom's elements.
    """
    pairs = map(_read_construct, _iterate_children(node, *names))
    return next((pair for pair in pairs if pair[1]), ("text", ""))


def _read_construct(node: Node) -> tuple[str, str]:
    """Return form and text of a text construct (RFC 4287, 3.1), or of RSS's element."""
    form = node.attributes.get("type", "").lower()
    mode = node.attributes.get("mode", "").lower()
    text = node.read_text()
    if mode == "base64":
        return ("html" if "html" in form else "text"), _decode_base64(text)
    if any(isinstance(one, Node) for one in node.content):
        return "html", _write_html(node)
    if form in ("text", "text/plain"):
        return "text", text
    if form in ("html", "text/html", "xhtml", "application/xhtml+xml") or mode == "escaped":
        return "html", text
    return "snippet", text


def _decode_base64(text: str) -> str:
    """Return what a text in base64 holds; the text itself if it is not in base64."""
    try:
        return base64.b64decode("".join(text.split()), validate=True).decode()
    except (binascii.Error, ValueError):
        return text


def _write_html(node: Node) -> str:
    """Return an element's content as HTML without attributes: XHTML, or markup left unescaped."""
    pieces: list[str] = []
    waiting: list[str | Node | None] = list(reversed(node.content))
    names: list[str] = []
    while waiting:
        one = waiting.pop()
        if one is None:
            pieces.append(f"</{names.pop()}>")
        elif isinstance(one, str):
            pieces.append(html.escape(one, quote=False))
        else:
            names.append(one.name.rpartition(":")[2])
            pieces.append(f"<{names[-1]}>")
            waiting.append(None)
            waiting += reversed(one.content)
    return "".join(pieces).strip()


def _find_link(node: Node) -> str:
    """Return an item's address: its alternate link, else its id if that is a permanent link."""
    for link in node.list_children("link"):
        address = link.attributes.get("href", "").strip()
        relation = link.attributes.get("rel", "alternate").strip().lower()
        if address and relation in ("alternate", ""):
            return link.base.resolve(address)
        if not address and (text := link.read_text()):
            return link.base.resolve(text)
    if address := node.attributes.get("href", "").strip():  # CDF
        return node.base.resolve(address)
    for guid in node.list_children("guid", "id"):
        text = guid.read_text()
        permanent = guid.attributes.get("ispermalink", "true").strip().lower() != "false"
        if permanent and text.lower().startswith(("http://", "https://")):
            return text
    return ""


def _find_author(item: Node) -> str:
    """Return an author's name: RSS has `address (Name)`, Atom a name in an element of its own."""
    for author in _iterate_children(item, "author"):
        name = author.find_child("name")
        text = name.read_text() if name is not None else author.read_text()
        address, bracket, rest = text.partition(" (")
        if bracket and "@" in address:
            text = rest.removesuffix(")")
        if text and "@" not in text:
            return text
    return _find_text(item, "dc:creator", "dc:author", "itunes:author")


def _read_ttl_s(channel: Node) -> float:
    """Return how long a feed asks to be kept: RSS's `ttl` in minutes, or RSS 1.0's syndication."""
    minutes = _find_text(channel, "ttl")
    if minutes.isascii() and minutes.isdigit():
        return 60.0 * int(minutes[:6])
    period_s = _PERIODS_S.get(_find_text(channel, "sy:updateperiod").lower(), 0)
    often = _find_text(channel, "sy:updatefrequency")
    times = int(often[:6]) if often.isascii() and often.isdigit() else 1
    return period_s / max(1, times)
