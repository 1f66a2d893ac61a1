"""What a worker inherits from the supervisor: its number, its channel and the listening sockets."""

import json
import os
import socket
from collections.abc import Sequence

import trio
from attrs import asdict, frozen

from newsintel.runtime.workers.batch_listener import BatchListener
from newsintel.runtime.workers.connection_counts import ConnectionCounts


@frozen
class Handover:
    """A worker's number from 1 up, and the numbers of the file descriptors that it inherits.

    Attributes:
        channel: the worker's end of its channel.
        counts: the memory of `connection_counts`.
        public: the sockets that listen on BIND.
        metrics: the sockets that listen on METRICS_BIND.
    """

    worker: int
    channel: int
    counts: int
    public: Sequence[int]
    metrics: Sequence[int]

    @classmethod
    def parse(cls, text: str) -> "Handover":
        """Read the text of `format`.

        Raises:
            ValueError: it is another text.
        """
        try:
            return cls(**json.loads(text))
        except TypeError:
            raise ValueError("not a handover") from None

    def format(self) -> str:
        """Return it as the argument of a command line."""
        return json.dumps(asdict(self))

    @property
    def descriptors(self) -> tuple[int, ...]:
        """All descriptors that the worker inherits."""
        return (self.channel, self.counts, *self.public, *self.metrics)

    def take(self) -> None:
        """Keep the descriptors in this process: programs that it starts do not inherit them.

        An embedded PostgreSQL that inherited them would keep the port and the channel open.
        """
        for descriptor in self.descriptors:
            os.set_inheritable(descriptor, False)

    def open_channel(self) -> trio.SocketStream:
        """Return the stream of the channel."""
        return trio.SocketStream(_open_socket(self.channel))

    def open_counts(self) -> ConnectionCounts:
        """Return the numbers of connections of all workers."""
        return ConnectionCounts(self.counts, self.worker)

    def open_public(self, counts: ConnectionCounts) -> list[BatchListener]:
        """Return the listeners of BIND."""
        return [
            BatchListener(trio.SocketListener(_open_socket(number)), counts.count_due)
            for number in self.public
        ]

    def open_metrics(self) -> list[BatchListener]:
        """Return the listeners of METRICS_BIND."""
        return [BatchListener(trio.SocketListener(_open_socket(n))) for n in self.metrics]


def _open_socket(descriptor: int) -> trio.socket.SocketType:
    return trio.socket.from_stdlib_socket(socket.socket(fileno=descriptor))
