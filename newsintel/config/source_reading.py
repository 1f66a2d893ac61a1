"""Reads the settings of each source."""

from collections.abc import Iterable

from attrs import evolve

from newsintel.config.environment import PREFIX, SettingReader, shorten
from newsintel.config.settings import Settings, SourceSettings
from newsintel.config.values import (
    SourceOptions,
    parse_days,
    parse_positive_seconds,
    parse_quota,
    parse_seconds,
    url_parser,
)
from newsintel.errors import SettingsError


def read_sources(
    declared: Iterable[SourceOptions], settings: Settings, reader: SettingReader
) -> dict[str, SourceSettings]:
    """Return every source; those named in SOURCES are first, in that order."""
    found = {options.name: _read_source(options, settings, reader) for options in declared}
    for name in settings.sources:
        if name not in found:
            raise SettingsError(
                f"{PREFIX}SOURCES must list only {', '.join(found)}, not {shorten(name)!r}"
            )
    if not settings.sources:
        return found
    ordered = [
        *dict.fromkeys(settings.sources),
        *(name for name in found if name not in settings.sources),
    ]
    return {
        name: evolve(found[name], enabled=found[name].enabled and name in settings.sources)
        for name in ordered
    }


def _read_source(
    options: SourceOptions, settings: Settings, reader: SettingReader
) -> SourceSettings:
    prefix = options.name.upper() + "_"
    values = {
        name.lower(): reader.read(prefix + name, parse, None)
        for name, parse in options.required.items()
    }
    missing = tuple(
        PREFIX + prefix + name for name in options.required if values[name.lower()] is None
    )
    values |= {
        name.lower(): reader.read(prefix + name, parse, default)
        for name, (parse, default) in options.optional.items()
    }
    deadline_s = reader.read(
        prefix + "DEADLINE_S",
        parse_positive_seconds,
        min(1.0, settings.search_deadline_s),
        unit="s",
    )
    if deadline_s > settings.search_deadline_s:
        raise SettingsError(
            f"{PREFIX}{prefix}DEADLINE_S ({deadline_s:g}) must be at most "
            f"{PREFIX}SEARCH_DEADLINE_S ({settings.search_deadline_s:g})"
        )
    calls = options.url is not None
    return SourceSettings(
        name=options.name,
        url=reader.read(prefix + "URL", url_parser("http", "https"), options.url) if calls else "",
        deadline_s=deadline_s,
        pace_s=reader.read(prefix + "PACE_S", parse_seconds, options.pace_s, unit="s")
        if calls
        else 0.0,
        quota=reader.read(prefix + "QUOTA", parse_quota, options.quota) if calls else None,
        enabled=not missing and options.is_on(settings),
        values=values,
        missing=missing,
        half_set=0 < len(missing) < len(options.required),
        retention_d=reader.read(prefix + "RETENTION_D", parse_days, None, unit="days"),
    )
