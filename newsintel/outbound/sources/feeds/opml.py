"""Reads lists of feeds in OPML 1.0 and 2.0."""

from newsintel.domain.bounds.slices import Sliced
from newsintel.domain.feeds.model import MAX_FEEDS, Subscription
from newsintel.domain.search.article import MAX_NAME
from newsintel.domain.text.clean import to_plain_text
from newsintel.domain.text.request_urls import to_ascii_url
from newsintel.outbound.sources.feeds.decoding import decode_document
from newsintel.outbound.sources.feeds.nodes import Node, list_nodes
from newsintel.outbound.sources.feeds.tree import UnsafeXmlError, read_xml

_OUTLINES = frozenset({"outline"})


def read_opml(body: bytes, content_type: str = "") -> Sliced[tuple[Subscription, ...] | str]:
    """Return the feeds of a list, each address once; or what the body is instead, in one line.

    Our own lists also name the publisher, the country, the licence and state media
    (`bodies.opml`).
    """
    text = yield from decode_document(body, content_type)
    try:
        document = yield from read_xml(text, "")
    except UnsafeXmlError as error:
        return str(error)
    root = document.root
    if root is None or root.name != "opml":
        return "not OPML"
    found: dict[str, Subscription] = {}
    outlines = yield from list_nodes(root, _OUTLINES, nested=True)
    for node in outlines:
        if (feed := _read_outline(node)) is not None:
            found.setdefault(feed.address, feed)
        yield
    if not found:
        return "OPML without a feed"
    return tuple(found.values())[:MAX_FEEDS]


def _read_outline(node: Node) -> Subscription | None:
    """Return the feed of an outline; None if it is a folder or has an unusable address."""
    attributes = node.attributes
    address = to_ascii_url(attributes.get("xmlurl", ""))
    if address is None or not address.startswith(("http://", "https://")):
        return None
    language = node.read_word("language").partition("-")[0]
    country = node.read_word("newsintel:country").upper()
    return Subscription(
        address,
        publisher=_read(attributes, "newsintel:publisher"),
        language=language if _is_code(language) else None,
        country=country if _is_code(country) else None,
        licence=_read(attributes, "newsintel:licence"),
        state_media=attributes.get("newsintel:statemedia") == "true",
        title=_read(attributes, "text") or _read(attributes, "title"),
    )


def _read(attributes: dict[str, str], name: str) -> str | None:
    return to_plain_text(attributes.get(name, ""), MAX_NAME)


def _is_code(text: str) -> bool:
    return len(text) == 2 and text.isascii() and text.isalpha()
