"""The log.

A module gets its logger from `get_logger` and logs an event's key with fields:
`log.warning("store_failing", store="redis")`. Our events and the records of libraries go through
the standard library's root logger to one handler on standard error. Its one formatter (`log_lines`)
redacts secrets as the last step. The log never writes to standard output, not even before it is set
up.
"""

import logging
import sys
from collections.abc import Mapping
from types import TracebackType
from typing import Any

import structlog
from structlog.contextvars import bind_contextvars, get_contextvars
from structlog.stdlib import BoundLogger
from structlog.typing import EventDict

from newsintel.config.settings import Settings
from newsintel.runtime.telemetry.log_lines import FIELDS, LineFormatter, wants_color

QUIETED = {
    "httpx": logging.WARNING,
    "httpcore": logging.WARNING,
    "alembic": logging.WARNING,
    "asyncpg": logging.ERROR,
    "mcp": logging.WARNING,
    "opentelemetry": logging.ERROR,
    "opentelemetry.exporter": logging.WARNING,
    "opentelemetry.sdk": logging.WARNING,
    "opentelemetry.sdk._shared_internal": logging.ERROR,
}
"""The lowest level that is logged of each library.

httpx and httpcore log each URL at INFO, with the Guardian's key (encode/httpx#2760). asyncpg logs a
warning with a traceback for each attempt to reconnect. Our own events report once what Alembic and
asyncpg log. The SDK of MCP logs the start and the end of each request. OpenTelemetry logs invalid
headers, with the key of its own exporter or at a caller's wish, and each span that it drops.
"""

MACHINES = ("json", "emf")
"""The forms of the log that programs read."""

COMMANDS = "newsintel.commands"
"""The loggers of commands. They log at INFO also where all other loggers are quiet."""

METRICS = "newsintel.actors.emf_writer"
"""The logger of the metrics. Its lines are written whatever LOG_LEVEL is."""


def get_logger(name: str) -> BoundLogger:
    """Return a module's logger; `name` is its `__name__`."""
    logger: BoundLogger = structlog.get_logger(name)
    return logger


def request_context() -> Mapping[str, Any]:
    """Return the fields of all lines of the current request, such as `request_id`.

    Another task that works for the request passes them to `enter_context`.
    """
    return get_contextvars()


def enter_context(context: Mapping[str, Any]) -> None:
    """Add a request's fields to all lines of this task and of the tasks that it starts later."""
    bind_contextvars(**context)


def set_up_logging(
    settings: Settings, *, quiet: bool = False, common: Mapping[str, Any] | None = None
) -> None:
    """Set the log's level, its format and the secrets to hide.

    Args:
        settings: contain all three.
        quiet: log only errors, for commands whose output matters more; the command's own events are
            still logged.
        common: fields of every line.
    """
    as_json = settings.log_format in MACHINES or (
        settings.log_format == "auto" and not sys.stderr.isatty()
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        LineFormatter(
            settings.list_secrets(),
            as_json=as_json,
            alone=settings.log_format in MACHINES,
            colored=wants_color(sys.stderr),
            common=common,
        )
    )
    root, level = logging.getLogger(), logging.getLevelNamesMapping()[settings.log_level.upper()]
    root.handlers[:] = [handler]
    root.setLevel(max(level, logging.ERROR) if quiet else level)
    logging.getLogger(COMMANDS).setLevel(max(level, logging.INFO))
    logging.getLogger(METRICS).setLevel(logging.INFO)
    quiet_libraries()
    logging.captureWarnings(capture=True)
    sys.excepthook = _log_crash
    sys.unraisablehook = _log_unraisable


def is_for_machines() -> bool:
    """Return whether LOG_FORMAT allows only events on standard error.

    Then the messages of commands must be events too.
    """
    return isinstance(formatter := _find_formatter(), LineFormatter) and formatter.alone


def redact(text: str) -> str:
    """Return a text without the secrets that are known so far."""
    formatter = _find_formatter()
    return formatter.redact_text(text) if isinstance(formatter, LineFormatter) else text


def _find_formatter() -> logging.Formatter | None:
    handlers = logging.getLogger().handlers
    return handlers[0].formatter if handlers else None


def quiet_libraries() -> None:
    """Set each library of QUIETED to its level, or to the log's level if that is higher."""
    for name, lowest in QUIETED.items():
        logging.getLogger(name).setLevel(max(logging.getLogger().level, lowest))


def _pass_to_stdlib(
    _logger: object, _method: str, event: EventDict
) -> tuple[tuple[str], dict[str, Any]]:
    """Pass an event to the standard library.

    The key becomes the message. The fields become one attribute, so they cannot overwrite others.
    """
    key, exc_info, stack_info = (
        event.pop("event"),
        event.pop("exc_info", None),
        event.pop("stack_info", False),
    )
    return (key,), {"exc_info": exc_info, "stack_info": stack_info, "extra": {FIELDS: event}}


def _log_crash(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """Log the last line of a process that ends because of a bug."""
    log.critical("crashed", exc_info=(kind, error, trace))


def _log_unraisable(found: "sys.UnraisableHookArgs") -> None:
    """Log an exception that has no caller, such as one in a finalizer."""
    log.error("unraisable", about=found.err_msg or repr(found.object), exc_info=found.exc_value)


structlog.configure(
    processors=[structlog.stdlib.filter_by_level, _pass_to_stdlib],
    logger_factory=logging.getLogger,
    wrapper_class=BoundLogger,
    cache_logger_on_first_use=True,
)
if logging.lastResort is not None:
    # Before the log is set up, records of level WARNING or above go to standard error too. They
    # also pass a redactor.
    logging.lastResort.setFormatter(LineFormatter((), as_json=False))
quiet_libraries()

log = get_logger(__name__)
