"""Bodies about the service itself, and of every problem."""

from newsintel.domain.operations.ports import Phase
from newsintel.domain.search.outcome import Status
from newsintel.http.bodies.schemas.parts import (
    COUNT,
    FLAG,
    MOMENT,
    NUMBER,
    TEXT,
    Schema,
    list_of,
    map_of,
    nullable,
    object_of,
    one_of,
    ref,
)

OPERATIONS: dict[str, Schema] = {
    "Sources": object_of(
        {
            "sources": map_of(
                object_of(
                    {
                        "enabled": FLAG,
                        "state": one_of(
                            ["ready", *(status for status in Status if not status.answered)]
                        ),
                        "deadline_s": NUMBER,
                        "pace_s": NUMBER,
                        "quota": nullable(
                            object_of({"calls": COUNT, "window_s": COUNT, "left": nullable(COUNT)})
                        ),
                        "retry_at": nullable(MOMENT),
                    }
                )
            )
        }
    ),
    "Providers": object_of(
        {
            "providers": list_of(
                object_of(
                    {"name": TEXT, "label": TEXT, "method": one_of(["GET", "POST"]), "url": TEXT}
                )
            )
        }
    ),
    "Health": object_of(
        {"status": one_of(["ok", "stuck"]), "version": TEXT, "commit": TEXT},
        # Present only if the status is `stuck`: the names of the actors.
        actors=list_of(TEXT),
    ),
    "Ready": object_of(
        {
            "status": one_of(["ready", "degraded", "unusable", Phase.STARTING, Phase.DRAINING]),
            "checks": map_of(one_of(["ok", "failing"])),
            "sources": map_of(TEXT),
        },
        # Present only if a source is off, perhaps by mistake: the missing settings.
        notice=TEXT,
    ),
    "Problem": object_of(
        {
            "type": TEXT,
            "code": TEXT,
            "title": TEXT,
            "status": COUNT,
            "detail": TEXT,
            "instance": TEXT,
            "request_id": TEXT,
            "errors": list_of(object_of({"field": TEXT, "code": TEXT, "message": TEXT})),
        },
        sources=map_of(ref("SourceReport")),
    ),
}
