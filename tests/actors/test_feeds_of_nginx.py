"""A strict origin: nginx with its own entity tags, and a limit that knows no mercy."""

import re
import socket
import subprocess
from collections import Counter

import pytest
import trio

from newsintel.actors.poller import Poller
from newsintel.domain.bounds.room import ByteBudget
from newsintel.domain.feeds.model import PollStatus
from newsintel.domain.feeds.schedule import PollBounds
from newsintel.outbound.feed_client import open_feed_client
from newsintel.runtime.clock import utc_now
from tests.fakes.basics import Counts
from tests.fakes.feeds import FixedList, MemoryFeeds
from tests.ops.nginx_front import NGINX, write_command
from tests.outbound.sources.feeds.reading import item, rss
from tests.outbound.test_feed_client import resolving
from tests.service import free_port
from tests.waiting import PATIENCE_S, until, wait_for

HOSTS, FEEDS = 3, 3
"""How many hosts, and how many feeds each of them has."""

SITE = """
log_format seen '$host $uri $status';
limit_req_zone $host zone=hosts:1m rate=60r/m;
limit_req_status 429;
types { application/rss+xml rss; }
server {
    listen 127.0.0.1:PORT;
    server_name _;
    root FOLDER;
    access_log FOLDER/seen.log seen;
    location / { limit_req zone=hosts; add_header Cache-Control max-age=1; }
}
"""
"""One request a second for each host, none sooner: the second of two is a 429."""


@pytest.fixture
def origin(tmp_path):
    """The port of a running nginx that has the feeds."""
    if NGINX is None:
        pytest.skip("nginx is not installed")
    tmp_path.chmod(0o755)
    for number in range(FEEDS):
        story = item(f"Story {number}", f"https://news.example/{number}")
        (tmp_path / f"{number}.rss").write_text(rss(story))
    port = free_port()
    site = SITE.replace("PORT", str(port)).replace("FOLDER", str(tmp_path))
    process = subprocess.Popen(write_command(tmp_path, site))
    try:
        wait_for(lambda: is_listening(port), "nginx")
        yield port, tmp_path / "seen.log"
    finally:
        process.terminate()
        process.wait(PATIENCE_S)


def is_listening(port):
    """Whether anything accepts connections there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def read_log(path):
    """Host, address and status of each request that nginx saw."""
    return re.findall(r"^(\S+) (\S+) (\d+)$", path.read_text(), re.MULTILINE)


@pytest.mark.slow
async def test_a_strict_origin_has_nothing_to_complain_about(origin):
    """Two processes read every feed twice: no 429, and the second time all are 304."""
    port, log = origin
    feeds = [
        f"http://h{host}.example:{port}/{feed}.rss"
        for host in range(HOSTS)
        for feed in range(FEEDS)
    ]
    store, counts = MemoryFeeds(), Counts()
    send, receive = trio.open_memory_channel(100)

    def poller(client):
        return Poller(
            send.clone(),
            room=ByteBudget(10**6),
            store=store,
            reader=client,
            listed=FixedList(feeds),
            bounds=PollBounds(1, 3600),
            count=counts,
            now=utc_now,
        )

    names = {f"h{host}": [["127.0.0.1"]] for host in range(HOSTS)}
    async with (
        resolving(**names),
        open_feed_client("http://localhost", private=True, now=utc_now) as client,
        trio.open_nursery() as nursery,
    ):
        for _ in range(2):
            nursery.start_soon(poller(client).run)

        async def all_polled_twice():
            await trio.lowlevel.checkpoint()
            polled = Counter(address for address, _ in store.results)
            return len(polled) == len(feeds) and min(polled.values()) >= 2

        await until(all_polled_twice)
        nursery.cancel_scope.cancel()
    seen = read_log(log)
    assert {status for *_, status in seen} == {"200", "304"}
    first = Counter((host, uri) for host, uri, status in seen if status == "200")
    assert set(first.values()) == {1}
    assert len(first) == len(feeds)
    assert {result.status for _, result in store.results} == {PollStatus.OK, PollStatus.UNCHANGED}
    assert receive.statistics().current_buffer_used == len(feeds)
