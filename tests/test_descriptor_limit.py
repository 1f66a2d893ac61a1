"""A service that may open few files, and more clients than that."""

import socket
from contextlib import ExitStack

import httpx
import pytest

from newsintel.http.server.listener import RESERVED_DESCRIPTORS
from tests.service import COMMAND, running
from tests.waiting import PATIENCE_S, wait_for

DESCRIPTORS = 500
ROOM = DESCRIPTORS - RESERVED_DESCRIPTORS
"""Connections that fit."""


def open_idle(opened, port, number):
    """Open a connection and say nothing."""
    client = opened.enter_context(socket.socket())
    client.bind((f"127.0.2.{1 + number // 100}", 0))
    client.connect(("127.0.0.1", port))
    return client


@pytest.fixture
def service(tmp_path, monkeypatch):
    """A service under a limit of descriptors that it cannot raise."""
    limited = ["sh", "-c", f'ulimit -n {DESCRIPTORS}; exec "$@"', "sh", *COMMAND]
    monkeypatch.setattr("tests.service.COMMAND", limited)
    with running(tmp_path, "demo", RATE_LIMIT="off", LOG_FORMAT="json") as found:
        yield found


@pytest.mark.slow
def test_connections_beyond_the_descriptors_are_closed_and_cost_nobody_anything(service):
    """Who was connected gets all answers, sources included; when the crowd leaves, all can come."""
    port = httpx.URL(service.url).port
    assert f'"possible": {ROOM}' in service.log.read_text()
    assert service.search("before").json()["complete"]
    with ExitStack() as opened:
        crowd = [open_idle(opened, port, number) for number in range(2 * ROOM)]
        closed = 0
        for client in crowd[ROOM:]:
            client.settimeout(PATIENCE_S)
            closed += client.recv(1) == b""
        assert closed == ROOM
        for number in range(20):
            assert service.search(f"beside {number}").json()["complete"]
    assert service.get("/health/ready").json()["status"] == "ready"

    def is_free():
        with httpx.Client(trust_env=False, timeout=PATIENCE_S) as other:
            try:
                return other.get(f"{service.url}/health").status_code == 200
            except httpx.TransportError:
                return False

    wait_for(is_free, "a place for a new client")
