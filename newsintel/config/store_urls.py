"""Rules for the URLs of PostgreSQL and Redis that depend on the environment or on production."""

from collections.abc import Mapping

from newsintel.config import database_url, redis_url
from newsintel.config.database_environment import check_environment
from newsintel.config.values import Secret
from newsintel.errors import SettingsError


def check_store_urls(
    databases: Mapping[str, Secret],
    redis: Mapping[str, Secret],
    environ: Mapping[str, str],
    *,
    production: bool,
) -> None:
    """Raise SettingsError for the first URL that cannot be used here.

    Args:
        databases: URLs of PostgreSQL by the names of their settings.
        redis: URLs of Redis by the names of their settings.
        environ: the environment, in which the driver looks for what a URL leaves out.
        production: whether connections must be safe: encrypted and to a server that proves its
            name, or on this machine.
    """
    for name, text in databases.items():
        _check_database_url(name, text, environ, production=production)
    for name, text in redis.items():
        _check_redis_url(name, text, production=production)


def _check_database_url(
    name: str, text: Secret, environ: Mapping[str, str], *, production: bool
) -> None:
    url = database_url.parse_database_url(text.reveal())
    if production and not (url.verifies_server or url.is_local(environ)):
        raise SettingsError(
            f"{name} must say sslmode=verify-full in production, "
            "or lead to a unix socket or loopback address"
        )
    try:
        check_environment(url, environ)
    except ValueError as error:
        raise SettingsError(f"{name} {error}") from None


def _check_redis_url(name: str, text: Secret, *, production: bool) -> None:
    url = redis_url.parse_redis_url(text.reveal())
    if production and not (url.verifies_server or url.is_local):
        raise SettingsError(
            f"{name} must start with rediss:// in production and check certificates, "
            "or lead to a unix socket or loopback address"
        )
    try:
        url.check_certificates()
    except ValueError as error:
        raise SettingsError(f"{name} {error}") from None
