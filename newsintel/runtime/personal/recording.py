"""Which answered searches go into the history: one for each person and query in a minute, offered without ever holding up an answer.

Every way to an answer uses it, the route as well as whatever answers before the route is reached. It decides for this process; the
recorder does the same once more among all processes.
"""

import hmac
from collections.abc import Sequence
from datetime import datetime, timedelta

import trio

from newsintel.config.values import Secret
from newsintel.domain.accounts.model import Caller
from newsintel.domain.bounds.newest import Newest
from newsintel.domain.ports import Count
from newsintel.domain.search.history import REPEAT_S, Searched, SearchRecord
from newsintel.domain.security.keys import derive

WINDOW = timedelta(seconds=REPEAT_S)

MOST = 10_000
"""Searches remembered at once, about 3 MiB; past that the oldest are forgotten early, and a repetition is left to the recorder."""


class Recording:
    """The way into the history.

    Args:
        to_recorder: the recorder's inbox; whoever opened it closes it.
        secret_keys: every process has the same first one, and so the same `repeat_key`s.
        count: told of `refusals` where the inbox is full or closed.
    """

    def __init__(self, to_recorder: trio.MemorySendChannel[SearchRecord], secret_keys: Sequence[Secret], count: Count) -> None:
        self._to_recorder = to_recorder
        self._key = derive(secret_keys[0], "repeated searches 1")
        self._count = count
        self._offered = Newest[tuple[str, str], datetime](MOST)

    def offer(self, caller: Caller, search: Searched, now: datetime) -> None:
        """Offer a search that was answered on page 1; a repetition costs about a microsecond and goes nowhere.

        Nor does a search by somebody of whom it could not be found out who it is: the person may have said not to record any.

        Args:
            caller: who asked.
            search: what was asked and found.
            now: the time now.
        """
        if caller.doubt is not None:
            return
        offered = (caller.person, search.key)
        since = self._offered.get(offered)
        if since is not None and since <= now < since + WINDOW:
            return
        try:
            self._to_recorder.send_nowait(self._record(caller, search, now))
        except (trio.WouldBlock, trio.BrokenResourceError):
            self._count("refusals", inbox="recorder")
        else:
            self._remember(offered, now)

    def _record(self, caller: Caller, search: Searched, now: datetime) -> SearchRecord:
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
        """An HMAC, so that nobody who sees it can try out who may have searched for what."""
        return hmac.digest(self._key, " ".join(search).encode(), "sha256").hex()[:32]
