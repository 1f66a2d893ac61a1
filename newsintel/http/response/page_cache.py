"""The first cache level: finished answers of searches, in this process's memory.

Each is kept under one query string as it was typed, so that a repeat needs no reading of parameters, no Redis and no JSON. It answers by
itself while its harvest is fresh, and after that while the desk has it renewed. Past that it still spares the route from making the same
bytes again for the same answer.
"""

from newsintel.domain.bounds.sized_cache import SizedCache
from newsintel.http.response.rendered_search import RenderedSearch

MAX_BYTES = 64 * 1024 * 1024
"""A page of 20 stories has 10 to 20 KiB, one of 100 with every duplicate perhaps 200."""

PAGE_BYTES = 4096
"""What a page takes beside its body, its headers and its name: its query, and what is recorded for each person who gets it."""


class Pages:
    """Finished answers by query string, least recently used first out, bounded by bytes.

    Attributes:
        get: the answer kept for a query string, now the most recently used. Every hit comes here, so there is no call between.
    """

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._kept: SizedCache[bytes, RenderedSearch] = SizedCache(max_bytes)
        self.get = self._kept.get

    def put(self, query_string: bytes, page: RenderedSearch) -> None:
        """Keep an answer, in place of an older one; one larger than all may be together is not kept."""
        headers = len(page.timing) + sum(len(name) + len(value) for name, value in page.fixed_headers)
        self._kept.put(query_string, page, PAGE_BYTES + len(query_string) + headers + len(page.body))
