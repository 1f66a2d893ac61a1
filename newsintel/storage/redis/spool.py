"""The SpoolPlace port on Redis: a stream with one consumer group, and a counter of its bytes.

An entry is added and counted in one MULTI, under WATCH of the counter, so the bound holds however
many processes add, and no Lua script is needed (some operators forbid scripts). An entry is removed
first and subtracted then, because a full Redis refuses to change a counter, but deletes. So the
counter is not too low. It is too high after a crash or a lost reply between the two; an add that
finds it full and the stream empty corrects it, and so does the second take in a row that finds the
stream empty and the counter unchanged.
Neither key expires, so a `volatile` eviction policy never evicts them.

All processes use one name of a consumer, so dead processes leave no consumers behind. A process
that takes an entry has it for CLAIM_S; then any process may claim it.
"""

import asyncio
import random
import re
from typing import Any

from attrs import frozen
from redis.exceptions import OutOfMemoryError, ResponseError, WatchError

from newsintel.domain.bounds.newest import Newest
from newsintel.errors import SpoolFullError, UnavailableError
from newsintel.storage.redis.failures import read_code
from newsintel.storage.redis.link import RedisLink
from newsintel.storage.redis.numbers import parse_number
from newsintel.storage.redis.replies import check_bytes
from newsintel.storage.redis.server import RedisServer

STREAM = "spool"
BYTES = "{spool}:bytes"
"""The stream's key is its hash tag, so one server of a cluster has both."""
OLD_BYTES = "spool:bytes"
"""Its name before 0.1.0: taken over for one release. A cluster never had it."""
GROUP = CONSUMER = "drainers"
FIELD = b"d"

MOST_DIGITS = 18
"""Of the counter; more than any disk holds."""
CLAIM_S = 60
"""An entry taken longer ago belongs to a process that died. Saving one takes less, and if it does
not, the entry is saved twice, which is harmless.
"""
MAX_ASIDE = 10_000
"""How many entries that this version cannot read are remembered."""
MAX_CLAIMS = 100
"""How many of these one `take` passes over."""
ATTEMPTS = 12
PAUSE_S = 0.002
"""A change that another process was faster than is tried again, at most ATTEMPTS times, about 0.2 s
in all. Pauses are random and grow by PAUSE_S.
"""


@frozen
class RedisEntry:
    """An entry of the stream that this process has claimed."""

    data: bytes
    _id: bytes
    _place: "RedisSpool"

    async def remove(self) -> None:
        await self._place.remove(self._id, len(self.data))

    async def give_back(self) -> None:
        await self._place.give_back(self._id)

    async def set_aside(self) -> None:
        """Pass over the entry from now on: after CLAIM_S another process may get it."""
        self._place.pass_over(self._id)


class RedisSpool:
    """The stream in Redis."""

    name = "redis"

    def __init__(self, link: RedisLink, max_bytes: int) -> None:
        self._link = link
        self._max_bytes = max_bytes
        self._grouped = False
        self._carried_over = False
        self._claim_from: bytes | str = "0-0"
        self._aside = Newest[bytes, None](MAX_ASIDE)
        self._new_first = False
        self._owed_bytes = 0
        """What a full Redis has not let us subtract from the counter yet."""
        self._left_bytes = 0
        """The counter when the last take found no entry."""
        self.size_bytes = 0

    async def add(self, data: bytes) -> None:
        self.size_bytes = await self._link.call(STREAM, self._add, data)

    async def take(self) -> RedisEntry | None:
        self.size_bytes, found = await self._link.call(STREAM, self._take)
        return None if found is None else RedisEntry(found[1], found[0], self)

    async def remove(self, entry_id: bytes, size_bytes: int) -> None:
        """Acknowledge and delete an entry, if no other process has done so."""
        self.size_bytes = await self._link.call(STREAM, self._remove, entry_id, size_bytes)

    async def give_back(self, entry_id: bytes) -> None:
        """Make an entry as old as one whose process died."""
        await self._link.call(STREAM, self._give_back, entry_id)

    def pass_over(self, entry_id: bytes) -> None:
        """Return this entry no more, and next an entry that nobody has taken yet.

        So entries that nobody can read, however many, do not keep back the others.
        """
        self._aside[entry_id] = None
        self._new_first = True

    async def _add(self, server: RedisServer, data: bytes) -> int:
        await self._carry_over(server)
        for attempt in range(ATTEMPTS):
            async with server.redis.pipeline(transaction=True) as together:
                await together.watch(BYTES)
                raw: Any = await together.get(BYTES)
                used = (parse_number(raw, MOST_DIGITS) or 0) + len(data)
                if used > self._max_bytes and not await together.xlen(STREAM):
                    used = len(data)  # somebody emptied the stream by hand
                if used > self._max_bytes:
                    raise SpoolFullError(f"{self._max_bytes:,} bytes are used")
                together.multi()  # type: ignore[no-untyped-call]
                together.xadd(STREAM, {FIELD: data})
                together.set(BYTES, used)
                try:
                    await together.execute()
                except WatchError:
                    await _pause(attempt)
                    continue
            if not self._grouped:  # a full Redis would refuse to make it later
                await self._make_group(server)
            return used
        raise UnavailableError("too many processes change the spool")

    async def _take(self, server: RedisServer) -> tuple[int, tuple[bytes, bytes] | None]:
        await self._carry_over(server)
        used = await self._read_counter(server)
        first, second = self._claim_old, self._read_new
        if self._new_first:
            first, second = second, first
        self._new_first = False
        try:
            found = await first(server) or await second(server)
        except ResponseError as error:
            if read_code(error) != "NOGROUP":
                raise
            found = None
            if await server.redis.exists(STREAM):
                await self._make_group(server)
                found = await self._read_new(server)
        return used if found else await self._correct_counter(server, used), found

    async def _carry_over(self, server: RedisServer) -> None:
        """Take over the counter that an older version has left."""
        if self._carried_over or self._link.servers.is_cluster:
            return
        if await server.redis.exists(OLD_BYTES):
            await server.redis.renamenx(OLD_BYTES, BYTES)
        self._carried_over = True

    async def _correct_counter(self, server: RedisServer, used: int) -> int:
        """Delete a counter that stays above 0 while the stream is empty; return the bytes in use.

        A process that removes an entry subtracts it at once, so it waits for the next take.
        """
        before, self._left_bytes = self._left_bytes, used
        if not used or used != before:
            return used
        async with server.redis.pipeline(transaction=True) as together:
            await together.watch(BYTES)
            if await together.get(BYTES) != b"%d" % used or await together.xlen(STREAM):
                return used
            together.multi()  # type: ignore[no-untyped-call]
            together.delete(BYTES)
            try:
                await together.execute()
            except WatchError:  # somebody has added an entry
                return used
        self._owed_bytes = 0
        return 0

    async def _read_counter(self, server: RedisServer) -> int:
        """Return the counter; one that is no number is deleted, since it could not be lowered."""
        raw: Any = await server.redis.get(BYTES)
        used = parse_number(raw, MOST_DIGITS)
        if raw is not None and (used is None or raw != b"%d" % used):
            await server.redis.delete(BYTES)
        return used or 0

    async def _make_group(self, server: RedisServer) -> None:
        try:
            await server.redis.xgroup_create(STREAM, GROUP, id="0")
        except ResponseError as error:
            if read_code(error) != "BUSYGROUP":  # there is one
                raise
        self._grouped = True

    async def _claim_old(self, server: RedisServer) -> tuple[bytes, bytes] | None:
        # One call looks at ten entries; the next one goes on behind them.
        for _ in range(MAX_CLAIMS):
            reply: Any = await server.redis.xautoclaim(
                STREAM, GROUP, CONSUMER, CLAIM_S * 1000, self._claim_from, count=1
            )
            found = _read_entry(reply[1])
            self._claim_from = _check_id(reply[0])
            if found is None or found[0] not in self._aside:
                return found
        return None

    async def _read_new(self, server: RedisServer) -> tuple[bytes, bytes] | None:
        reply: Any = await server.redis.xreadgroup(GROUP, CONSUMER, {STREAM: ">"}, count=1)
        return _read_entry(reply[0][1]) if reply else None

    async def _remove(self, server: RedisServer, entry_id: bytes, size_bytes: int) -> int:
        # No MULTI: a full Redis refuses every command within one. XDEL comes first: an entry that
        # is acknowledged and not deleted would never be taken again.
        async with server.redis.pipeline(transaction=False) as together:
            together.xdel(STREAM, entry_id)
            together.xack(STREAM, GROUP, entry_id)
            deleted, _ = await together.execute()
        owed = self._owed_bytes + size_bytes * deleted  # 0 if another process was faster
        self._owed_bytes = 0  # if the reply is lost, it may have been subtracted
        try:
            return int(await server.redis.decrby(BYTES, owed))
        except OutOfMemoryError:
            self._owed_bytes = owed
            return self.size_bytes

    async def _give_back(self, server: RedisServer, entry_id: bytes) -> None:
        await server.redis.xclaim(
            STREAM, GROUP, CONSUMER, 0, [entry_id], idle=CLAIM_S * 1000, justid=True
        )


def _check_id(reply: object) -> bytes:
    """Return an id of the stream; raise ValueError for anything else.

    A wrong one would make Redis refuse every later command.
    """
    found = check_bytes(reply)
    if found is None or not re.fullmatch(rb"[0-9]{1,20}-[0-9]{1,20}", found):
        raise ValueError("expected an id of a stream")
    return found


async def _pause(attempt: int) -> None:
    await asyncio.sleep(random.uniform(0, PAUSE_S * (1 + attempt) * 2))  # noqa: S311 - jitter


def _read_entry(
    entries: list[tuple[bytes | None, dict[bytes, bytes] | None]],
) -> tuple[bytes, bytes] | None:
    """Return id and data of the first entry.

    Redis 6.2 also returns claimed entries that somebody has deleted, without id.
    """
    for entry_id, fields in entries:
        if entry_id is not None and fields is not None:
            return entry_id, check_bytes(fields.get(FIELD)) or b""
    return None
