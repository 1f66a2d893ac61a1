"""Selects the answered searches for the history: one per person, query and minute.

Offering a search never delays its answer. All code that answers searches uses this: the routes, and
the hit path, which answers before a route. It removes repeats within this process; the recorder
removes repeats between processes.
"""

import hmac
from collections.abc import Sequence
from datetime import datetime, timedelta

import trio

from newsintel.config.values import Secret
from newsintel.domain.accounts.model import Caller
from newsintel.domain.bounds.newest import Newest
from newsintel.domain.ports import Count
from newsintel.domain.search.history import REPEAT_S, SearchRecord, SearchSummary
from newsintel.domain.security.keys import derive_key

WINDOW = timedelta(seconds=REPEAT_S)

MAX_REMEMBERED = 10_000
"""Maximum number of remembered searches; about 3 MiB.

Beyond it the oldest are forgotten early; the recorder then removes their repeats.
"""


class Recording:
    """Offers searches to the recorder.

    Args:
        to_recorder: the recorder's inbox, which this class does not close.
        secret_keys: all processes have the same first key and so the same `repeat_key`s.
        count: counts `refusals` when the inbox is full or closed.
    """

    def __init__(
        self,
        to_recorder: trio.MemorySendChannel[SearchRecord],
        secret_keys: Sequence[Secret],
        count: Count,
    ) -> None:
        self._to_recorder = to_recorder
        self._key = derive_key(secret_keys[0], "repeated searches 1")
        self._count = count
        self._offered = Newest[tuple[str, str], datetime](MAX_REMEMBERED)

    def offer(self, caller: Caller, search: SearchSummary, now: datetime) -> None:
        """Offer a search that was answered on page 1. A repeat is dropped, in about 1 us.

        Searches by callers we could not identify are not recorded: the person may have switched the
        history off.

        Args:
            caller: the person who searched.
            search: the query and its results.
            now: the current time.
        """
        if caller.doubt is not None:
            return
        offered = (caller.person, search.key)
        since = self._offered.get(offered)
        if since is not None and since <= now < since + WINDOW:
            return
        try:
            self._to_recorder.send_nowait(self._build_record(caller, search, now))
        except (trio.WouldBlock, trio.BrokenResourceError):
            self._count("refusals", inbox="recorder")
        else:
            self._remember(offered, now)

    def _build_record(self, caller: Caller, search: SearchSummary, now: datetime) -> SearchRecord:
        return SearchRecord(
            query=search.query,
            key=search.key,
            results_count=search.results_count,
            searched_at=now,
            user_id=caller.account.id if caller.account else None,
            person=caller.person,
            repeat_key=self._repeat_key((caller.person, search.key)),
            form=search.form,
            articles=search.articles,
        )

    def _remember(self, search: tuple[str, str], now: datetime) -> None:
        self._offered[search] = now
        while not (oldest := next(iter(self._offered.values()))) <= now < oldest + WINDOW:
            self._offered.popitem(last=False)

    def _repeat_key(self, search: tuple[str, str]) -> str:
        """Return an HMAC, so that nobody who sees it can guess who searched for what."""
        return hmac.digest(self._key, " ".join(search).encode(), "sha256").hex()[:32]
