"""Streams through a real nginx with the shipped configuration, read by npm's eventsource."""

import json
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import httpx
import pytest
import trio
from attrs import frozen

from newsintel.domain.search.outcome import Status
from tests.http.newsroom import newsroom
from tests.http.routes.test_stream import PATH, SAME, iterate
from tests.http.wire import Served, serving
from tests.npm import install
from tests.ops.nginx_front import NGINX, site, write_command
from tests.service import free_port

READERS = Path(__file__).parent / "readers"

pytestmark = pytest.mark.skipif(
    NGINX is None, reason="nginx is not installed (Debian: apt-get install nginx-light)"
)


@frozen
class Front:
    """nginx before a server, and the newsroom behind it."""

    room: object
    served: Served
    client: httpx.AsyncClient

    @property
    def url(self):
        """The address of nginx."""
        return str(self.client.base_url).rstrip("/")


@asynccontextmanager
async def front(folder):
    """Serve a newsroom behind nginx during the block."""
    port = free_port()
    async with newsroom() as room, serving(room.world) as served, trio.open_nursery() as nursery:
        command = write_command(folder, site(folder, served, port))
        process = await nursery.start(partial(trio.run_process, command))
        while not (folder / "pid").exists() or not (folder / "pid").read_text():  # noqa: ASYNC110  # a file has no event
            await trio.sleep(0.02)
        async with httpx.AsyncClient(
            base_url=f"http://localhost:{port}", timeout=60, trust_env=False
        ) as client:
            yield Front(room, served, client)
        process.terminate()


async def test_nginx_passes_each_event_on_at_once(tmp_path):
    """The first events arrive while another source hangs; nginx would else keep them back.

    nginx caches the search, but not the stream of the same query.
    """
    async with front(tmp_path) as behind:
        for _ in range(2):
            async with behind.client.stream("GET", PATH) as response:
                events = iterate(response)
                if not behind.served.counted("searches", via="miss"):
                    await behind.room.report("guardian", Status.OK, "Waters rise")
                    names = [(await anext(events)).event for _ in range(2)]
                    assert names == ["source", "merge"]
                    await behind.room.report("newsapi", Status.EMPTY)
                    assert (await anext(events)).event == "source"
                (done,) = [event async for event in events]
            plain = await behind.client.get(SAME)
            assert (done.event, done.json()) == ("done", plain.json())
        assert "Cache-Status" not in response.headers
        assert behind.served.counted("searches", via="hit") >= 1


@pytest.mark.slow
@pytest.mark.parametrize("how", ["close", "leave open"])
async def test_an_event_source_gets_each_event_once_and_stops(tmp_path, how):
    """One that its page does not close reconnects once, gets a 204 and stops for good."""
    readers = tmp_path / "readers"
    readers.mkdir()
    await trio.to_thread.run_sync(install, READERS, readers)
    async with front(tmp_path) as behind, trio.open_nursery() as nursery:
        finished = []

        async def follow():
            command = ["node", "follow.mjs", behind.url + PATH, how]
            finished.append(
                await trio.run_process(command, cwd=readers, capture_stdout=True, check=True)
            )

        nursery.start_soon(follow)
        await behind.room.report("guardian", Status.OK, "Waters rise")
        await behind.room.report("newsapi", Status.OK, "Ein Komet\u2028zieht vorbei")
    lines = [json.loads(line) for line in finished[0].stdout.splitlines()]
    events = [line for line in lines if line["event"] != "error"]
    assert [line["event"] for line in events] in (
        ["source", "merge", "source", "done"],
        ["source", "source", "done"],  # both arrived before nginx had connected
    )
    assert json.loads(events[-1]["data"])["total"] == 2
    errors = [(line["code"], line["state"]) for line in lines if line["event"] == "error"]
    assert errors == ([] if how == "close" else [(None, 0), (204, 2)])
    assert behind.served.counted("searches", via="miss") == 1
