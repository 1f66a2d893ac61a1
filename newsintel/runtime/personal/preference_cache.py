"""What people prefer, remembered for a few seconds, so that a person who searches again and again costs PostgreSQL one read in a while.

Changes that pass through here count at once in this process; another process may follow the older ones for KEEP_S.
"""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any

import trio

from newsintel.domain.bounds.sized_cache import SizedCache
from newsintel.domain.personal.model import Put
from newsintel.domain.personal.ports import PreferenceStore
from newsintel.domain.personal.preferences import Preferences
from newsintel.runtime.make_once import MakeOnce

KEEP_S = 5.0
MAX_BYTES = 8 * 2**20
"""For what people's searches heed, least recently asked for first out: a KiB each as a rule, so 6,000 people."""


class PreferenceCache:
    """A `PreferenceStore` that also tells, quickly, which preferences a search must heed."""

    def __init__(self, store: PreferenceStore) -> None:
        self._store = store
        self._kept: SizedCache[int, tuple[float, Preferences]] = SizedCache(MAX_BYTES)
        self._changes = 0
        self._reading: MakeOnce[tuple[int, int], Preferences] = MakeOnce()

    async def heeded(self, user_id: int) -> Preferences:
        """An account's preferences, at most KEEP_S old.

        Raises:
            UnavailableError: they are not remembered and cannot be read.
        """
        kept = self._kept.get(user_id)
        if kept is not None and trio.current_time() < kept[0] + KEEP_S:
            return kept[1]
        # What began to be read before a change is not for those who come after it.
        return await self._reading.make((user_id, self._changes), partial(self._read, user_id))

    async def _read(self, user_id: int) -> Preferences:
        changes, now_s = self._changes, trio.current_time()
        preferences = Preferences.of(await self._store.all(user_id))
        if self._changes == changes:  # else what was read may be older than what was written meanwhile
            self._kept.put(user_id, (now_s, preferences), preferences.size_bytes)
        return preferences

    async def all(self, user_id: int) -> Mapping[str, Any]:
        """Everything that an account keeps, by key, as it is now."""
        return await self._store.all(user_id)

    async def put(self, user_id: int, key: str, value: Any, at: datetime) -> Put:
        """Keep a value, and forget what is remembered of the account."""
        try:
            return await self._store.put(user_id, key, value, at)
        finally:
            self._forget(user_id)

    async def delete(self, user_id: int, key: str) -> bool:
        """Forget a value, and what is remembered of the account."""
        try:
            return await self._store.delete(user_id, key)
        finally:
            self._forget(user_id)

    def _forget(self, user_id: int) -> None:
        """Also after a failure: what failed here may have been done all the same."""
        self._kept.pop(user_id)
        self._changes += 1
