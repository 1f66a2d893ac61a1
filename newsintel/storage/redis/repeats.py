"""The Repeats port on Redis: a key exists if it was seen a short time ago."""

from collections.abc import Sequence

from newsintel.storage.redis.link import RedisLink


class RedisRepeats:
    """Keys that expire."""

    def __init__(self, link: RedisLink) -> None:
        self._link = link

    async def remember_new(self, keys: Sequence[tuple[str, float]]) -> Sequence[bool]:
        """One round trip per server."""
        return await self._link.each(
            [
                ("SET", f"seen:{key}", b"", "NX", "PX", max(1, round(keep_s * 1000)))
                for key, keep_s in keys
            ],
            bool,
        )
