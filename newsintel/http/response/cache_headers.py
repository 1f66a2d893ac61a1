"""What the headers of a search say of its answer: how old it is, for how long it may be kept, where it came from.

Pure: an answer, a view, the settings and the time in, texts out.
"""

import hashlib
import math
from datetime import datetime
from urllib.parse import urlencode

from attrs import frozen

from newsintel import __version__
from newsintel.config.settings import Settings
from newsintel.domain.search.freshness import Windows
from newsintel.domain.search.harvest import Answer, Origin, Reply, Via
from newsintel.domain.search.outcome import FetchOutcome
from newsintel.http.bodies.search import View
from newsintel.http.response.problems import PROBLEMS, code_of_failures

VARY = "Cookie, Authorization, Origin"
"""What a person's own answer would depend on; a shared cache must never mix them."""


@frozen
class Span:
    """An answer's age and the whole of its fresh life, both counted in seconds from the same moment (RFC 9111 4.2)."""

    age_s: float
    lifetime_s: float

    @property
    def left_s(self) -> float:
        """Seconds for which it is still fresh; negative once it is stale."""
        return self.lifetime_s - self.age_s


def reported(answer: Answer) -> tuple[FetchOutcome, ...]:
    """The outcomes that are told of the sources: those of a failed refresh where an older harvest stands in."""
    return answer.refused or answer.harvest.outcomes


def span(answer: Answer, windows: Windows, now: datetime) -> Span:
    """An answer's freshness. A stale one that stands in is worth keeping until the sources that refused may be asked again."""
    harvest = answer.harvest
    again = (windows.due_at(outcome) for outcome in answer.refused if outcome.status.failed)
    ends = min(again, default=windows.fresh_until(harvest))
    return Span(max(0.0, (now - harvest.fresh_since).total_seconds()), (ends - harvest.fresh_since).total_seconds())


def cache_status(reply: Reply, fresh: Span) -> str:
    """The Cache-Status header (RFC 9211): `hit` with the seconds left, or why and how it was forwarded."""
    if reply.via in (Via.HIT, Via.REVALIDATED):
        return f"newsintel; hit; ttl={math.floor(fresh.left_s)}"
    if reply.answer.harvest.origin is Origin.STALE:
        status = PROBLEMS[code_of_failures(reported(reply.answer))].status
        return f"newsintel; fwd=stale; fwd-status={status}"
    return "newsintel; fwd=miss" + ("; collapsed" if reply.via is Via.COLLAPSED else "")


def answered_by(reply: Reply) -> str:
    """How a search was answered, in one word for the counter `searches`."""
    harvest = reply.answer.harvest
    if reply.via in (Via.HIT, Via.REVALIDATED):
        return reply.via
    if harvest.origin is not Origin.LIVE:
        return harvest.origin
    return reply.via if harvest.answered else "failed"


def etag(answer: Answer, view: View) -> str:
    """A weak entity tag's opaque part: equal for the same harvest seen in the same way by the same version of this program."""
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


def caching(reply: Reply, view: View, settings: Settings, now: datetime) -> dict[str, str]:
    """The headers that a 200 and its 304 share.

    Age and max-age count from the same moment, so that any cache arrives at our own remaining time; nginx heeds X-Accel-Expires first and
    does not subtract Age, so that one is the remaining time itself. What a source held back from one person is for no shared cache.
    """
    fresh = span(reply.answer, Windows.of(settings), now)
    control = {
        "max-age": math.floor(fresh.lifetime_s),
        "stale-while-revalidate": math.floor(settings.cache_revalidate_s),
        "stale-if-error": math.floor(settings.cache_stale_s),
    }
    public = ", ".join(["public", *(f"{name}={seconds}" for name, seconds in control.items())])
    return {
        "ETag": f'W/"{etag(reply.answer, view)}"',
        "Age": str(math.floor(fresh.age_s)),
        "Cache-Control": "private, no-cache" if reply.answer.personal else public,
        "X-Accel-Expires": "0" if reply.answer.personal else str(max(0, math.floor(fresh.left_s))),
        "Cache-Status": cache_status(reply, fresh),
        "Server-Timing": server_timing(reply),
        "Vary": VARY,
    }


def server_timing(reply: Reply) -> str:
    """The Server-Timing header: how long each source took where they were asked for this answer, else `cache`."""
    if reply.via in (Via.HIT, Via.REVALIDATED):
        return "cache"
    return ", ".join(
        f"{outcome.source};desc={outcome.status}" + ("" if outcome.latency_ms is None else f";dur={outcome.latency_ms:.1f}")
        for outcome in reported(reply.answer)
    )


def next_link(base: str, pairs: dict[str, str], page: int) -> str:
    """The Link header of the page after `page`, on the one public base."""
    return f'<{base}/articles?{urlencode(pairs | {"page": str(page + 1)})}>; rel="next"'
