"""A search's answer as it is sent: the finished body, and its header lines at any moment.

The hit path, the search's route and personal searches all send this value. Its privacy decides what
the headers tell caches.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import Enum, auto
from math import floor
from typing import Any

from attrs import evolve, frozen

from newsintel.domain.bounds.slices import Sliced
from newsintel.domain.intelligence.searched import summarize_search
from newsintel.domain.search.codec import to_json
from newsintel.domain.search.freshness import MAX_CLOCK_SKEW_S, Windows
from newsintel.domain.search.harvest import Answer, Via
from newsintel.domain.search.history import SearchSummary
from newsintel.domain.search.query_model import Query
from newsintel.http.asgi import HeaderLines
from newsintel.http.bodies.formats import MEDIA_TYPES, Content, Format
from newsintel.http.bodies.search import View
from newsintel.http.response.cache_headers import (
    HIT_STATUS,
    MISS_STATUS,
    VARY,
    compute_fresh_until,
    format_cache_status,
    format_etag,
    format_server_timing,
)
from newsintel.http.response.packing import describe_packed, pack_in_slices, vary_by_encoding


class Privacy(Enum):
    """For whom an answer was made, and thus which caches may keep it."""

    EVERYBODY = auto()
    """Any cache may keep it."""
    HELD_BACK = auto()
    """A source held back from the person who asked.

    Others may get more, so no shared cache keeps it.
    """
    PERSON = auto()
    """A person's own view. No cache keeps it, and it has no entity tag."""

    @classmethod
    def of_answer(cls, answer: Answer) -> "Privacy":
        """Return the privacy of an answer in a view that is not a person's own."""
        return cls.HELD_BACK if answer.personal else cls.EVERYBODY


_EVERYBODY = Privacy.EVERYBODY  # saves a look-up in the enum at every hit
_CACHED_VIAS = (Via.HIT.value, Via.REVALIDATED.value)
_CACHE_TIMING = (b"server-timing", b"cache")


@frozen
class RenderedSearch:
    """A finished answer to one search.

    Attributes:
        body: in UTF-8, in the format of its view.
        tag: its entity tag's opaque part; None = it has none.
        fixed_headers: the header lines that never change.
        since_s: the time from which its age counts, Unix time.
        until_s: until when it is fresh, Unix time.
        cache_status: its Cache-Status for callers who waited for sources.
        timing: its Server-Timing for the same callers.
        privacy: who may keep it.
        query: what was asked.
        fetched_at: when its harvest landed.
        searched: what is recorded for each person who gets it; None on all pages but the
            first, and in other formats than JSON.
        policy: the content security policy of a page; None = that of all other answers.
        packed: the same answer compressed by gzip; None = there is none.
    """

    body: bytes
    tag: str | None
    fixed_headers: tuple[tuple[bytes, bytes], ...]
    since_s: float
    until_s: float
    cache_status: bytes
    timing: bytes
    privacy: Privacy
    query: Query
    fetched_at: datetime
    searched: SearchSummary | None
    policy: bytes | None = None
    packed: "RenderedSearch | None" = None

    def pack(self) -> Sliced["RenderedSearch"]:
        """Return the same answer with its compressed form, in slices."""
        packed, lines = (yield from pack_in_slices(self.body)), vary_by_encoding(self.fixed_headers)
        smaller = evolve(self, body=packed, fixed_headers=tuple(describe_packed(lines, packed)))
        return evolve(self, fixed_headers=tuple(lines), packed=smaller)

    def is_fresh(self, now_s: float) -> bool:
        """Whether it may be sent without asking the desk; `now_s` is Unix time.

        A time before it was fetched means that the clock was set back: its age is unknown.
        """
        return self.since_s - MAX_CLOCK_SKEW_S <= now_s < self.until_s

    def build_headers(self, now_s: float, via: str) -> HeaderLines:
        """Return the header lines at a given time.

        Age and max-age count from the same time, so every cache computes the same remaining time as
        we do. nginx prefers X-Accel-Expires and does not subtract Age from it, so that header is
        the remaining time itself.

        Args:
            now_s: Unix time.
            via: how the answer reached the caller, a `Via`.
        """
        age_s = now_s - self.since_s if now_s > self.since_s else 0.0  # no call: all hits run it
        left_s = floor(self.until_s - self.since_s - age_s)
        if via in _CACHED_VIAS:
            status, timing = HIT_STATUS % left_s, _CACHE_TIMING
        else:
            status, timing = self._build_cache_status(via), (b"server-timing", self.timing)
        lines = [*self.fixed_headers, (b"age", b"%d" % age_s), (b"cache-status", status), timing]
        if self.privacy is _EVERYBODY:
            lines.append((b"x-accel-expires", b"%d" % max(0, left_s)))
        return lines

    def _build_cache_status(self, via: str) -> bytes:
        return (
            self.cache_status + b"; collapsed"
            if via == Via.COLLAPSED and self.cache_status == MISS_STATUS
            else self.cache_status
        )


def render_search(
    query: Query,
    answer: Answer,
    body: Mapping[str, Any],
    view: View,
    *,
    tag: str | None,
    privacy: Privacy,
    windows: Windows,
    link: str | None,
    content: Content | None = None,
) -> RenderedSearch:
    """Finish a search's answer.

    Args:
        query: what was asked, as the caller typed it. The answer may have the spelling of another
            person who asked first.
        answer: what was found.
        body: the body as plain values.
        view: how the body shows the answer.
        tag: the entity tag's opaque part; None = no tag.
        privacy: who may keep it.
        windows: decide how long it is fresh.
        link: the Link header, which names the next page; None = no such header.
        content: the body in another format; None = it leaves as JSON.
    """
    harvest, until = answer.harvest, compute_fresh_until(answer, windows)
    content = content or Content(to_json(body), MEDIA_TYPES[Format.JSON])
    data = bytes(memoryview(content.data))  # a copy: orjson's bytes can take twice their length
    lifetime_s = floor((until - harvest.fresh_since).total_seconds())
    fixed = [(b"content-type", content.media_type.encode()), (b"content-length", b"%d" % len(data))]
    if tag is not None:
        fixed.append((b"etag", format_etag(tag)))
    fixed += (
        (b"cache-control", _format_cache_control(privacy, lifetime_s, windows)),
        (b"vary", VARY.encode()),
    )
    if link:
        fixed.append((b"link", link.encode()))
    recorded = view.page == 1 and view.format is Format.JSON  # programs read feeds, people JSON
    if privacy is Privacy.HELD_BACK:
        fixed.append((b"x-accel-expires", b"0"))
    return RenderedSearch(
        data,
        tag,
        tuple(fixed),
        since_s=harvest.fresh_since.timestamp(),
        until_s=until.timestamp(),
        cache_status=format_cache_status(answer),
        timing=format_server_timing(answer),
        privacy=privacy,
        query=query,
        fetched_at=harvest.fetched_at,
        searched=summarize_search(query, answer, body["total"]) if recorded else None,
    )


def _format_cache_control(privacy: Privacy, lifetime_s: int, windows: Windows) -> bytes:
    if privacy is Privacy.PERSON:
        return b"private, no-store"
    if privacy is Privacy.HELD_BACK:
        return b"private, no-cache"
    seconds = lifetime_s, floor(windows.revalidate_s), floor(windows.stale_s)
    return b"public, max-age=%d, stale-while-revalidate=%d, stale-if-error=%d" % seconds
