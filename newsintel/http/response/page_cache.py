"""The first cache level: finished pages of searches, as bytes, in this process's memory.

A page is the answer to one query string as it was typed, so that a repeat needs no reading of parameters, no Redis and no JSON. It answers
by itself for as long as its harvest is fresh, and after that while the desk has it renewed; past that it saves whoever got the same answer
from the desk making the same bytes again.
"""

import math
from collections.abc import Mapping
from datetime import datetime

from attrs import frozen

from newsintel.domain.bounds.sized_cache import SizedCache
from newsintel.domain.intelligence.searched import searched
from newsintel.domain.search.freshness import Windows
from newsintel.domain.search.harvest import Answer
from newsintel.domain.search.history import Searched
from newsintel.domain.search.query_model import Query
from newsintel.http.bodies.search import View

MAX_BYTES = 64 * 1024 * 1024
"""A page of 20 stories has 10 to 20 KiB, one of 100 with every duplicate perhaps 200."""

PAGE_BYTES = 4096
"""What a page takes beside its body, its headers and its name: its query, and what is recorded of whoever gets it."""

_MOVING = ("Age", "X-Accel-Expires", "Cache-Status", "Server-Timing")
"""The headers that tell of a moment, and so are made anew for every hit."""

_OF_A_BODY = (b"content-type", b"content-length")
"""Those that a 304 must not have, for it describes no body (RFC 9110 15.4.5 lets it repeat the others)."""

Headers = list[tuple[bytes, bytes]]


@frozen
class Page:
    """A finished answer to one query string.

    Attributes:
        tag: its entity tag's opaque part.
        body: JSON in UTF-8.
        fixed: the headers that stay as they are.
        query: what was asked.
        fetched_at: when its harvest landed.
        since_s: the moment from which its age counts, Unix time.
        until_s: until when it is fresh, Unix time.
        link: the Link header of the page after it, None on the last.
        searched: what is recorded of whoever gets it; None on any but a first page.
    """

    tag: str
    body: bytes
    fixed: tuple[tuple[bytes, bytes], ...]
    query: Query
    fetched_at: datetime
    since_s: float
    until_s: float
    link: str | None
    searched: Searched | None

    def headers(self, now_s: float, *, with_body: bool = True) -> Headers:
        """The header lines of a hit at a moment; of its 304 without what describes a body."""
        left = math.floor(self.until_s - now_s)
        fixed = self.fixed if with_body else [pair for pair in self.fixed if pair[0] not in _OF_A_BODY]
        return [
            *fixed,
            (b"age", b"%d" % max(0.0, now_s - self.since_s)),
            (b"x-accel-expires", b"%d" % max(0, left)),
            (b"cache-status", b"newsintel; hit; ttl=%d" % left),
            (b"server-timing", b"cache"),
        ]


def page(
    tag: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    query: Query,
    view: View,
    answer: Answer,
    windows: Windows,
    link: str | None,
    total: int,
) -> Page:
    """A finished page of a harvest.

    Args:
        tag: the entity tag's opaque part.
        body: JSON in UTF-8.
        headers: those of the response that it was made for, without Link, type and length.
        query: what the query string asks, as it was typed.
        view: how it shows the answer.
        answer: what it shows.
        windows: tell for how long that is fresh.
        link: the Link header of the page after it.
        total: stories found.
    """
    fixed = [(name.lower().encode(), value.encode()) for name, value in headers.items() if name not in _MOVING]
    if link:
        fixed.append((b"link", link.encode()))
    typed = ((b"content-type", b"application/json"), (b"content-length", b"%d" % len(body)))
    return Page(
        tag,
        body,
        (*typed, *fixed),
        query=query,
        fetched_at=answer.harvest.fetched_at,
        since_s=answer.harvest.fresh_since.timestamp(),
        until_s=windows.fresh_until(answer.harvest).timestamp(),
        link=link,
        searched=searched(query, answer, total) if view.page == 1 else None,
    )


class Pages:
    """Pages by query string, least recently used first out, bounded by bytes.

    Attributes:
        get: the page kept for a query string, now the most recently used. Every hit comes here, so there is no call between.
    """

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._kept: SizedCache[bytes, Page] = SizedCache(max_bytes)
        self.get = self._kept.get

    def put(self, query_string: bytes, page: Page) -> None:
        """Keep a page, in place of an older one; one larger than all may be together is not kept."""
        headers = sum(len(name) + len(value) for name, value in page.fixed)
        self._kept.put(query_string, page, PAGE_BYTES + len(query_string) + headers + len(page.body))
