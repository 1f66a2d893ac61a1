"""Every setting of newsintel: its name, default, unit and rule.

`reading` reads them from the environment.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from attrs import evolve, field, fields, frozen

from newsintel.config.database_url import check_database_url
from newsintel.config.environment import SettingRow
from newsintel.config.redis_url import check_redis_url
from newsintel.config.smtp_url import check_smtp_url, parse_sender
from newsintel.config.strays import UnknownName
from newsintel.config.url_passwords import extract_passwords
from newsintel.config.values import (
    FeedsChoice,
    ListenAddress,
    Network,
    Quota,
    Secret,
    choice_parser,
    integer_parser,
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
from newsintel.config.workers import parse_workers

LOG_FORMATS = choice_parser("auto", "text", "json", "emf")


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
        return (*texts, *(password for text_ in texts for password in extract_passwords(text_)))

    @property
    def enabled_sources(self) -> tuple[str, ...]:
        """The sources that are asked, in founder order."""
        return tuple(name for name, source in self.source.items() if source.enabled)
