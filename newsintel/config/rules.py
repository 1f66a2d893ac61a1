"""Rules between settings, and those of production."""

from collections.abc import Mapping

from newsintel.config.environment import PREFIX, SettingReader
from newsintel.config.settings import Settings
from newsintel.config.store_urls import check_store_urls
from newsintel.config.url_passwords import extract_passwords
from newsintel.config.values import Secret
from newsintel.errors import SettingsError

SHORTEST_SECRET = 8
"""Characters. The log hides a shorter secret only where it is a whole word (`redactor.SHORT`)."""


def check_rules(settings: Settings) -> None:
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
    if settings.production:
        _check_production(settings)


def _check_production(settings: Settings) -> None:
    """Check what production must have and must not have."""
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
    _check_source_addresses(settings)


def _check_source_addresses(settings: Settings) -> None:
    """Refuse to send keys and searches in clear text."""
    for name, source in settings.source.items():
        addresses = {"URL": source.url} | {
            key.upper(): value for key, value in source.values.items() if key.endswith("url")
        }
        for suffix, address_ in addresses.items():
            if source.enabled and address_ and not address_.startswith("https://"):
                raise SettingsError(
                    f"{PREFIX}{name.upper()}_{suffix} must start with https:// in production"
                )


def check_secrets(settings: Settings, reader: SettingReader) -> None:
    """Refuse short secrets in production.

    They can be guessed, and the log hides them only where they are whole words.
    """
    if not settings.production:
        return
    for name, value in reader.secrets.items():
        text_ = value.reveal()
        is_url = "://" in text_
        hidden = min(extract_passwords(text_), key=len, default="") if is_url else text_
        if hidden and len(hidden) < SHORTEST_SECRET:
            what = "the password in " if is_url else ""
            raise SettingsError(
                f"{what}{name} must have at least {SHORTEST_SECRET} characters in production"
            )


def check_stores(settings: Settings, environ: Mapping[str, str]) -> None:
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
