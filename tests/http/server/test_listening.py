"""The queue of connections that wait to be accepted. The judge is the kernel (tcp(7), TCP_INFO)."""

import socket
import struct
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from newsintel.config.values import ListenAddress
from newsintel.http.server.listening import BACKLOG, open_listeners

BURST = 1_000
"""Callers of one new search at the same moment, as `just bench stampede` has them."""

SYSTEM = Path("/proc/sys/net/core/somaxconn")
SYSTEM_MOST = int(SYSTEM.read_text()) if SYSTEM.exists() else 0

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells it by TCP_INFO")


def read_queue(listening):
    """How many connections wait to be accepted, and how many may.

    Of a listening socket these are tcpi_unacked and tcpi_sacked, the fifth and sixth number after
    eight bytes.
    """
    info = listening.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 32)
    return struct.unpack_from("8x6I", info)[4:]


async def test_a_crowd_waits_to_be_accepted():
    """While the loop is busy, nobody of a thousand is dropped, to try again a second later."""
    (listener,) = await open_listeners(ListenAddress("127.0.0.1", 0))
    with listener.socket as listening:
        assert read_queue(listening) == (0, min(BACKLOG, SYSTEM_MOST))
        with ExitStack() as crowd:
            for _ in range(min(BURST, SYSTEM_MOST)):
                crowd.enter_context(socket.create_connection(listening.getsockname()))
            assert read_queue(listening)[0] == min(BURST, SYSTEM_MOST)
