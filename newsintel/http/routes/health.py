"""GET /health: whether the process is alive. GET /health/ready: whether it should get traffic.

The responses name no host and quote no error.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import trio
from attrs import asdict, frozen
from quart import Response

from newsintel import __version__
from newsintel.domain.limits.ports import SourceState
from newsintel.domain.operations.ports import Health, Phase, StoreHealth
from newsintel.domain.operations.source_notice import make_source_notice
from newsintel.domain.search.codec import to_json
from newsintel.http.bodies.schemas.parts import ref
from newsintel.http.paths import HEALTH, READY
from newsintel.http.response.answers import answer_json
from newsintel.http.response.fixed_answer import FixedAnswer
from newsintel.http.route import Route
from newsintel.http.routes.sources import name_state
from newsintel.http.services import Services
from newsintel.runtime.telemetry.logs import get_logger
from newsintel.runtime.telemetry.task_tree import log_task_tree

log = get_logger(__name__)

WATCH_EVERY_S = 2.0
"""Pause between two checks of the stores. A shorter change may not be detected."""

NOT_READY = (Phase.STARTING, Phase.DRAINING, "unusable")


def build_routes(commit: str, health: Health) -> tuple[Route, ...]:
    """The routes of health; `commit` names the build."""
    return (
        Route(
            HEALTH,
            _build_health(commit, health),
            "Whether the process and its loops live",
            {200: ref("Health"), 503: ref("Health")},
        ),
        Route(
            READY,
            get_readiness,
            "Whether the service should get traffic",
            {200: ref("Ready"), 503: ref("Ready")},
        ),
    )


@frozen
class HealthAnswer(FixedAnswer):
    """200 while every actor gets on with its work, also while draining. It asks no store.

    A crash of an actor ends the process. If an actor hangs instead, or ends by itself, this is a
    503 with its name, and the platform restarts the process.

    Attributes:
        build: the members that name the build.
        list_silent_actors: returns the actors that do not get on.
    """

    build: Mapping[str, str]
    list_silent_actors: Callable[[], Sequence[str]]

    def is_fresh(self, _now_s: float) -> bool:
        """Whether the finished answer may be sent."""
        return not self.list_silent_actors()

    async def __call__(self, services: Services) -> Response:
        """Answer the current request."""
        if silent := self.list_silent_actors():
            return _answer_uncached({"status": "stuck", **self.build, "actors": silent}, 503)
        return await super().__call__(services)


def _build_health(commit: str, health: Health) -> HealthAnswer:
    build = {"version": __version__, "commit": commit}
    fixed = FixedAnswer.of_text(
        to_json({"status": "ok", **build}), "application/json", cache_control="no-store"
    )
    return HealthAnswer(fixed.body, fixed.lines, build, health.list_silent_actors)


async def get_readiness(services: Services) -> Response:
    """Answer 200 if the service should get traffic; 503 for starting, draining and unusable.

    The answer has the last known state of the stores. `watch_readiness` alone asks them, so a store
    that hangs delays no probe, and a client that leaves its probe at once prevents nothing.
    """
    found = build_readiness(services)
    return _answer_uncached(found, 503 if found["status"] in NOT_READY else 200)


def build_readiness(services: Services) -> dict[str, Any]:
    """Return the response's body."""
    stores = services.operations.health.get_stores()
    settings, states = services.settings, services.limits.source_states()
    sources = {
        name: name_state(source, states.get(name, SourceState()))
        for name, source in settings.source.items()
    }
    enabled = [sources[name] for name in settings.enabled_sources]
    status = decide_status(services.operations.health.get_phase(), stores, enabled)
    checks = (
        {name: "ok" if well else "failing" for name, well in asdict(stores).items()}
        if stores
        else {}
    )
    notice = make_source_notice(settings)
    return {"status": status, "checks": checks, "sources": sources} | (
        {"notice": notice} if notice else {}
    )


async def watch_readiness(
    services: Services, shutdown: trio.Event, on_silence: Callable[[], None]
) -> None:
    """Check the stores until the shutdown begins, and log each change of the readiness.

    Args:
        services: checked every WATCH_EVERY_S.
        shutdown: ends the watch: after it, the service is not ready on purpose.
        on_silence: called at each check at which an actor does not get on, after it was logged.
    """
    health, known = services.operations.health, "ready"
    silent: Sequence[str] = ()
    while not shutdown.is_set():
        silent = log_silent_actors(silent, health)
        if silent:
            on_silence()
        await health.check_stores()
        found = build_readiness(services)
        failing = [
            name
            for name, state in (found["checks"] | found["sources"]).items()
            if state not in ("ok", "ready", "disabled")
        ]
        if found["status"] != known and health.get_phase() is Phase.SERVING:
            was, known = known, found["status"]
            if known == "ready":
                log.info("readiness_changed", was=was, now=known)
            else:
                log.warning("readiness_changed", was=was, now=known, failing=failing)
        with trio.move_on_after(WATCH_EVERY_S):
            await shutdown.wait()


def log_silent_actors(known: Sequence[str], health: Health) -> Sequence[str]:
    """Log the actors that do not get on, with all tasks, when they are others than `known`.

    Returns them.
    """
    silent = health.list_silent_actors()
    if silent and silent != known:
        log.error("actor_silent", actors=silent)
        log_task_tree()
    return silent


def decide_status(phase: Phase, stores: StoreHealth | None, enabled: list[str]) -> str:
    """Return the status of the whole service as one word.

    Args:
        phase: the service's phase.
        stores: None while unknown, which counts as starting.
        enabled: the state of each enabled source.
    """
    if phase is not Phase.SERVING:
        return phase.value
    if stores is None:
        return Phase.STARTING.value
    if not stores.postgresql and "ready" not in enabled:
        return "unusable"
    return (
        "ready"
        if stores.postgresql and stores.redis and all(state == "ready" for state in enabled)
        else "degraded"
    )


def _answer_uncached(body: Mapping[str, object], status: int) -> Response:
    return answer_json(body, status=status, headers={"Cache-Control": "no-store"})
