"""The open connections, and their limits: in total and per address."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from newsintel.config.settings import Settings
from newsintel.domain.accounts.persons import network_of
from newsintel.domain.ports import Count
from newsintel.http.request.client_address import is_trusted
from newsintel.runtime.workers.connection_counts import ConnectionCounts


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

    The limit in total holds for all workers together. If several accept at the same moment, each of
    them but one may exceed it by one connection.
    """

    def __init__(
        self,
        settings: Settings,
        count: Count,
        *,
        capacity: int,
        all_workers: ConnectionCounts | None = None,
    ) -> None:
        self._trusted = settings.trusted_proxies
        self._most_per_address = settings.max_connections_per_address
        self._capacity = capacity
        self._most = settings.max_connections
        self._all_workers = all_workers
        self._count = count
        self._open: set[OpenConnection] = set()
        self._per_address: Counter[str] = Counter()
        self._report()

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
        if self._is_full():
            self._refuse_connection("all")
        if self._per_address[network] >= self._most_per_address and not is_trusted(
            address, self._trusted
        ):
            self._refuse_connection("address")
        self._open.add(connection)
        self._per_address[network] += 1
        self._report()
        try:
            yield
        finally:
            self._open.remove(connection)
            self._per_address[network] -= 1
            if not self._per_address[network]:
                del self._per_address[network]
            self._report()

    def drain(self) -> None:
        """End idle connections now, and each other one after its current response."""
        for connection in tuple(self._open):
            connection.drain()

    def leave(self) -> None:
        """Tell the other workers that this one accepts no connections any more."""
        if self._all_workers is not None:
            self._all_workers.leave()
            self._all_workers = None

    def _is_full(self) -> bool:
        if len(self._open) >= self._capacity:
            return True
        others = self._all_workers.count_others() if self._all_workers else 0
        return len(self._open) + others >= self._most

    def _report(self) -> None:
        if self._all_workers is not None:
            self._all_workers.report(len(self._open))

    def _refuse_connection(self, limit: str) -> None:
        self._count("connections_refused", limit=limit)
        raise TooManyError
