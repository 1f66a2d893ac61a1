"""What a worker inherits."""

import os
import socket
import subprocess
import sys

import pytest

from newsintel.runtime.workers.connection_counts import create_counts
from newsintel.runtime.workers.handover import Handover

TELL = "import os, sys; print([os.path.exists(f'/proc/self/fd/{n}') for n in sys.argv[1:]])"


def test_a_handover_survives_the_command_line():
    """Any other text is refused."""
    handover = Handover(2, 7, 8, [9, 10], [])
    assert Handover.parse(handover.format()) == handover
    for other in ("", "5", "{}", '{"worker": 1}', "[]"):
        with pytest.raises(ValueError, match=r"handover|Expecting"):
            Handover.parse(other)


def test_programs_that_a_worker_starts_inherit_nothing():
    """An embedded server that held the listening socket would keep the port for ever."""
    left, right = socket.socketpair()
    with left, right, socket.create_server(("127.0.0.1", 0)) as listening:
        handover = Handover(1, left.fileno(), create_counts(), [listening.fileno()], [])
        try:
            for descriptor in handover.descriptors:
                os.set_inheritable(descriptor, True)  # as they arrive at a worker
            handover.take()
            command = [sys.executable, "-c", TELL, *map(str, handover.descriptors)]
            # As `PostgresDaemon` starts PostgreSQL: without closing what may be inherited
            done = subprocess.run(
                command, close_fds=False, capture_output=True, text=True, check=True
            )
        finally:
            os.close(handover.counts)
    assert done.stdout == f"{[False] * 3}\n"
