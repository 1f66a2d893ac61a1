"""Accepts connections and starts a task for each.

trio's `serve_listeners` does the same. It also closes each stream once more, in a cancel scope of
its own: a tenth of what a short connection costs.
"""

import errno
from collections.abc import Awaitable, Callable
from typing import NoReturn

import trio

from newsintel.runtime.telemetry.logs import get_logger

log = get_logger(__name__)

NO_ROOM = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
"""Errors of accept(2) that end when something else is closed or freed."""

NO_ROOM_S = 0.1
"""Pause after such an error, as trio makes it. Until then, connections wait in the queue."""

Serve = Callable[[trio.SocketStream], Awaitable[object]]


async def accept_connections(
    listener: trio.abc.Listener[trio.SocketStream], serve: Serve, connections: trio.Nursery
) -> NoReturn:
    """Accept connections until cancelled, and close the listener.

    Args:
        listener: where they arrive.
        serve: serves one and closes it.
        connections: the nursery of their tasks.

    Raises:
        OSError: the listener cannot accept any more.
    """
    async with listener:
        while True:
            try:
                stream = await listener.accept()
            except OSError as error:
                if error.errno not in NO_ROOM:
                    raise
                log.warning("no_room_for_connection", cause=repr(error))
                await trio.sleep(NO_ROOM_S)
            else:
                connections.start_soon(serve, stream)
