"""Answers of the last seconds, kept in this process's memory for others who ask the same.

Such an answer is the same for everybody. Redis, or the store behind it, is asked again after a few
seconds, so what another process changes shows soon.
"""

from math import floor

from attrs import evolve, frozen

from newsintel.domain.bounds.sized_cache import SizedCache
from newsintel.http.asgi import HeaderLines
from newsintel.http.bodies.formats import MEDIA_TYPES, Format
from newsintel.http.response.cache_headers import (
    HIT_STATUS,
    MISS_STATUS,
    VARY,
    format_etag,
    hash_body,
)
from newsintel.http.response.packing import describe_packed, vary_by_encoding

MEMORY_S = 5
"""How long an answer is sent from memory, at most."""
KEPT_BYTES = 16 * 1024 * 1024
"""Size of the cache of one process. A page of the archive has 10 to 100 KiB."""
ANSWER_BYTES = 1500
"""Size of an answer without its body and query string: its header lines."""


@frozen
class KeptAnswer:
    """A finished answer with the status 200, and until when it is sent from memory.

    Attributes:
        body: in UTF-8.
        tag: its entity tag's opaque part; None = it has none.
        lines: the header lines that never change.
        made_s: the time from which its age counts, Unix time.
        until_s: until when it is sent from memory, Unix time.
        keep_s: for how long caches may keep it; None = they may not.
        route: the route that answered, for log and metrics.
        policy: the content security policy of a page; None = that of all other answers.
        packed: the same answer compressed by gzip; None = there is none.
    """

    body: bytes
    tag: str | None
    lines: tuple[tuple[bytes, bytes], ...]
    made_s: float
    until_s: float
    keep_s: int | None
    route: str
    policy: bytes | None = None
    packed: "KeptAnswer | None" = None

    @classmethod
    def of_body(
        cls,
        body: bytes,
        route: str,
        now_s: float,
        *,
        keep_s: int,
        age_s: float,
        media_type: str = MEDIA_TYPES[Format.JSON],
        policy: bytes | None = None,
    ) -> "KeptAnswer":
        """Return an answer that caches may keep.

        Args:
            body: the finished body.
            route: the route that answered.
            now_s: Unix time.
            keep_s: for how long it is cached in all.
            age_s: for how long it has been cached.
            media_type: its Content-Type.
            policy: the content security policy of a page.
        """
        tag = hash_body(body)
        lines = (
            *_describe(body, media_type),
            (b"etag", format_etag(tag)),
            (b"cache-control", b"public, max-age=%d" % keep_s),
            (b"vary", VARY.encode()),
        )
        made_s = now_s - age_s
        until_s = min(now_s + MEMORY_S, made_s + keep_s)
        return cls(body, tag, lines, made_s, until_s, keep_s, route, policy)

    def add_packed(self, packed: bytes) -> "KeptAnswer":
        """Return the same answer with its body's compressed form."""
        lines = vary_by_encoding(self.lines)
        smaller = evolve(self, body=packed, lines=tuple(describe_packed(lines, packed)))
        return evolve(self, lines=tuple(lines), packed=smaller)

    @classmethod
    def of_moment(cls, body: bytes, route: str, now_s: float, memory_s: float) -> "KeptAnswer":
        """Return an answer that no cache may keep and that memory keeps for `memory_s`."""
        lines = (
            *_describe(body, MEDIA_TYPES[Format.JSON]),
            (b"cache-control", b"no-store"),
        )
        return cls(body, None, lines, now_s, now_s + memory_s, None, route)

    def is_fresh(self, now_s: float) -> bool:
        """Whether it may be sent from memory; not if the clock was set back: its age is unknown."""
        return self.made_s <= now_s < self.until_s

    def build_headers(self, now_s: float, *, hit: bool) -> HeaderLines:
        """Return the header lines at a given time.

        Args:
            now_s: Unix time.
            hit: whether it was in a cache, here or in Redis.
        """
        if self.keep_s is None:
            return [*self.lines]
        age = floor(now_s - self.made_s)
        left = max(0, self.keep_s - age)
        return [
            *self.lines,
            (b"age", b"%d" % age),
            (b"x-accel-expires", b"%d" % left),
            (b"cache-status", HIT_STATUS % left if hit else MISS_STATUS),
        ]


def _describe(body: bytes, media_type: str) -> HeaderLines:
    return [
        (b"content-type", media_type.encode()),
        (b"content-length", b"%d" % len(body)),
    ]


Kept = SizedCache[tuple[str, bytes], KeptAnswer]
"""Kept answers by path and query string; the least recently used go first."""


def keep_answer(kept: Kept, path: str, query_string: bytes, answer: KeptAnswer) -> None:
    """Keep the answer to a request; it replaces an older one."""
    bodies = len(answer.body) + (0 if answer.packed is None else len(answer.packed.body))
    size_bytes = ANSWER_BYTES + len(path) + len(query_string) + bodies
    kept.put((path, query_string), answer, size_bytes)
