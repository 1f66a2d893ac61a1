"""Reads any feed from its bytes, or says in one line what it is instead."""

from attrs import evolve, frozen

from newsintel.domain.bounds.slices import Sliced
from newsintel.outbound.sources.feeds.decoding import decode_document
from newsintel.outbound.sources.feeds.json_feeds import read_json_feed
from newsintel.outbound.sources.feeds.rows import FeedRows
from newsintel.outbound.sources.feeds.tree import UnsafeXmlError, read_xml
from newsintel.outbound.sources.feeds.xml_feeds import is_feed, read_xml_feed
from newsintel.outbound.sources.source import Response


@frozen
class NoFeed:
    """A body that is not used.

    Attributes:
        reason: what it is instead, in one line that quotes nothing of it.
        unsafe: it exceeds a limit.
    """

    reason: str
    unsafe: bool = False


def read_feed(response: Response, address: str) -> Sliced[FeedRows | NoFeed]:
    """Return the rows of a feed.

    Args:
        response: a reply with status 200.
        address: where it was; relative addresses in it are resolved against it.
    """
    if response.body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{":
        found = yield from read_json_feed(response, address)
        return NoFeed(found) if isinstance(found, str) else found
    text = yield from decode_document(response.body, response.headers.get("content-type", ""))
    start = text.lstrip()[:200].lower()
    if not start or start.startswith(("<!doctype html", "<html")):
        return NoFeed("an HTML page instead of a feed" if start else "an empty body")
    try:
        document = yield from read_xml(text, address)
    except UnsafeXmlError as error:
        return NoFeed(str(error), unsafe=True)
    root, fault = document.root, document.fault
    if root is None or not is_feed(root):
        return NoFeed("neither RSS, Atom, RDF nor JSON Feed" + (f" ({fault})" if fault else ""))
    feed = yield from read_xml_feed(root)
    if fault and not feed.rows:
        return NoFeed(f"XML that breaks off before its first item: {fault}")
    return evolve(feed, fault=fault)
