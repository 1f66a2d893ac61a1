"""GET /sources: the configured sources and the state of each."""

from typing import Any

from quart import Response

from newsintel.config.settings import SourceSettings
from newsintel.domain.limits.ports import SourceState
from newsintel.domain.search.outcome import Status
from newsintel.domain.text.moments import format_time
from newsintel.http.bodies.schemas import ref
from newsintel.http.response.answers import answer_json
from newsintel.http.route import Route
from newsintel.http.services import Services


def build_routes() -> tuple[Route, ...]:
    """The route of the sources."""
    return (
        Route(
            "/sources",
            list_sources,
            "What is configured, its state and what is left of its quota",
            {200: ref("Sources")},
        ),
    )


async def list_sources(services: Services) -> Response:
    """Answer with every source that exists, in founder order. No source is called."""
    await services.limits.source_states.refresh_quotas()
    states = services.limits.source_states()
    sources = {
        name: _build_row(source, states.get(name, SourceState()))
        for name, source in services.settings.source.items()
    }
    return answer_json({"sources": sources}, headers={"Cache-Control": "no-store"})


def name_state(source: SourceSettings, state: SourceState) -> str:
    """Return `ready`, `disabled`, or the reason why the source is not asked now."""
    if not source.enabled:
        return Status.DISABLED.value
    return state.blocked.value if state.blocked else "ready"


def _build_row(source: SourceSettings, state: SourceState) -> dict[str, Any]:
    quota = source.quota
    return {
        "enabled": source.enabled,
        "state": name_state(source, state),
        "deadline_s": source.deadline_s,
        "pace_s": source.pace_s,
        "quota": {"calls": quota.calls, "window_s": quota.window_s, "left": state.quota_left}
        if quota
        else None,
        "retry_at": format_time(state.retry_at) if state.retry_at else None,
    }
