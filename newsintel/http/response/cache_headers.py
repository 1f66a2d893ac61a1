"""What the headers of a search say about its answer: identity, freshness, origin.

Pure: an answer, a view and the windows in, texts and times out.
"""

import hashlib
from datetime import datetime

from newsintel import __version__
from newsintel.domain.search.freshness import Windows
from newsintel.domain.search.harvest import Answer, Origin, Reply, Via
from newsintel.http.bodies.search import View
from newsintel.http.paths import SEARCH
from newsintel.http.response.links import build_url
from newsintel.http.response.problems import PROBLEMS, find_failure_code

VARY = "Cookie, Authorization, Origin"
"""The request headers that an answer may depend on; a shared cache must never mix them."""

HIT_STATUS = b"newsintel; hit; ttl=%d"
"""The Cache-Status header (RFC 9211) of a cached answer, with the seconds for which it is fresh."""
MISS_STATUS = b"newsintel; fwd=miss"
"""The Cache-Status header of an answer that was made for this request."""


def format_etag(tag: str) -> bytes:
    """Return the ETag header of an opaque tag."""
    return b'W/"%b"' % tag.encode()


def compute_tag(answer: Answer, view: View) -> str:
    """Return the opaque part of a weak entity tag.

    It is equal for the same harvest in the same view from the same version of this program.
    """
    harvest = answer.harvest
    identity = (
        __version__,
        harvest.query.key,
        harvest.origin,
        harvest.fetched_at,
        [outcome.fetched_at for outcome in answer.refused],
        view,
    )
    return hashlib.sha256(repr(identity).encode()).hexdigest()[:32]


def hash_body(body: bytes) -> str:
    """Return the opaque part of an entity tag that stands for these bytes."""
    return hashlib.sha256(body).hexdigest()[:32]


def compute_fresh_until(answer: Answer, windows: Windows) -> datetime:
    """Return when an answer stops being fresh.

    A stale answer is fresh until the first source that failed in the refresh may be asked again.
    """
    again = (windows.due_at(outcome) for outcome in answer.refused if outcome.status.failed)
    return min(again, default=windows.fresh_until(answer.harvest))


def format_cache_status(answer: Answer) -> bytes:
    """Return the Cache-Status header (RFC 9211) of an answer for which sources were asked.

    It says why they were asked and, if an older answer is served instead, with which status this
    ended.
    """
    if not answer.stale:
        return MISS_STATUS
    return (
        b"newsintel; fwd=stale; fwd-status=%d" % PROBLEMS[find_failure_code(answer.reported)].status
    )


def format_server_timing(answer: Answer) -> bytes:
    """Return the Server-Timing header of an answer for which sources were asked.

    It has each source's status and, if the source was asked, its latency.
    """
    return ", ".join(
        f"{outcome.source};desc={outcome.status}"
        + ("" if outcome.latency_ms is None else f";dur={outcome.latency_ms:.1f}")
        for outcome in answer.reported
    ).encode()


def classify_reply(reply: Reply) -> str:
    """Return how a search was answered, in one word for the counter `searches`."""
    if reply.via in (Via.HIT, Via.REVALIDATED):
        return reply.via
    if reply.answer.harvest.origin is not Origin.LIVE:
        return reply.answer.harvest.origin
    return "failed" if reply.answer.failed else reply.via


def format_next_link(base: str, query_string: bytes, page: int) -> str:
    """Return the Link header of the page after `page` of a search, on the public base URL."""
    return f'<{build_url(base, SEARCH, query_string, page=str(page + 1))}>; rel="next"'
