"""The log: one way in, one formatter, one way out.

A module takes its logger from `get_logger` and logs an event's key with fields: `log.warning("store_failing", store="redis")`. Such events
and the records of libraries go through the standard library's root logger to one handler on standard error, with one formatter
(`log_lines`), which redacts last. Nothing goes to standard output, also before the log is set up.
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
from newsintel.runtime.telemetry.log_lines import FIELDS, Line, wants_color

QUIETED = {"httpx": logging.WARNING, "httpcore": logging.WARNING, "alembic": logging.WARNING, "asyncpg": logging.ERROR}
"""The lowest level that is logged of libraries. The first two log each URL at INFO, the Guardian's key in it (encode/httpx#2760); asyncpg
warns with a traceback at each attempt to reconnect. What Alembic and asyncpg tell, events of ours tell once."""

MACHINES = ("json", "emf")
"""The forms of the log that programs read."""

COMMANDS = "newsintel.commands"
"""The loggers of commands, which speak to whoever ran them where all others are quiet."""

METRICS = "newsintel.actors.emf_writer"
"""The logger of the metrics, whose lines no LOG_LEVEL keeps back."""


def get_logger(name: str) -> BoundLogger:
    """A module's logger; `name` is its `__name__`."""
    logger: BoundLogger = structlog.get_logger(name)
    return logger


def request_context() -> Mapping[str, Any]:
    """What every line of the current request carries, its `request_id` above all; for another task that works for the request."""
    return get_contextvars()


def enter_context(context: Mapping[str, Any]) -> None:
    """Have every line of this task, and of tasks that it starts from now on, carry a request's context."""
    bind_contextvars(**context)


def set_up_logging(settings: Settings, *, quiet: bool = False) -> None:
    """Give the log its level, its form and the secrets to hide.

    Args:
        settings: have all three.
        quiet: only errors, for commands whose own output is the point; what the command itself says is logged all the same.
    """
    as_json = settings.log_format in MACHINES or (settings.log_format == "auto" and not sys.stderr.isatty())
    handler = logging.StreamHandler()
    handler.setFormatter(Line(settings.secrets(), as_json=as_json, alone=settings.log_format in MACHINES, colored=wants_color(sys.stderr)))
    root, level = logging.getLogger(), logging.getLevelNamesMapping()[settings.log_level.upper()]
    root.handlers[:] = [handler]
    root.setLevel(max(level, logging.ERROR) if quiet else level)
    logging.getLogger(COMMANDS).setLevel(max(level, logging.INFO))
    logging.getLogger(METRICS).setLevel(logging.INFO)
    quiet_libraries()
    logging.captureWarnings(capture=True)
    sys.excepthook = _log_crash
    sys.unraisablehook = _log_unraisable


def for_machines() -> bool:
    """Whether LOG_FORMAT asks for nothing but events on standard error, what commands tell people included."""
    return isinstance(formatter := _formatter(), Line) and formatter.alone


def redact(text: str) -> str:
    """A text without secrets, as far as they are known by now."""
    formatter = _formatter()
    return formatter.redact_text(text) if isinstance(formatter, Line) else text


def _formatter() -> logging.Formatter | None:
    handlers = logging.getLogger().handlers
    return handlers[0].formatter if handlers else None


def quiet_libraries() -> None:
    """Give each library of QUIETED its level, or the log's own if that is higher."""
    for name, lowest in QUIETED.items():
        logging.getLogger(name).setLevel(max(logging.getLogger().level, lowest))


def _hand_over(_logger: object, _method: str, event: EventDict) -> tuple[tuple[str], dict[str, Any]]:
    """Give an event to the standard library: its key as the message, its fields as one attribute, which can collide with none."""
    key, exc_info, stack_info = event.pop("event"), event.pop("exc_info", None), event.pop("stack_info", False)
    return (key,), {"exc_info": exc_info, "stack_info": stack_info, "extra": {FIELDS: event}}


def _log_crash(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """The last line of a process that a bug ends."""
    log.critical("crashed", exc_info=(kind, error, trace))


def _log_unraisable(found: "sys.UnraisableHookArgs") -> None:
    """An exception that nobody could be told, as of a finalizer."""
    log.error("unraisable", about=found.err_msg or repr(found.object), exc_info=found.exc_value)


structlog.configure(
    processors=[structlog.stdlib.filter_by_level, _hand_over],
    logger_factory=logging.getLogger,
    wrapper_class=BoundLogger,
    cache_logger_on_first_use=True,
)
if logging.lastResort is not None:
    # What is logged before the log is set up (at WARNING or above) goes to standard error too, and past a redactor.
    logging.lastResort.setFormatter(Line((), as_json=False))
quiet_libraries()

log = get_logger(__name__)
