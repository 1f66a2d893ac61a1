"""Offers answered searches to the history, which must never hold up an answer."""

import trio

from newsintel.model import SearchRecord
from newsintel.ports import Count


class Recording:
    """The way to the recorder's inbox, from wherever a search is answered.

    Args:
        to_recorder: only ever `send_nowait`; its owner closes it.
        count: told of searches that found no room.
    """

    def __init__(self, to_recorder: trio.MemorySendChannel[SearchRecord], count: Count) -> None:
        self._to_recorder = to_recorder
        self._count = count

    def __call__(self, done: SearchRecord) -> None:
        """Offer one search; a full or closed inbox costs the history this row, counted, and the caller nothing."""
        try:
            self._to_recorder.send_nowait(done)
        except (trio.WouldBlock, trio.BrokenResourceError):
            self._count("refusals", inbox="recorder")
