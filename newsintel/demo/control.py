"""The control endpoint reads and changes the call counters and behaviour of each simulated API."""

import random
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from typing import Any

import orjson
from attrs import define, field

from newsintel.demo.api import Api
from newsintel.demo.behaviour import Behaviour, InvalidSettingError
from newsintel.demo.faults import REFUSALS, REPLIES
from newsintel.demo.sabotage import SABOTAGES
from newsintel.demo.wire import Reply, Request, Sabotage

PATH = "/_control"


@define
class Upstream:
    """One simulated API with its behaviour and its call counter."""

    api: Api
    normal: Behaviour
    random: random.Random
    behaviour: Behaviour = field(init=False)
    calls: int = 0

    def __attrs_post_init__(self) -> None:
        self.behaviour = self.normal

    def call(self, request: Request) -> Reply | Sabotage:
        """Count a request and answer it, or apply the fault. A call with a fault uses quota too."""
        self.calls += 1
        reply = self.api.answer(request, limited=self.behaviour.limited)
        fault = self.behaviour.fault
        if fault == "none" or self.random.random() >= self.behaviour.fault_rate:
            return reply
        if fault in SABOTAGES:
            return SABOTAGES[fault](reply)
        bad = self.api.refusal(REFUSALS[fault]) if fault in REFUSALS else REPLIES[fault](reply)
        asks = bad.status in (429, 503) and self.behaviour.retry_after is not None
        return bad.with_headers({"Retry-After": str(self.behaviour.retry_after)}) if asks else bad

    def latency_s(self) -> float:
        """Return the latency of the next answer, in seconds."""
        behaviour = self.behaviour
        base = behaviour.slow_ms if self.random.random() < behaviour.slow_rate else behaviour.latency_ms
        return max(0.0, base + self.random.uniform(-behaviour.jitter_ms, behaviour.jitter_ms)) / 1000

    def shown(self) -> dict[str, Any]:
        """Return settings and counter as JSON values."""
        return {**self.behaviour.shown(), "calls": self.calls}


def answer(upstreams: Mapping[str, Upstream], request: Request) -> Reply:
    """Serve a request to the control endpoint."""
    target = PurePosixPath(request.path).relative_to(PATH).as_posix()
    if request.method in ("GET", "HEAD") and target == ".":
        return Reply.json(200, {name: upstream.shown() for name, upstream in upstreams.items()})
    if request.method == "DELETE" and target in _RESETS:
        for upstream in upstreams.values():
            _RESETS[target](upstream)
        return Reply(204)
    if target not in upstreams:
        return _refused(404, "source", f"there is no {target!r}; there are {', '.join(upstreams)}")
    if request.method in ("GET", "HEAD"):
        return Reply.json(200, upstreams[target].shown())
    if request.method != "PUT":
        return _refused(405, "method", "must be GET or PUT").with_headers({"Allow": "GET, HEAD, PUT"})
    return _change(upstreams[target], request.body)


def _change(upstream: Upstream, body: bytes) -> Reply:
    """Apply the settings of a body. Omitted ones stay; an invalid one changes nothing."""
    try:
        upstream.behaviour = upstream.behaviour.changed(orjson.loads(body))
    except InvalidSettingError as error:
        return _refused(400, error.field, str(error))
    except orjson.JSONDecodeError:
        return _refused(400, "", "must be a JSON object of settings")
    return Reply.json(200, upstream.shown())


def _refused(status: int, name: str, message: str) -> Reply:
    return Reply.json(status, {"field": name, "message": message})


def _forget_calls(upstream: Upstream) -> None:
    upstream.calls = 0


def _forget_quota(upstream: Upstream) -> None:
    upstream.api.forget()


def _forget_all(upstream: Upstream) -> None:
    upstream.behaviour = upstream.normal
    _forget_calls(upstream)
    _forget_quota(upstream)


_RESETS: Mapping[str, Callable[[Upstream], None]] = {".": _forget_all, "calls": _forget_calls, "quota": _forget_quota}
"""What DELETE resets: everything, the call counters, or the used quotas and issued tokens."""
