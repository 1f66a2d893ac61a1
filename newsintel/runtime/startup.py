"""The start of `serve`: the checks before anything starts, and its log lines."""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import datetime
from typing import Any

import trio

from newsintel import __version__
from newsintel.config.database_url import DEFAULT_PORT, parse_database_url
from newsintel.config.environment import PREFIX
from newsintel.config.redis_url import SCHEMES, parse_redis_url
from newsintel.config.settings import Settings
from newsintel.config.values import ListenAddress, Secret
from newsintel.domain.operations.source_notice import make_source_notice
from newsintel.domain.text.moments import EARLIEST_TIME, LATEST_TIME
from newsintel.errors import NewsIntelError
from newsintel.runtime.clock import utc_now
from newsintel.runtime.telemetry.logs import get_logger

log = get_logger(__name__)


def announce_start(settings: Settings) -> None:
    """Log that the service starts, and which sources it lacks; check the clock.

    Raises:
        NewsIntelError: the clock is wrong.
    """
    several = {"workers": settings.workers} if settings.workers > 1 else {}
    log.info("starting", version=__version__, commit=settings.commit, env=settings.env, **several)
    if notice := make_source_notice(settings):
        log.warning("source_notice", notice=notice)
    check_clock(utc_now())


def check_clock(now: datetime) -> None:
    """Check that the machine's clock is plausible.

    The archive accepts only times from 2000 to 2199. With a wrong clock, every article would become
    a dead letter.

    Raises:
        NewsIntelError: the clock is outside these years; for example, the machine has no battery
            clock and has not synchronized its time yet.
    """
    if not EARLIEST_TIME <= now < LATEST_TIME:
        raise NewsIntelError(f"this machine's clock says {now:%Y-%m-%d}: set it, and start again")


async def check_addresses(settings: Settings) -> None:
    """Check that we can listen on the configured addresses, by doing so for a moment.

    Otherwise a port in use would be noticed only after the embedded servers have started.

    Raises:
        NewsIntelError: an address is not available; names the setting, the address and the reason.
    """
    async with AsyncExitStack() as held:
        # All at once: two settings with one address are in each other's way.
        for name, address in (("BIND", settings.bind), ("METRICS_BIND", settings.metrics_bind)):
            if address is not None:
                for listener in await _listen(name, address):
                    await held.enter_async_context(listener)


async def _listen(name: str, address: ListenAddress) -> list[trio.SocketListener]:
    try:
        return await trio.open_tcp_listeners(address.port, host=address.host)
    except OSError as error:
        raise NewsIntelError(
            f"cannot listen on {address} ({PREFIX}{name}): {error.strerror or error}"
        ) from error


def serving_fields(
    settings: Settings, urls: Sequence[str], metrics_urls: Sequence[str]
) -> dict[str, Any]:
    """Return the fields of the log line `serving`: addresses, sources and stores, no secrets."""
    enabled = settings.enabled_sources
    fields: dict[str, Any] = {
        "url": urls,
        "metrics": metrics_urls,
        "sources": enabled,
        "sources_off": [name for name in settings.source if name not in enabled],
        "postgresql": describe_store(settings.database_url),
        "redis": describe_store(settings.redis_url),
    }
    return {name: value for name, value in fields.items() if value}


def describe_store(url: Secret | None) -> str:
    """Describe where a store is: `embedded`, or the hosts, ports and database of its URL.

    User, password and options are left out.
    """
    if url is None:
        return "embedded"
    text = url.reveal()
    if text.startswith(SCHEMES):
        redis = parse_redis_url(text)
        return redis.path or f"{ListenAddress(redis.host, redis.port)}/{redis.db}"
    database = parse_database_url(text)
    ports = database.ports or (DEFAULT_PORT,) * len(database.hosts)
    places = [
        host if host.startswith("/") else str(ListenAddress(host, port))
        for host, port in zip(database.hosts, ports, strict=False)
    ]
    return f"{','.join(places)}/{database.database or ''}"
