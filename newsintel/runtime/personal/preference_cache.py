"""A cache of people's preferences.

A person who searches often causes only one read of PostgreSQL every few seconds. Changes made
through this cache count at once in this process; other processes may use the old values for
PREFERENCES_KEEP_S.
"""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any

import trio

from newsintel.domain.bounds.sized_cache import SizedCache
from newsintel.domain.personal.model import PutResult
from newsintel.domain.personal.ports import PreferenceStore
from newsintel.domain.personal.preferences import Preferences
from newsintel.runtime.make_once import MakeOnce

PREFERENCES_KEEP_S = 5.0
MAX_BYTES = 8 * 2**20
"""Size of the cache; the least recently used entries are removed first.

A person's preferences usually take 1 KiB, so about 6,000 people fit.
"""


class PreferenceCache:
    """A `PreferenceStore` that also caches the preferences that searches apply."""

    def __init__(self, store: PreferenceStore) -> None:
        self._store = store
        self._kept: SizedCache[int, tuple[float, Preferences]] = SizedCache(MAX_BYTES)
        self._changes = 0
        self._reading: MakeOnce[tuple[int, int], Preferences] = MakeOnce()

    async def get_preferences(self, user_id: int) -> Preferences:
        """Return an account's preferences, at most PREFERENCES_KEEP_S old.

        Raises:
            UnavailableError: they are not in the cache and cannot be read.
        """
        kept = self._kept.get(user_id)
        if kept is not None and trio.current_time() < kept[0] + PREFERENCES_KEEP_S:
            return kept[1]
        # What began to be read before a change is not for those who come after it.
        return await self._reading.make((user_id, self._changes), partial(self._read, user_id))

    async def _read(self, user_id: int) -> Preferences:
        changes, now_s = self._changes, trio.current_time()
        preferences = Preferences.from_values(await self._store.get_all(user_id))
        if self._changes == changes:  # otherwise a write meanwhile may be newer than what was read
            self._kept.put(user_id, (now_s, preferences), preferences.size_bytes)
        return preferences

    async def get_all(self, user_id: int) -> Mapping[str, Any]:
        """Return all current values of an account, by key."""
        return await self._store.get_all(user_id)

    async def put(self, user_id: int, key: str, value: Any, at: datetime) -> PutResult:
        """Store a value and remove the account from the cache."""
        try:
            return await self._store.put(user_id, key, value, at)
        finally:
            self._forget(user_id)

    async def delete(self, user_id: int, key: str) -> bool:
        """Delete a value and remove the account from the cache."""
        try:
            return await self._store.delete(user_id, key)
        finally:
            self._forget(user_id)

    def _forget(self, user_id: int) -> None:
        """Remove an account from the cache, also after a failed write, which may have succeeded."""
        self._kept.pop(user_id)
        self._changes += 1
