"""The cache of rendered pages: bounded by bytes, least recently used pages go first."""

from newsintel.domain.bounds.sized_cache import ENTRY_BYTES
from newsintel.domain.search.sizes import query_bytes
from newsintel.http.response import page_cache as finished
from newsintel.http.response.page_cache import PageCache
from newsintel.http.response.rendered_search import Privacy, RenderedSearch
from tests.make import NOON, query


def page(body=b"x"):
    """Return a page with this body."""
    return RenderedSearch(
        body, "tag", (), 0.0, 300.0, b"", b"", Privacy.EVERYBODY, query(), NOON, searched=None
    )


def size(body):
    """Return the size of such a page under a name of one letter."""
    return finished.PAGE_BYTES + query_bytes(query()) + ENTRY_BYTES + 1 + len(body)


def test_the_least_recently_used_page_goes_first():
    """A look-up is a use; a page that is put again replaces the old one."""
    pages = PageCache(max_bytes=2 * size(b"1"))
    pages.put(b"a", page(b"1"))
    pages.put(b"b", page(b"2"))
    assert pages.get(b"a").body == b"1"
    pages.put(b"c", page(b"3"))
    assert [pages.get(name) is not None for name in (b"a", b"b", b"c")] == [True, False, True]
    pages.put(b"a", page(b"4"))
    assert pages.get(b"a").body == b"4"
    assert pages.get(b"c") is not None


def test_the_bytes_of_all_pages_are_bounded():
    """Replaced and removed pages no longer count; a page over the whole limit is not kept."""
    pages = PageCache(max_bytes=2 * size(b"xxxx"))
    for name in (b"a", b"b", b"c", b"a"):
        pages.put(name, page(b"xxxx"))
    assert [pages.get(name) is not None for name in (b"a", b"b", b"c")] == [True, False, True]
    most = size(b"") + 8  # the largest body, with a name of one letter
    for name, body in (
        (b"d", b"x" * (most + 1)),
        (b"c", b"x" * (most + 1)),
        (b"e" * (most + 1), b"x"),
    ):
        pages.put(name, page(body))
        assert pages.get(name) is None
    assert pages.get(b"a") is not None
    pages.put(b"f", page(b"x" * most))
    assert [pages.get(name) is not None for name in (b"a", b"f")] == [False, True]
