"""Every setting of newsintel: its name, default, unit and rule.

Only this module reads the environment.

`read_settings` turns an environment into one frozen `Settings`, or raises a `SettingsError` that
names the setting in one line. This module does not know which sources exist: each source file
declares its own options (`SourceOptions`), and `read_settings` receives them all.
"""

import os
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from attrs import evolve, field, fields, frozen

from newsintel.config.database_url import check_database_url
from newsintel.config.environment import PREFIX, SettingReader, SettingRow
from newsintel.config.redis_url import check_redis_url
from newsintel.config.smtp_url import check_smtp_url, parse_sender
from newsintel.config.store_urls import check_store_urls
from newsintel.config.strays import UnknownName, find_unknown_names
from newsintel.config.values import (
    FeedsChoice,
    ListenAddress,
    Network,
    Quota,
    Secret,
    SourceOptions,
    choice_parser,
    integer_parser,
    parse_days,
    parse_feeds,
    parse_flag,
    parse_folder,
    parse_issuer,
    parse_key_list,
    parse_list,
    parse_listen_address,
    parse_networks,
    parse_origins,
    parse_people,
    parse_positive_seconds,
    parse_quota,
    parse_seconds,
    parse_secret,
    parse_sign_in_list,
    parse_text,
    url_parser,
)
from newsintel.config.workers import CONNECTIONS_PER_WORKER, parse_workers
from newsintel.errors import SettingsError

LOG_FORMATS = choice_parser("auto", "text", "json", "emf")

SHORTEST_SECRET = 8
"""Characters. The log hides a shorter secret only where it is a whole word (`redactor.SHORT`)."""


def define_setting(
    parse: Callable[[str], Any], default: Any, *, unit: str = "", also: str = ""
) -> Any:
    """Return an attrs field read from NEWSINTEL_<NAME>, else from the platform's name `also`."""
    return field(default=default, metadata={"parse": parse, "unit": unit, "also": also})


@frozen
class SourceSettings:
    """The settings of one source.

    Attributes:
        url: the base of its API; empty if it calls nobody.
        values: the settings that its SourceOptions declare, by lower-case name; None if unset.
        retention_d: days after which its articles are deleted; None = never.
        missing: the names of the required settings that are not set; with any, the source is off.
        half_set: some required settings are set, and some are missing.
    """

    name: str
    url: str
    deadline_s: float
    pace_s: float
    quota: Quota | None
    enabled: bool
    values: Mapping[str, Any]
    missing: tuple[str, ...] = ()
    half_set: bool = False
    retention_d: int | None = None


@frozen(kw_only=True)
class Settings:
    """All settings of newsintel. Units are in the names.

    Defaults are those of the contract unless a comment gives another reason.
    """

    env: str = define_setting(choice_parser("development", "production"), "development")
    bind: ListenAddress = define_setting(parse_listen_address, ListenAddress("127.0.0.1", 8000))
    public_url: str = define_setting(url_parser("http", "https"), "")
    allowed_hosts: tuple[str, ...] = define_setting(parse_list, ())
    trusted_proxies: tuple[Network, ...] = define_setting(parse_networks, ())
    data_dir: Path = define_setting(parse_folder, Path())
    database_url: Secret | None = define_setting(check_database_url, None, also="DATABASE_URL")
    database_password: Secret | None = define_setting(parse_secret, None)
    database_pool: int = define_setting(integer_parser(1, 100), 10, unit="connections")
    database_read_url: Secret | None = define_setting(check_database_url, None)
    migrate_database_url: Secret | None = define_setting(check_database_url, None)
    migrate_database_password: Secret | None = define_setting(parse_secret, None)
    redis_url: Secret | None = define_setting(check_redis_url, None, also="REDIS_URL")
    redis_password: Secret | None = define_setting(parse_secret, None)
    sources: tuple[str, ...] = define_setting(parse_list, ())
    feeds: FeedsChoice = define_setting(parse_feeds, FeedsChoice("default"))
    feeds_poll_min_s: float = define_setting(parse_positive_seconds, 900.0, unit="s")
    feeds_poll_max_s: float = define_setting(parse_positive_seconds, 86400.0, unit="s")
    private_addresses: bool = define_setting(parse_flag, default=False)
    # The first key signs, all keys verify. Without any, development creates one at first use and
    # stores it in DATA_DIR.
    secret_keys: tuple[Secret, ...] = define_setting(parse_key_list, ())
    session_idle_s: float = define_setting(parse_positive_seconds, 14 * 86400.0, unit="s")
    session_max_s: float = define_setting(parse_positive_seconds, 90 * 86400.0, unit="s")
    sign_in: tuple[str, ...] = define_setting(parse_sign_in_list, ("anyone",))
    ops_page: bool = define_setting(parse_flag, default=False)
    operators: tuple[str, ...] = define_setting(parse_people, ())
    oidc_issuer: str | None = define_setting(parse_issuer, None)
    oidc_client_id: str | None = define_setting(parse_text, None)
    oidc_client_secret: Secret | None = define_setting(parse_secret, None)
    oidc_label: str = define_setting(parse_text, "OpenID Connect")
    dev_sign_in: bool = define_setting(parse_flag, default=False)
    smtp_url: Secret | None = define_setting(check_smtp_url, None)
    smtp_from: str | None = define_setting(parse_sender, None)
    alerts_per_person: int = define_setting(integer_parser(1, 10_000), 100, unit="searches")
    cors_origins: tuple[str, ...] = define_setting(parse_origins, ())
    search_deadline_s: float = define_setting(parse_positive_seconds, 1.5, unit="s")
    cache_ttl_s: float = define_setting(parse_positive_seconds, 300.0, unit="s")
    cache_revalidate_s: float = define_setting(parse_seconds, 60.0, unit="s")
    cache_stale_s: float = define_setting(parse_seconds, 3600.0, unit="s")
    cache_partial_s: float = define_setting(parse_positive_seconds, 30.0, unit="s")
    rate_limit: Quota | None = define_setting(parse_quota, Quota(60, 60))
    miss_limit: Quota | None = define_setting(parse_quota, Quota(30, 60))
    spool_max_bytes: int = define_setting(integer_parser(0, 2**40), 256 * 2**20, unit="bytes")
    history_retention_d: int = define_setting(integer_parser(1, 3650), 90, unit="days")
    # A floor of one would show what a single person searched for.
    trending_floor: int = define_setting(integer_parser(2, 10_000), 3, unit="people")
    log_level: str = define_setting(choice_parser("debug", "info", "warning", "error"), "info")
    log_format: str = define_setting(LOG_FORMATS, "auto")
    metrics_bind: ListenAddress | None = define_setting(parse_listen_address, None)
    metrics_token: Secret | None = define_setting(parse_secret, None)
    max_flights: int = define_setting(integer_parser(1, 10_000), 64, unit="flights")
    drain_s: float = define_setting(parse_positive_seconds, 20.0, unit="s")
    max_connections: int = define_setting(integer_parser(1, 1_000_000), 4096, unit="connections")
    max_connections_per_address: int = define_setting(
        integer_parser(1, 1_000_000), 256, unit="connections"
    )
    head_timeout_s: float = define_setting(parse_positive_seconds, 10.0, unit="s")
    workers: int = define_setting(parse_workers, 1, unit="processes")
    # The commit of the build. The image sets it; a checkout does not.
    commit: str = define_setting(parse_text, "unknown")

    source: Mapping[str, SourceSettings] = field(factory=dict)
    """Every source, in founder order: those of SOURCES first."""
    rows: tuple[SettingRow, ...] = field(default=(), repr=False)
    """What `newsintel config` prints."""
    unknown: tuple[UnknownName, ...] = ()
    """Names in the environment that look like settings but are not."""

    @property
    def production(self) -> bool:
        """True if the safe settings are required."""
        return self.env == "production"

    def for_worker(self) -> "Settings":
        """Return these settings with a worker's share of what the whole service may have open.

        A share is rounded down, so all together never exceed the setting. MAX_CONNECTIONS is not
        divided: workers know how many connections all of them have.
        """
        return evolve(
            self,
            database_pool=self.database_pool // self.workers,
            max_connections_per_address=max(1, self.max_connections_per_address // self.workers),
        )

    def list_secrets(self) -> tuple[str, ...]:
        """Return all secrets for the log's redactor.

        These are the text of every secret, and the password in every URL, both encoded and decoded.
        """
        values = [getattr(self, field_.name) for field_ in fields(type(self))]
        values += [value for source in self.source.values() for value in source.values.values()]
        values += self.secret_keys
        texts = [value.reveal() for value in values if isinstance(value, Secret)]
        return (*texts, *(password for text_ in texts for password in _extract_passwords(text_)))

    @property
    def enabled_sources(self) -> tuple[str, ...]:
        """The sources that are asked, in founder order."""
        return tuple(name for name, source in self.source.items() if source.enabled)


def _extract_passwords(text_: str) -> set[str]:
    written = [
        word
        for pair in re.findall(r"://[^:/@]*:([^/]*)@|[?&](?:ssl_?)?password=([^&]*)", text_)
        for word in pair
        if word
    ]
    return {*written, *map(unquote, written)}


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
    settings = evolve(settings, source=_read_sources(declared, settings, reader))
    settings = evolve(
        settings,
        rows=tuple(reader.rows),
        unknown=find_unknown_names(reader.environ, reader.known_names),
    )
    try:
        _check_rules(settings)
        _check_stores(settings, reader.environ)
        _check_secrets(settings, reader)
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


def _read_sources(
    declared: Iterable[SourceOptions], settings: Settings, reader: SettingReader
) -> dict[str, SourceSettings]:
    """Return every source; those named in SOURCES are first, in that order."""
    found = {options.name: _read_source(options, settings, reader) for options in declared}
    for name in settings.sources:
        if name not in found:
            raise SettingsError(f"{PREFIX}SOURCES must list only {', '.join(found)}, not {name!r}")
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


def _check_secrets(settings: Settings, reader: SettingReader) -> None:
    """Refuse short secrets in production.

    They can be guessed, and the log hides them only where they are whole words.
    """
    if not settings.production:
        return
    for name, value in reader.secrets.items():
        text_ = value.reveal()
        is_url = "://" in text_
        hidden = min(_extract_passwords(text_), key=len, default="") if is_url else text_
        if hidden and len(hidden) < SHORTEST_SECRET:
            what = "the password in " if is_url else ""
            raise SettingsError(
                f"{what}{name} must have at least {SHORTEST_SECRET} characters in production"
            )


def _check_rules(settings: Settings) -> None:
    """Check the rules between settings, and those of production."""
    if settings.dev_sign_in and (settings.production or not settings.bind.is_loopback):
        raise SettingsError(
            f"{PREFIX}DEV_SIGN_IN lets anybody sign in: "
            f"use it only in development, with a loopback {PREFIX}BIND"
        )
    if settings.oidc_issuer and not settings.oidc_client_id:
        raise SettingsError(f"{PREFIX}OIDC_CLIENT_ID must be set if {PREFIX}OIDC_ISSUER is")
    if settings.ops_page and not settings.operators:
        raise SettingsError(
            f"{PREFIX}OPERATORS must be set if {PREFIX}OPS_PAGE is 1: the people who may see it"
        )
    if (settings.smtp_url is None) != (settings.smtp_from is None):
        raise SettingsError(f"{PREFIX}SMTP_URL and {PREFIX}SMTP_FROM must be set together")
    if settings.feeds_poll_min_s > settings.feeds_poll_max_s:
        raise SettingsError(
            f"{PREFIX}FEEDS_POLL_MIN_S ({settings.feeds_poll_min_s:g}) must be at most "
            f"{PREFIX}FEEDS_POLL_MAX_S ({settings.feeds_poll_max_s:g})"
        )
    if not settings.production:
        return
    if settings.private_addresses:
        raise SettingsError(
            f"{PREFIX}PRIVATE_ADDRESSES must not be 1 in production: "
            "a feed or a receiver of alerts could make this service call your own network"
        )
    required = {"DATABASE_URL": settings.database_url, "REDIS_URL": settings.redis_url}
    for name, value in required.items():
        if value is None:
            raise SettingsError(
                f"{PREFIX}{name} must be set in production: "
                "the embedded servers are for development"
            )
    if not settings.secret_keys:
        raise SettingsError(
            f"{PREFIX}SECRET_KEYS must be set in production: all processes need the same keys"
        )
    if not settings.public_url.startswith("https://"):
        raise SettingsError(f"{PREFIX}PUBLIC_URL must start with https:// in production")
    if settings.oidc_issuer and not settings.oidc_issuer.startswith("https://"):
        raise SettingsError(f"{PREFIX}OIDC_ISSUER must start with https:// in production")
    for name, source in settings.source.items():
        addresses = {"URL": source.url} | {
            key.upper(): value for key, value in source.values.items() if key.endswith("url")
        }
        for suffix, address_ in addresses.items():
            if source.enabled and address_ and not address_.startswith("https://"):
                raise SettingsError(
                    f"{PREFIX}{name.upper()}_{suffix} must start with https:// in production"
                )


def _check_stores(settings: Settings, environ: Mapping[str, str]) -> None:
    """Check the rules of the stores' URLs, each under the name that it was read from."""
    origin = {row.name: row.origin for row in settings.rows}

    def named(*names: str) -> dict[str, Secret]:
        return {
            origin[PREFIX + name.upper()]: url_
            for name in names
            if (url_ := getattr(settings, name))
        }

    databases = named("database_url", "database_read_url", "migrate_database_url")
    redis = named("redis_url")
    check_store_urls(databases, redis, environ, production=settings.production)
