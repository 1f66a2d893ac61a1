"""What several commands need before they start, and how a command speaks to whoever ran it."""

import sys
from collections.abc import Callable, Mapping
from typing import Any

from newsintel.config.settings import Settings, load, log_format
from newsintel.errors import SettingsError
from newsintel.outbound.sources import REGISTRY
from newsintel.runtime.telemetry.logs import for_machines, get_logger, redact, set_up_logging

log = get_logger(__name__)


def load_settings(overrides: Mapping[str, str] | None = None) -> Settings:
    """The settings of this process's environment.

    Args:
        overrides: environment names that count before the environment's own.

    Raises:
        SettingsError: naming the first setting that cannot be used.
    """
    return load([source.options for source in REGISTRY.values()], overrides=overrides)


def begin(read: Callable[[], Settings] = load_settings, *, quiet: bool = False) -> Settings:
    """Load the settings and set up the log by them; warn of names in the environment that were probably meant as settings.

    Args:
        read: gives the settings.
        quiet: only errors are logged, and what the command itself says.

    Raises:
        SettingsError: naming the first setting that cannot be used.
    """
    try:
        settings = read()
    except SettingsError:
        begin_without_settings()  # so that the error is told in the form that they ask for
        raise
    set_up_logging(settings, quiet=quiet)
    for stray in settings.unknown:
        log.warning("unknown_setting", name=stray.name, did_you_mean=stray.meant)
    return settings


def begin_without_settings() -> None:
    """Set up the log by LOG_FORMAT alone."""
    set_up_logging(Settings(log_format=log_format()), quiet=True)


def tell(event: str, text: str, **fields: Any) -> None:
    """Tell whoever ran the command something, on standard error.

    Args:
        event: what happened, with `fields`, for LOG_FORMAT json and emf, under which standard error has nothing but events.
        text: the same as a line for people.
        fields: of the event.
    """
    if for_machines():
        log.info(event, **fields)
    else:
        sys.stderr.write(redact(text) + "\n")


def explain(reason: str) -> None:
    """Say why the command failed, in one line on standard error."""
    if for_machines():
        log.error("command_failed", reason=reason)
    else:
        sys.stderr.write(redact(f"newsintel: {reason}") + "\n")
