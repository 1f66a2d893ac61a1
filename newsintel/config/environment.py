"""Reads single settings from a given environment, and records each for `newsintel config`."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from attrs import evolve, field, frozen

from newsintel.config.database_url import check_database_url
from newsintel.config.redis_url import check_redis_url
from newsintel.config.smtp_url import check_smtp_url
from newsintel.config.values import (
    Secret,
    parse_days,
    parse_key_list,
    parse_quota,
    parse_secret,
)
from newsintel.errors import SettingsError

PREFIX = "NEWSINTEL_"
DEFAULT = "default"
"""The origin of a setting that is not set."""

SECRET_PARSERS = (
    parse_secret,
    parse_key_list,
    check_database_url,
    check_redis_url,
    check_smtp_url,
)
"""The parsers of values that are never shown, and that may come from a file."""

MAX_SHOWN = 200
"""Characters of an invalid value that a message repeats: a message is one line."""


@frozen
class SettingRow:
    """One line of `newsintel config`. `value` has secrets already hidden."""

    name: str
    value: str
    unit: str
    origin: str


@frozen
class SettingReader:
    """Reads single settings from an environment, and records each as a row.

    Attributes:
        known_names: every name that may be set.
        secrets: the secrets that are set, by the name under which they were found.
    """

    environ: Mapping[str, str]
    rows: list[SettingRow] = field(factory=list)
    known_names: set[str] = field(factory=set)
    secrets: dict[str, Secret] = field(factory=dict)

    def read(
        self,
        name: str,
        parse: Callable[[str], Any],
        default: Any,
        *,
        unit: str = "",
        also: str = "",
    ) -> Any:
        """Return one setting's value: from its own name, else from `also`, else the default.

        Raises:
            SettingsError: the value is invalid. The message names the setting, and repeats the
                value unless it is a secret.
        """
        raw, origin = self._find_text(PREFIX + name, also, takes_file=parse in SECRET_PARSERS)
        try:
            value = default if raw is None else parse(raw)
        except ValueError as error:
            shown = "" if parse in SECRET_PARSERS else f", not {shorten(raw or '')!r}"
            raise SettingsError(f"{origin} {error}{shown}") from None
        off = value is None and parse in (parse_quota, parse_days)
        text = "off" if off else _format_value(value)
        self.rows.append(SettingRow(PREFIX + name, text, unit, origin))
        if isinstance(value, Secret):
            self.secrets[origin] = value
        return value

    def _find_text(self, name: str, also: str, *, takes_file: bool) -> tuple[str | None, str]:
        """Return a setting's text and its origin; a secret may be in the file NAME_FILE."""
        self.known_names.update((name, f"{name}_FILE") if takes_file else (name,))
        for candidate in filter(None, (name, also)):
            raw, file = self.environ.get(candidate), f"{candidate}_FILE"
            path = self.environ.get(file) if takes_file else None
            if raw and path:
                raise SettingsError(f"{candidate} and {file} are both set: unset one of them")
            if raw:
                return raw, candidate
            if path:
                return _read_file(file, path), file
        return None, DEFAULT

    def is_set(self, name: str) -> bool:
        """Return whether a setting that was read has a value in the environment."""
        return next(row for row in self.rows if row.name == PREFIX + name).origin != DEFAULT

    def update_row(self, name: str, value: Any) -> None:
        """Show a default that was derived from other settings."""
        at = next(i for i, row in enumerate(self.rows) if row.name == PREFIX + name)
        self.rows[at] = evolve(self.rows[at], value=_format_value(value))


def shorten(raw: str) -> str:
    """Return the beginning of a value, for a message."""
    return raw if len(raw) <= MAX_SHOWN else f"{raw[:MAX_SHOWN]}\u2026"


def _read_file(name: str, path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text in UTF-8"
        raise SettingsError(f"{name} names a file that cannot be read: {reason}") from None


def _format_value(value: Any) -> str:
    """Return a value as it is written in the environment; - if it is unset."""
    if value is None or value == ():
        return "-"
    if isinstance(value, bool) or (isinstance(value, float) and value.is_integer()):
        return str(int(value))
    text = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
    # The name of a file may have bytes that are not UTF-8, which JSON cannot hold.
    return re.sub(r"[\ud800-\udfff]", "\N{REPLACEMENT CHARACTER}", text)
