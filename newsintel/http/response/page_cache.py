"""The first cache level: finished answers of searches, in this process's memory.

The key is the query string as the caller typed it, so a repeat parses no parameters, makes no JSON
and does not use Redis. A page answers without the route while its harvest is fresh, and afterwards
while the desk renews it. Later, the route can still reuse the bytes for the same answer.
"""

from collections.abc import Awaitable, Callable

from newsintel.domain.bounds.sized_cache import SizedCache
from newsintel.domain.search.sizes import query_bytes
from newsintel.http.response.rendered_search import Privacy, RenderedSearch
from newsintel.runtime.make_once import MakeOnce

MAX_BYTES = 32 * 1024 * 1024
"""Size of the cache. There are two: for answers in JSON and for the page of results.

A page of 20 stories has 10 to 20 KiB, one of 100 with all duplicates perhaps 200 KiB.
"""

PAGE_BYTES = 4096
"""Size of a page without body, headers, query string and the texts of its query."""


class PageCache:
    """Finished answers by query string, limited by size; the least recently used are removed first.

    Attributes:
        get: returns the answer for a query string and marks it as most recently used. It is the
            cache's own method: every hit uses it, and a wrapper would cost one more call.
    """

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._pages: SizedCache[bytes, RenderedSearch] = SizedCache(max_bytes)
        self.get = self._pages.get
        self._making: MakeOnce[tuple[bytes, str], RenderedSearch] = MakeOnce()

    async def get_or_make(
        self,
        query_string: bytes,
        tag: str,
        make: Callable[[], Awaitable[RenderedSearch]],
        *,
        cacheable: bool,
    ) -> RenderedSearch:
        """Return the answer with this tag: from memory, else made once for all who wait for it.

        Args:
            query_string: as the caller typed it.
            tag: of the answer that is wanted; an older one in memory is not returned.
            make: makes it.
            cacheable: whether to keep it, if it is for everybody.
        """
        kept = self.get(query_string)
        if kept is not None and kept.tag == tag:
            return kept

        async def make_and_keep() -> RenderedSearch:
            made = await make()
            if cacheable and made.privacy is Privacy.EVERYBODY:
                self.put(query_string, made)
            return made

        return await self._making.make((query_string, tag), make_and_keep)

    def put(self, query_string: bytes, page: RenderedSearch) -> None:
        """Keep an answer; it replaces an older one. An answer larger than the cache is not kept."""
        headers = len(page.timing) + sum(
            len(name) + len(value) for name, value in page.fixed_headers
        )
        bodies = len(page.body) + (0 if page.packed is None else len(page.packed.body))
        size_bytes = PAGE_BYTES + query_bytes(page.query) + headers + bodies
        self._pages.put(query_string, page, size_bytes + len(query_string))
