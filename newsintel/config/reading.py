"""Turns an environment into one frozen `Settings`.

Only this module reads the environment. An invalid setting is a `SettingsError` that names it in one
line. Which sources exist is not known here: each source file declares its own options
(`SourceOptions`), and `read_settings` receives them all.
"""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from attrs import evolve, fields

from newsintel.config.environment import PREFIX, SettingReader
from newsintel.config.rules import check_rules, check_secrets, check_stores
from newsintel.config.settings import LOG_FORMATS, Settings
from newsintel.config.source_reading import read_sources
from newsintel.config.strays import find_unknown_names
from newsintel.config.values import SourceOptions
from newsintel.config.workers import CONNECTIONS_PER_WORKER
from newsintel.errors import SettingsError


def read_settings(
    declared: Iterable[SourceOptions],
    environ: Mapping[str, str] | None = None,
    *,
    overrides: Mapping[str, str] | None = None,
) -> Settings:
    """Read every setting once.

    Args:
        declared: the options of every source that exists, in default founder order.
        environ: the environment; by default that of the process.
        overrides: values that replace those of the environment.

    Raises:
        SettingsError: a setting is invalid; the message names the first one.
    """
    reader = SettingReader(
        _derive_bind({**(os.environ if environ is None else environ), **(overrides or {})})
    )
    values = {
        field_.name: reader.read(
            field_.name.upper(),
            field_.metadata["parse"],
            field_.default,
            unit=field_.metadata["unit"],
            also=field_.metadata["also"],
        )
        for field_ in fields(Settings)
        if "parse" in field_.metadata
    }
    settings = _fill_defaults(Settings(**values), reader)
    settings = evolve(settings, source=read_sources(declared, settings, reader))
    settings = evolve(
        settings,
        rows=tuple(reader.rows),
        unknown=find_unknown_names(reader.environ, reader.known_names),
    )
    try:
        check_rules(settings)
        check_stores(settings, reader.environ)
        check_secrets(settings, reader)
    except SettingsError as error:
        # A missing setting may be there under a misspelt name.
        raise SettingsError("; ".join(map(str, (error, *settings.unknown)))) from None
    return settings


def read_log_format() -> str:
    """Return only LOG_FORMAT, for an environment that is invalid; `auto` if it is invalid too."""
    try:
        return str(SettingReader(os.environ).read("LOG_FORMAT", LOG_FORMATS, "auto"))
    except SettingsError:
        return "auto"


def _derive_bind(environ: Mapping[str, str]) -> Mapping[str, str]:
    """Derive BIND from a platform's PORT if BIND is unset.

    Such a platform routes to the machine's public address; development must not open it by
    accident.
    """
    port = environ.get("PORT")
    if not port or environ.get(f"{PREFIX}BIND"):
        return environ
    host = "0.0.0.0" if environ.get(f"{PREFIX}ENV") == "production" else "127.0.0.1"  # noqa: S104
    return {**environ, f"{PREFIX}BIND": f"{host}:{port}"}


def _fill_defaults(settings: Settings, reader: SettingReader) -> Settings:
    """Fill in the defaults that depend on other settings."""
    if not settings.public_url:
        settings = evolve(settings, public_url=f"http://localhost:{settings.bind.port}")
        reader.update_row("PUBLIC_URL", settings.public_url)
    if settings.data_dir == Path():
        # XDG Base Directory Specification 0.8.
        try:
            base = reader.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
        except RuntimeError:
            raise SettingsError(
                f"{PREFIX}DATA_DIR must be set if the user has no home folder"
            ) from None
        settings = evolve(settings, data_dir=Path(base).absolute() / "newsintel")
        reader.update_row("DATA_DIR", settings.data_dir)
    return _fit_database_pool(settings, reader)


def _fit_database_pool(settings: Settings, reader: SettingReader) -> Settings:
    """Give each worker enough connections to PostgreSQL, unless DATABASE_POOL is set too low."""
    needed, pool = CONNECTIONS_PER_WORKER * settings.workers, settings.database_pool
    if settings.workers == 1 or pool >= needed:
        return settings
    if reader.is_set("DATABASE_POOL"):
        raise SettingsError(
            f"{PREFIX}DATABASE_POOL ({pool}) must be at least {needed}: "
            f"{CONNECTIONS_PER_WORKER} for each of the {settings.workers} {PREFIX}WORKERS"
        )
    reader.update_row("DATABASE_POOL", needed)
    return evolve(settings, database_pool=needed)
