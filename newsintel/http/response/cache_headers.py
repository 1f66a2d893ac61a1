"""What the headers of a search say of its answer: its identity, how long it is fresh, where it came from.

Pure: an answer, a view and the windows in, texts and moments out.
"""

import hashlib
from datetime import datetime
from urllib.parse import parse_qsl, urlencode

from newsintel import __version__
from newsintel.domain.search.freshness import Windows
from newsintel.domain.search.harvest import Answer, Origin, Reply, Via
from newsintel.http.bodies.search import View
from newsintel.http.paths import SEARCH
from newsintel.http.response.problems import PROBLEMS, code_of_failures

VARY = "Cookie, Authorization, Origin"
"""What a person's own answer would depend on; a shared cache must never mix them."""

HIT = b"newsintel; hit; ttl=%d"
"""The Cache-Status header (RFC 9211) of an answer that was there, with the seconds for which it stays fresh."""
MISS = b"newsintel; fwd=miss"
"""The same of an answer that was made for this request."""


def weak(tag: str) -> bytes:
    """The ETag header of an opaque tag."""
    return b'W/"%b"' % tag.encode()


def entity_tag(answer: Answer, view: View) -> str:
    """A weak entity tag's opaque part: equal for the same harvest in the same view from the same version of this program."""
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


def fresh_until(answer: Answer, windows: Windows) -> datetime:
    """When an answer stops being fresh. A stale one is worth keeping until a source that refused may be asked again."""
    again = (windows.due_at(outcome) for outcome in answer.refused if outcome.status.failed)
    return min(again, default=windows.fresh_until(answer.harvest))


def forwarded(answer: Answer) -> bytes:
    """The Cache-Status header (RFC 9211) of an answer for which sources were asked: why, and how it ended if an older one stands in."""
    if not answer.stale:
        return MISS
    return b"newsintel; fwd=stale; fwd-status=%d" % PROBLEMS[code_of_failures(answer.reported)].status


def server_timing(answer: Answer) -> bytes:
    """The Server-Timing header of an answer for which sources were asked: how each did, and how long it took if it was tried."""
    return ", ".join(
        f"{outcome.source};desc={outcome.status}" + ("" if outcome.latency_ms is None else f";dur={outcome.latency_ms:.1f}")
        for outcome in answer.reported
    ).encode()


def answered_by(reply: Reply) -> str:
    """How a search was answered, in one word for the counter `searches`."""
    if reply.via in (Via.HIT, Via.REVALIDATED):
        return reply.via
    if reply.answer.harvest.origin is not Origin.LIVE:
        return reply.answer.harvest.origin
    return "failed" if reply.answer.failed else reply.via


def next_link(base: str, query_string: bytes, page: int) -> str:
    """The Link header of the page after `page` of a search, on the one public base."""
    written = dict(parse_qsl(query_string.decode("ascii"), keep_blank_values=True))
    return f'<{base}{SEARCH}?{urlencode(written | {"page": str(page + 1)})}>; rel="next"'
