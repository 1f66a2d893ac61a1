"""Runs async functions for a test that is not async itself, such as a state machine."""

import threading
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, Self

import trio


class Portal:
    """An event loop in its own thread, which keeps a resource open for all calls.

    Owns: the thread; the loop and the resource end with the block.

    Attributes:
        resource: what `open_resource` gave.
    """

    def __init__(self, open_resource: Callable[[], AbstractAsyncContextManager[Any]]) -> None:
        self.resource: Any = None
        self._open = open_resource
        self._ready, self._closing = threading.Event(), trio.Event()
        self._failure: Exception | None = None
        self._token: trio.lowlevel.TrioToken | None = None
        self._thread = threading.Thread(target=self._serve, name="portal")

    def __enter__(self) -> Self:
        """Start the loop and open the resource."""
        self._thread.start()
        self._ready.wait()
        if self._failure is not None:
            raise self._failure
        return self

    def __exit__(self, *_: object) -> None:
        """Close the resource and end the loop."""
        self.call(self._close)
        self._thread.join()

    def call(self, function: Callable[..., Any], *args: Any) -> Any:
        """Run an async function to its end, and return its result."""
        return trio.from_thread.run(function, *args, trio_token=self._token)

    def _serve(self) -> None:
        try:
            trio.run(self._keep_open)
        except Exception as error:  # noqa: BLE001 - the test's own thread raises it
            self._failure = error
        finally:
            self._ready.set()

    async def _keep_open(self) -> None:
        async with self._open() as self.resource:
            self._token = trio.lowlevel.current_trio_token()
            self._ready.set()
            await self._closing.wait()

    async def _close(self) -> None:
        self._closing.set()
