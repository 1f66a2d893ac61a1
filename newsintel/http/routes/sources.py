"""GET /sources: the configured sources and the state of each."""

from typing import Any

from quart import Response, request

from newsintel.config.settings import SourceSettings
from newsintel.domain.limits.ports import SourceState
from newsintel.domain.search.codec import to_json
from newsintel.domain.search.outcome import Status
from newsintel.domain.text.moments import format_time
from newsintel.http.bodies.schemas.parts import ref
from newsintel.http.response.conditional import respond_unless_held
from newsintel.http.response.kept_answer import KeptAnswer, keep_answer
from newsintel.http.route import Route
from newsintel.http.services import Services

MEMORY_S = 1
"""How long an answer is sent from memory. Its states and quotas change with each call."""


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
    scope, now_s = request.scope, services.now().timestamp()
    body, route = to_json({"sources": sources}), scope["state"]["route"]
    kept = KeptAnswer.of_moment(body, route, now_s, MEMORY_S)
    keep_answer(services.search.kept, scope["path"], scope["query_string"], kept)
    return respond_unless_held(kept.body, kept.build_headers(now_s, hit=False), kept.tag)


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
