"""Standard input by line and standard output, for a protocol between two programs.

Reads and writes run in threads that a cancelled command leaves behind: a signal must end a command
whose client sends nothing, or reads nothing.
"""

import os
import select
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TypeVar

import anyio
import trio

from newsintel.errors import NewsIntelError

T = TypeVar("T")

READ_BYTES = 65_536

MAX_LINE_BYTES = 1_048_576
"""Bytes of one message. Those of our tools need a few hundred."""


class InputLines:
    """The lines of a file descriptor, as text, without their ends."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._received = b""
        self._ended = False

    def __aiter__(self) -> "InputLines":
        return self

    async def __anext__(self) -> str:
        """Return the next line.

        Raises:
            NewsIntelError: it is longer than MAX_LINE_BYTES.
        """
        while b"\n" not in self._received and not self._ended:
            if len(self._received) > MAX_LINE_BYTES:
                raise NewsIntelError("a message on standard input has more than 1 MiB")
            data = await _run(partial(_read, self._descriptor))
            self._ended = not data
            self._received += data
        if not self._received:
            raise StopAsyncIteration
        line, _, self._received = self._received.partition(b"\n")
        return line.decode(errors="replace")


class Output:
    """A file descriptor that text is written to, whole and at once."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    async def write(self, text: str) -> None:
        """Write a text.

        Raises:
            anyio.ClosedResourceError: nobody reads it any more. The SDK ends the session then.
        """
        rest = memoryview(text.encode())
        while rest:
            try:
                written = await _run(partial(os.write, self._descriptor, rest))
            except OSError:  # closed, a closed pipe, a full disk
                raise anyio.ClosedResourceError from None
            rest = rest[written:]

    async def flush(self) -> None:
        """Do nothing: nothing is kept back."""
        await trio.lowlevel.checkpoint()


def _read(descriptor: int) -> bytes:
    """Return the next bytes; none at the end. The other program may have set O_NONBLOCK."""
    while True:
        select.select([descriptor], [], [])
        with suppress(BlockingIOError):
            return os.read(descriptor, READ_BYTES)


async def _run(call: Callable[[], T]) -> T:
    return await trio.to_thread.run_sync(call, abandon_on_cancel=True)
