"""Shared by commands: loading settings, setting up the log, and messages on standard error."""

import sys
from collections.abc import Callable, Mapping
from typing import Any

from newsintel.config.reading import read_log_format, read_settings
from newsintel.config.settings import Settings
from newsintel.errors import SettingsError
from newsintel.runtime.telemetry.logs import (
    get_logger,
    is_for_machines,
    is_set_up,
    redact,
    set_up_logging,
)

log = get_logger(__name__)


def load_settings(overrides: Mapping[str, str] | None = None) -> Settings:
    """Load the settings from this process's environment.

    Args:
        overrides: values by environment name, which take precedence over the environment.

    Raises:
        SettingsError: names the first invalid setting.
    """
    # A source of another package may be unusable, and that must be said in one line, too.
    from newsintel.outbound.sources import REGISTRY  # noqa: PLC0415

    return read_settings([source.options for source in REGISTRY.values()], overrides=overrides)


def load_settings_and_log(
    read: Callable[[], Settings] = load_settings, *, quiet: bool = False, worker: int | None = None
) -> Settings:
    """Load the settings and set up the log. Warns of environment names that look like settings.

    Args:
        read: returns the settings.
        quiet: log only errors and the command's own messages.
        worker: the number of this worker, which each of its lines shows. Its supervisor has warned
            already. None = this process is no worker.

    Raises:
        SettingsError: names the first invalid setting.
    """
    try:
        settings = read()
    except SettingsError:
        set_up_log_only()  # so that the error has the form of LOG_FORMAT
        raise
    if worker is not None:
        set_up_logging(settings, quiet=quiet, common={"worker": worker})
        return settings
    set_up_logging(settings, quiet=quiet)
    for stray in settings.unknown:
        log.warning("unknown_setting", name=stray.name, did_you_mean=stray.suggestion)
    return settings


def set_up_log_only() -> None:
    """Set up the log from LOG_FORMAT alone."""
    set_up_logging(Settings(log_format=read_log_format()), quiet=True)


def ensure_log() -> None:
    """Set up the log from LOG_FORMAT if nothing has set it up."""
    if not is_set_up():
        set_up_log_only()


def write_message(event: str, text: str, **fields: Any) -> None:
    """Write a message to standard error.

    Args:
        event: the log event, with `fields`, for LOG_FORMAT json and emf, where standard error has
            only events.
        text: the same message as a line for people.
        fields: the fields of the event.
    """
    if is_for_machines():
        log.info(event, **fields)
    else:
        sys.stderr.write(redact(text) + "\n")


def write_failure(reason: str, *, program: str = "newsintel") -> None:
    """Write one line to standard error that says why the command, or a part of its work, failed.

    Args:
        reason: without secrets that are not known to the redactor yet.
        program: what a line for people begins with.
    """
    if is_for_machines():
        log.error("command_failed", reason=reason)
    else:
        sys.stderr.write(redact(f"{program}: {reason}") + "\n")
