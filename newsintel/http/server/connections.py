"""The open connections, and their limits: in total and per address."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from newsintel.config.settings import Settings
from newsintel.domain.accounts.persons import network_of
from newsintel.domain.ports import Count
from newsintel.http.request.client_address import is_trusted


class OpenConnection(Protocol):
    """An open connection."""

    def drain(self) -> None:
        """End it now if it is idle, else after its current response."""


class TooManyError(Exception):
    """The limit of connections is reached."""


class Connections:
    """The table of open connections.

    An IPv6 /64 counts as one address, as for rate limits. A proxy of TRUSTED_PROXIES has no limit
    per address, because it connects many clients.
    """

    def __init__(self, settings: Settings, count: Count, *, capacity: int) -> None:
        self._trusted = settings.trusted_proxies
        self._most_per_address = settings.max_connections_per_address
        self._capacity = capacity
        self._count = count
        self._open: set[OpenConnection] = set()
        self._per_address: Counter[str] = Counter()

    def __len__(self) -> int:
        """Return the number of open connections."""
        return len(self._open)

    @contextmanager
    def register(self, connection: OpenConnection, address: str) -> Iterator[None]:
        """Count a connection while the block runs.

        Raises:
            TooManyError: the limit, in total or for this address, is reached. The caller closes
                the connection at once.
        """
        network = network_of(address)
        if len(self._open) >= self._capacity:
            self._refuse_connection("all")
        if self._per_address[network] >= self._most_per_address and not is_trusted(
            address, self._trusted
        ):
            self._refuse_connection("address")
        self._open.add(connection)
        self._per_address[network] += 1
        try:
            yield
        finally:
            self._open.remove(connection)
            self._per_address[network] -= 1
            if not self._per_address[network]:
                del self._per_address[network]

    def drain(self) -> None:
        """End idle connections now, and each other one after its current response."""
        for connection in tuple(self._open):
            connection.drain()

    def _refuse_connection(self, limit: str) -> None:
        self._count("connections_refused", limit=limit)
        raise TooManyError
