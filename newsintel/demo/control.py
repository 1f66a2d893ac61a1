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

    def handle_call(self, request: Request) -> Reply | Sabotage:
        """Count a request and answer it, or apply the fault. A call with a fault uses quota too."""
        self.calls += 1
        reply = self.api.answer_request(request, limited=self.behaviour.limited)
        fault = self.behaviour.fault
        if fault == "none" or self.random.random() >= self.behaviour.fault_rate:
            return reply
        if fault in SABOTAGES:
            return SABOTAGES[fault](reply)
        bad = (
            self.api.build_refusal(REFUSALS[fault]) if fault in REFUSALS else REPLIES[fault](reply)
        )
        asks = bad.status in (429, 503) and self.behaviour.retry_after is not None
        return bad.with_headers({"Retry-After": str(self.behaviour.retry_after)}) if asks else bad

    def draw_latency_s(self) -> float:
        """Return the latency of the next answer, in seconds."""
        behaviour = self.behaviour
        base = (
            behaviour.slow_ms
            if self.random.random() < behaviour.slow_rate
            else behaviour.latency_ms
        )
        return (
            max(0.0, base + self.random.uniform(-behaviour.jitter_ms, behaviour.jitter_ms)) / 1000
        )

    def to_json(self) -> dict[str, Any]:
        """Return settings and counter as JSON values."""
        return {**self.behaviour.to_json(), "calls": self.calls}


def answer_control(upstreams: Mapping[str, Upstream], request: Request) -> Reply:
    """Serve a request to the control endpoint."""
    target = PurePosixPath(request.path).relative_to(PATH).as_posix()
    if request.method in ("GET", "HEAD") and target == ".":
        return Reply.json(200, {name: upstream.to_json() for name, upstream in upstreams.items()})
    if request.method == "DELETE" and target in _RESETS:
        for upstream in upstreams.values():
            _RESETS[target](upstream)
        return Reply(204)
    if target not in upstreams:
        return _build_refusal(
            404, "source", f"there is no {target!r}; there are {', '.join(upstreams)}"
        )
    if request.method in ("GET", "HEAD"):
        return Reply.json(200, upstreams[target].to_json())
    if request.method != "PUT":
        return _build_refusal(405, "method", "must be GET or PUT").with_headers(
            {"Allow": "GET, HEAD, PUT"}
        )
    return _change_settings(upstreams[target], request.body)


def _change_settings(upstream: Upstream, body: bytes) -> Reply:
    """Apply the settings of a body. Omitted ones stay; an invalid one changes nothing."""
    try:
        upstream.behaviour = upstream.behaviour.change_settings(orjson.loads(body))
    except InvalidSettingError as error:
        return _build_refusal(400, error.field, str(error))
    except orjson.JSONDecodeError:
        return _build_refusal(400, "", "must be a JSON object of settings")
    return Reply.json(200, upstream.to_json())


def _build_refusal(status: int, name: str, message: str) -> Reply:
    return Reply.json(status, {"field": name, "message": message})


def _reset_calls(upstream: Upstream) -> None:
    upstream.calls = 0


def _reset_quota(upstream: Upstream) -> None:
    upstream.api.reset()


def _reset_all(upstream: Upstream) -> None:
    upstream.behaviour = upstream.normal
    _reset_calls(upstream)
    _reset_quota(upstream)


_RESETS: Mapping[str, Callable[[Upstream], None]] = {
    ".": _reset_all,
    "calls": _reset_calls,
    "quota": _reset_quota,
}
"""What DELETE resets: everything, the call counters, or the used quotas and issued tokens."""
