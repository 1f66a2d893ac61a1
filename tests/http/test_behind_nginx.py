"""Clients that leave, behind a real nginx that streams request bodies to the service."""

from contextlib import asynccontextmanager

import pytest
import trio

from tests.http.test_hostile_bytes import taking_bodies
from tests.http.wire import get, serving, until_closed
from tests.ops.nginx_front import NGINX, write_command
from tests.service import free_port

pytestmark = pytest.mark.skipif(
    NGINX is None, reason="nginx is not installed (Debian: apt-get install nginx-light)"
)


@asynccontextmanager
async def nginx_before(port, folder):
    """Run nginx before the server on this port; yield nginx's port."""
    own = free_port()
    site = (
        f"server {{ listen 127.0.0.1:{own}; "
        f"location / {{ proxy_pass http://127.0.0.1:{port}; proxy_set_header Host localhost; "
        "proxy_http_version 1.1; proxy_request_buffering off; } }"
    )
    async with trio.open_nursery() as nursery:
        process = await nursery.start(trio.run_process, write_command(folder, site))
        while not (folder / "pid").exists() or not (folder / "pid").read_text():  # noqa: ASYNC110  # a file has no event
            await trio.sleep(0.02)
        yield own
        process.terminate()


async def test_bodies_cut_behind_nginx_end_only_their_connections(tmp_path):
    """A client sends 3 bytes of a body of 10 and leaves, a hundred times.

    The service then answers the next client.
    """
    post = get("/body", "Content-Length: 10", method="PUT")
    async with (
        serving(prepare=taking_bodies) as served,
        nginx_before(served.port, tmp_path) as port,
    ):
        for number in range(100):
            async with await trio.open_tcp_stream("127.0.0.1", port) as leaver:
                await leaver.send_all(post + b"abc")
                if number % 2:
                    await leaver.send_eof()
        async with await trio.open_tcp_stream("127.0.0.1", port) as stayer:
            await stayer.send_all(post + b"0123456789")
            assert (await until_closed(stayer)).endswith(b"0123456789")
        assert served.counted("connection_errors") == 0
