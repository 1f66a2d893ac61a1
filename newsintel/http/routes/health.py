"""GET /health, is the process alive; GET /health/ready, should it get traffic. Neither names a host nor quotes an error."""

from collections.abc import Mapping
from typing import Any

import trio
from attrs import asdict
from quart import Response

from newsintel import __version__
from newsintel.domain.limits.ports import SourceState
from newsintel.domain.operations.ports import Health, Phase, Stores
from newsintel.domain.operations.source_notice import source_notice
from newsintel.http.bodies.schemas import ref
from newsintel.http.paths import HEALTH, READY
from newsintel.http.request.query_string import Given
from newsintel.http.response.answers import answer_json
from newsintel.http.route import Route
from newsintel.http.routes.sources import state_word
from newsintel.http.services import Services
from newsintel.runtime.telemetry.logs import get_logger

log = get_logger(__name__)

PING_EVERY_S = 2.0
"""However often balancers and people probe, the stores are asked no more often than this."""

WATCH_EVERY_S = 5.0
"""A change is logged this long after it came about at most; what passes sooner may go unseen."""

NOT_READY = (Phase.STARTING, Phase.DRAINING, "unusable")


def routes(health: Health) -> tuple[Route, ...]:
    """The addresses of health."""
    ready = Readiness(health)
    return (
        Route(HEALTH, alive, "Whether the process and its loops live", {200: ref("Health")}),
        Route(READY, ready.answer, "Whether the service should get traffic", {200: ref("Ready"), 503: ref("Ready")}),
    )


async def alive(services: Services, _given: Given) -> Response:
    """Answer 200, also while draining. Touches neither store.

    There is no other answer: an actor or loop that dies takes the process with it, so a process that answers lives.
    """
    return _never_kept({"status": "ok", "version": __version__, "commit": services.settings.commit}, 200)


class Readiness:
    """The readiness route, with what the stores last said."""

    def __init__(self, health: Health) -> None:
        self._health = health
        self._found: Stores | None = None
        self._next_ping = -float("inf")

    async def answer(self, services: Services, _given: Given) -> Response:
        """Answer whether to send traffic here; 503 for starting, draining and unusable."""
        found = await self.look(services)
        return _never_kept(found, 503 if found["status"] in NOT_READY else 200)

    async def look(self, services: Services) -> dict[str, Any]:
        """The answer's body."""
        stores = await self._stores()
        settings, states = services.settings, services.limits.source_states()
        sources = {name: state_word(source, states.get(name, SourceState())) for name, source in settings.source.items()}
        enabled = [sources[name] for name in settings.enabled_sources]
        status = readiness(services.operations.health.phase(), stores, enabled)
        checks = {name: "ok" if well else "failing" for name, well in asdict(stores).items()} if stores else {}
        notice = source_notice(settings)
        return {"status": status, "checks": checks, "sources": sources} | ({"notice": notice} if notice else {})

    async def _stores(self) -> Stores | None:
        """What the stores said within the last PING_EVERY_S; None before the first has answered.

        Whoever comes while a ping is under way gets the previous finding: a stuck store holds up one probe, not all.
        """
        now = trio.current_time()
        if now >= self._next_ping:
            self._next_ping = now + PING_EVERY_S
            self._found = await self._health.stores()
        return self._found


async def watch_readiness(services: Services, shutdown: trio.Event) -> None:
    """Log each change of the readiness, whether or not anybody probes it, until the shutdown begins.

    Args:
        services: what is looked at, every WATCH_EVERY_S.
        shutdown: from then on the service is not ready on purpose.
    """
    readiness, known = Readiness(services.operations.health), "ready"
    while not shutdown.is_set():
        found = await readiness.look(services)
        failing = [name for name, state in (found["checks"] | found["sources"]).items() if state not in ("ok", "ready", "disabled")]
        if found["status"] != known and services.operations.health.phase() is Phase.SERVING:
            was, known = known, found["status"]
            if known == "ready":
                log.info("readiness_changed", was=was, now=known)
            else:
                log.warning("readiness_changed", was=was, now=known, failing=failing)
        with trio.move_on_after(WATCH_EVERY_S):
            await shutdown.wait()


def readiness(phase: Phase, stores: Stores | None, enabled: list[str]) -> str:
    """The one word for the whole.

    Args:
        phase: where the service is in its life.
        stores: None while unknown, which counts as starting.
        enabled: the state of each enabled source.
    """
    if phase is not Phase.SERVING:
        return phase.value
    if stores is None:
        return Phase.STARTING.value
    if not stores.postgresql and "ready" not in enabled:
        return "unusable"
    return "ready" if stores.postgresql and stores.redis and all(state == "ready" for state in enabled) else "degraded"


def _never_kept(body: Mapping[str, object], status: int) -> Response:
    return answer_json(body, status=status, headers={"Cache-Control": "no-store"})
