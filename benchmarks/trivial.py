"""The trivial server: one epoll that sends the same bytes to every request.

It shows the cost of the load generator itself. `python -m benchmarks.trivial PORT FILE` sends FILE,
a whole response with its head.
"""

import contextlib
import select
import socket
import sys
from pathlib import Path


def main(port: int, response: bytes) -> None:
    """Serve until killed."""
    listener = socket.create_server(("127.0.0.1", port), backlog=512)
    poll = select.epoll()
    poll.register(listener.fileno(), select.EPOLLIN)
    connections: dict[int, socket.socket] = {}
    while True:
        for number, _ in poll.poll():
            if number == listener.fileno():
                connection, _ = listener.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                connections[connection.fileno()] = connection
                poll.register(connection.fileno(), select.EPOLLIN)
                continue
            asked = b""
            with contextlib.suppress(OSError):
                asked = connections[number].recv(65_536)
            if asked:
                connections[number].sendall(response)
            else:
                poll.unregister(number)
                connections.pop(number).close()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main(int(sys.argv[1]), Path(sys.argv[2]).read_bytes())
