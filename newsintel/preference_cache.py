"""What people prefer, remembered for a few seconds, so that a person who searches again and again costs PostgreSQL one read in a while.

Changes that pass through here count at once in this process; another process may follow the older ones for KEEP_S.
"""

from collections import OrderedDict
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import trio

from newsintel.personal_model import Put
from newsintel.personal_ports import PreferenceStore
from newsintel.preferences import Preferences

KEEP_S = 5.0
MOST = 1_000
"""People remembered, least recently asked for first out: their heeded preferences, a KiB each as a rule and 32 KiB at the very most."""


class PreferenceCache:
    """A `PreferenceStore` that also tells, quickly, which preferences a search must heed."""

    def __init__(self, store: PreferenceStore) -> None:
        self._store = store
        self._kept: OrderedDict[int, tuple[float, Preferences]] = OrderedDict()
        self._changes = 0

    async def heeded(self, user_id: int) -> Preferences:
        """An account's preferences, at most KEEP_S old.

        Raises:
            UnavailableError: they are not remembered and cannot be read.
        """
        read_at, preferences = self._kept.get(user_id, (-KEEP_S, Preferences()))
        if trio.current_time() < read_at + KEEP_S:
            self._kept.move_to_end(user_id)
            return preferences
        changes, now_s = self._changes, trio.current_time()
        preferences = Preferences.of(await self._store.all(user_id))
        if self._changes == changes:  # else what was read may be older than what was written meanwhile
            self._kept[user_id] = (now_s, preferences)
            self._kept.move_to_end(user_id)
            if len(self._kept) > MOST:
                self._kept.popitem(last=False)
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
        self._kept.pop(user_id, None)
        self._changes += 1
