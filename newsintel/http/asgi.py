"""The types of ASGI, as far as this service uses it."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]

Receive = Callable[[], Awaitable[Any]]

Send = Callable[[Any], Awaitable[None]]

Asgi = Callable[[Any, Any, Any], Awaitable[None]]

HeaderLines = list[tuple[bytes, bytes]]
"""Header lines, their names in small letters."""
