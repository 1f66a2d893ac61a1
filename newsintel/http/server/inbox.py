"""The messages of one request's body, between its connection and the application."""

from collections import deque
from collections.abc import MutableMapping
from typing import Any

import trio

Message = MutableMapping[str, Any]

MAX_QUEUED_MESSAGES = 4
"""Messages of a request's body that may wait for the application, each at most one read of 64 KiB.
While the inbox is full, the socket is not read."""


class Inbox:
    """The messages that the application can receive for one request.

    `end` takes effect at once, also while `put` waits for room.
    """

    def __init__(self) -> None:
        self._messages: deque[Message] = deque()
        self._ended = False
        self._changed = trio.Event()

    async def put(self, message: Message) -> None:
        """Add a message when there is room; drop it if the inbox has ended."""
        if message["type"] == "http.disconnect":
            self.end()
        while len(self._messages) >= MAX_QUEUED_MESSAGES and not self._ended:
            await self._changed.wait()
        if not self._ended:
            self._messages.append(message)
            self._wake_waiters()

    def end(self) -> None:
        """Accept no further message; after the queued ones, `receive` returns a disconnect."""
        self._ended = True
        self._wake_waiters()

    async def receive(self) -> Message:
        """Return the next message; after the last, `http.disconnect`."""
        while not self._messages and not self._ended:
            await self._changed.wait()
        if not self._messages:
            return {"type": "http.disconnect"}
        message = self._messages.popleft()
        self._wake_waiters()
        return message

    def _wake_waiters(self) -> None:
        self._changed.set()
        self._changed = trio.Event()
