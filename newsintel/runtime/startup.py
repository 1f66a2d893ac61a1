"""The beginning of `serve`: what must be known before anything starts, and what the log says of the service once it runs."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import trio

from newsintel.config.environment import PREFIX
from newsintel.config.settings import Settings
from newsintel.config.values import Address, Secret
from newsintel.domain.text.moments import KEPT_FROM, KEPT_UNTIL
from newsintel.errors import NewsIntelError


def check_clock(now: datetime) -> None:
    """See that the time can be right: the archive takes nothing from before 2000 or after 2199, and would put aside all that comes.

    Raises:
        NewsIntelError: it cannot, as on a machine that has no clock of its own and has not asked for the time yet.
    """
    if not KEPT_FROM <= now < KEPT_UNTIL:
        raise NewsIntelError(f"this machine's clock says {now:%Y-%m-%d}: set it, and start again")


async def check_addresses(settings: Settings) -> None:
    """See that the addresses to listen on can be had, by listening there for a moment.

    Otherwise a port in use would be found after the embedded servers had been started for nothing.

    Raises:
        NewsIntelError: one cannot; names the setting, the address and the reason.
    """
    for name, address in (("BIND", settings.bind), ("METRICS_BIND", settings.metrics_bind)):
        if address is not None:
            await _check(name, address)


async def _check(name: str, address: Address) -> None:
    try:
        listeners = await trio.open_tcp_listeners(address.port, host=address.host)
    except OSError as error:
        raise NewsIntelError(f"cannot listen on {address} ({PREFIX}{name}): {error.strerror or error}") from error
    for listener in listeners:
        await listener.aclose()


def serving_fields(settings: Settings, urls: Sequence[str], metrics_urls: Sequence[str]) -> dict[str, Any]:
    """What the line `serving` says: where it listens, which sources it asks, where it keeps what it finds. Nothing secret."""
    enabled = settings.enabled_sources
    fields: dict[str, Any] = {
        "url": urls,
        "metrics": metrics_urls,
        "sources": enabled,
        "sources_off": [name for name in settings.source if name not in enabled],
        "postgresql": place(settings.database_url),
        "redis": place(settings.redis_url),
    }
    return {name: value for name, value in fields.items() if value}


def place(url: Secret | None) -> str:
    """Where a store is: `embedded`, or host, port and database of its URL, without user, password and options."""
    if url is None:
        return "embedded"
    try:
        parts = urlsplit(url.reveal())
        host, port = parts.hostname or parse_qs(parts.query).get("host", [""])[0], parts.port
    except ValueError:
        return "set"
    return f"{host}{f':{port}' if port else ''}{parts.path}" or "set"
