"""Finished pages in memory: bounded by bytes, least recently used first out."""

from newsintel.domain.bounds.sized_cache import ENTRY_BYTES
from newsintel.http.response import page_cache as finished
from newsintel.http.response.page_cache import Pages
from newsintel.http.response.rendered_search import Privacy, RenderedSearch
from tests.make import NOON, query


def page(body=b"x"):
    """A page of a body."""
    return RenderedSearch(body, "tag", (), 0.0, 300.0, b"", b"", Privacy.EVERYBODY, query(), NOON, searched=None)


def size(body):
    """What one takes under a name of one letter."""
    return finished.PAGE_BYTES + ENTRY_BYTES + 1 + len(body)


def test_what_was_used_longest_ago_goes_first():
    """Looking a page up is using it; putting it again replaces it."""
    pages = Pages(max_bytes=2 * size(b"1"))
    pages.put(b"a", page(b"1"))
    pages.put(b"b", page(b"2"))
    assert pages.get(b"a").body == b"1"
    pages.put(b"c", page(b"3"))
    assert [pages.get(name) is not None for name in (b"a", b"b", b"c")] == [True, False, True]
    pages.put(b"a", page(b"4"))
    assert pages.get(b"a").body == b"4"
    assert pages.get(b"c") is not None


def test_bytes_are_bounded_whatever_the_pages():
    """Replaced and dropped pages no longer count; one larger than everything allowed is not kept."""
    pages = Pages(max_bytes=2 * size(b"xxxx"))
    for name in (b"a", b"b", b"c", b"a"):
        pages.put(name, page(b"xxxx"))
    assert [pages.get(name) is not None for name in (b"a", b"b", b"c")] == [True, False, True]
    most = finished.PAGE_BYTES + ENTRY_BYTES + 9  # for a body, with a name of one letter
    for name, body in ((b"d", b"x" * (most + 1)), (b"c", b"x" * (most + 1)), (b"e" * (most + 1), b"x")):
        pages.put(name, page(body))
        assert pages.get(name) is None
    assert pages.get(b"a") is not None
    pages.put(b"f", page(b"x" * most))
    assert [pages.get(name) is not None for name in (b"a", b"f")] == [False, True]
