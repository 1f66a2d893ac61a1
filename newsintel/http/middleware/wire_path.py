"""The wire path: answers plain requests for finished bytes before the server parses them.

It runs the same code as the middleware, in the same order from the inside out, but only where
nothing has to wait: a page that must be renewed first, a person who has no leased call left, a
foreign Host, everything that is not plainly a hit is left to the parser and the middleware. Until
the last step that can do so, nothing is counted or changed.
"""

from attrs import frozen

from newsintel.domain.ports import WallClock
from newsintel.http.asgi import Scope
from newsintel.http.middleware.cors import Cors
from newsintel.http.middleware.envelope import Envelope, assign_request_id
from newsintel.http.middleware.hit_path import VIA_HIT, HitAnswer, Hits
from newsintel.http.middleware.host_check import HostCheck
from newsintel.http.middleware.identify import Identify
from newsintel.http.middleware.rate_limits import RateLimits


@frozen(eq=False, kw_only=True)
class WirePath:
    """Answers one request at once, or leaves it.

    Attributes:
        envelope, host_check, cors, identify, rate_limits: the middleware of the application, from
            the outside in; None = switched off.
        hits: the finished answers.
        now: the time of day.
    """

    envelope: Envelope
    host_check: HostCheck
    cors: Cors | None
    identify: Identify
    rate_limits: RateLimits | None
    hits: Hits
    now: WallClock

    def answer(self, scope: Scope) -> HitAnswer | None:
        """Return the whole response; None = leave the request to the parser and the middleware.

        Args:
            scope: of a request without credentials. Its state gets what the access log shows.
        """
        found = self.hits.find(scope)
        if found is None or not self.host_check.admits(scope):
            return None
        now = self.now()
        if not found.is_fresh(now.timestamp()):
            return None
        scope["state"]["caller"] = self.identify.derive_anonymous(scope, now)
        limit_lines = self.rate_limits.take_leased(scope) if self.rate_limits else []
        if limit_lines is None:
            return None
        assign_request_id(scope)
        status, lines, body = self.hits.answer(found, scope, now, VIA_HIT)
        lines += limit_lines
        if self.cors:
            lines = self.cors.add_headers(lines, dict(scope["headers"]).get(b"origin"))
        return HitAnswer(status, lines + self.envelope.build_headers(scope), body)
