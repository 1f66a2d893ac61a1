"""Opens the way to the collector of traces, and closes it in bounded time."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from importlib import import_module

import trio

from newsintel.config.settings import Settings
from newsintel.domain.tracing import BeginRequest, begin_no_request
from newsintel.outbound.tracing.choice import choose_tracing
from newsintel.runtime.telemetry.logs import get_logger

log = get_logger(__name__)

ADAPTER = "newsintel.outbound.tracing.otel"
"""The one module that imports OpenTelemetry. Its import takes half a second, so it is not imported
before traces are on."""

FLUSH_S = 1.0
"""How long the end of the service waits for the last spans to be sent."""


@asynccontextmanager
async def open_tracing(
    settings: Settings, environ: Mapping[str, str]
) -> AsyncIterator[BeginRequest]:
    """Trace requests in the block, if the environment says so.

    At its end the last spans are sent. They are dropped if that takes longer than FLUSH_S, and if
    the block is cancelled or fails.

    Args:
        settings: give what every span says of this process.
        environ: chooses; the SDK itself reads the environment of the process.
    """
    if choose_tracing(environ).endpoint is None:
        yield begin_no_request
        return
    try:
        exporting = import_module(ADAPTER).Exporting(settings)
    except (ValueError, OSError, RuntimeError, ImportError) as error:  # a variable is invalid
        log.warning("traces_off", reason=str(error))
        yield begin_no_request
        return
    try:
        yield exporting.begin_request
        with trio.move_on_after(FLUSH_S):
            await trio.to_thread.run_sync(exporting.flush, abandon_on_cancel=True)
    finally:
        exporting.stop()
