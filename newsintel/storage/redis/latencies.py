"""The LatencyStore port on Redis: one hash per UTC day, which expires after eight days.

A hash has a field for each source, status and step of the latency scale.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import date, timedelta

from newsintel.domain.operations.latencies import Latency
from newsintel.domain.search.outcome import Status
from newsintel.storage.redis.link import RedisLink
from newsintel.storage.redis.numbers import parse_number
from newsintel.storage.redis.replies import check_bytes
from newsintel.storage.redis.server import RedisServer

DAYS = 8
"""Today and the seven days before: at least a whole week at any hour."""

COUNTS_KEEP_S = DAYS * 86_400

MOST_DIGITS = 19
"""Most digits of a count: Redis counts in 64 bits."""


class RedisLatencies:
    """Counts in Redis: key `latencies:<day>`, field `<source> <status> <ms>`."""

    def __init__(self, link: RedisLink) -> None:
        self._link = link

    async def add(self, day: date, counts: Mapping[Latency, int]) -> None:
        """All counts are added, or none."""
        key = _build_key(day)
        fields = {f"{one.source} {one.status} {one.ms}": count for one, count in counts.items()}
        await self._link.call(key, _add, key, fields)

    async def read_totals(self, last: date) -> Mapping[Latency, int]:
        """A field that this version cannot read is ignored."""
        total: Counter[Latency] = Counter()
        keys = [_build_key(last - timedelta(days=back)) for back in range(DAYS)]
        for day in await self._link.each([("HGETALL", key) for key in keys], _read_day):
            for field, value in day:
                latency, count = _read_field(field), parse_number(value, MOST_DIGITS)
                if latency is not None and count is not None:
                    total[latency] += count
        return total


async def _add(server: RedisServer, key: str, counts: Mapping[str, int]) -> None:
    async with server.redis.pipeline(transaction=True) as together:
        for field, count in counts.items():
            together.hincrby(key, field, count)
        together.expire(key, COUNTS_KEEP_S)
        await together.execute()


def _read_day(fields: Mapping[bytes, bytes]) -> list[tuple[bytes, bytes]]:
    """Read the fields of a day, as redis-py returns them."""
    return [
        (check_bytes(field) or b"", check_bytes(value) or b"") for field, value in fields.items()
    ]


def _build_key(day: date) -> str:
    return f"latencies:{day.isoformat()}"


def _read_field(field: bytes) -> Latency | None:
    """Read a field; None if another version wrote it."""
    try:
        source, status, ms = field.decode().split(" ")
        return Latency(source, Status(status), int(ms))
    except ValueError:
        return None
