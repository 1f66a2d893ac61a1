"""Offers a message to an inbox that is bounded in messages and in bytes."""

from typing import TypeVar

import trio

from newsintel.domain.bounds.room import ByteBudget

T = TypeVar("T")


def offer(inbox: trio.MemorySendChannel[T], message: T, room: ByteBudget, size_bytes: int) -> bool:
    """Send a message if the inbox and the memory have room; return whether it was sent."""
    if not room.reserve(size_bytes):
        return False
    try:
        inbox.send_nowait(message)
    except (trio.WouldBlock, trio.BrokenResourceError):
        room.release(size_bytes)
        return False
    return True
