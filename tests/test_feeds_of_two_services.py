"""Two services poll hundreds of feeds of one strict nginx, whose log is the judge."""

import re
import subprocess
import time
from collections import Counter, defaultdict
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest
from attrs import frozen

from newsintel.domain.feeds.judging import PACE_S
from tests.actors.test_feeds_of_nginx import is_listening
from tests.ops.nginx_front import NGINX, write_command
from tests.outbound.sources.feeds.reading import item, rss
from tests.service import free_port, running
from tests.waiting import PATIENCE_S, wait_for

HOSTS, FEEDS, SLOW_HOSTS = 50, 6, 16
"""How many hosts, and how many feeds each of them has; a slow host has one. A host is a port."""
MAX_AGE_S = 31
ROUNDING_S = 0.01
"""nginx's log has milliseconds, of the last time at which it looked at the clock."""

SITE = """
log_format seen '$msec $request_time $server_port $uri $status "$request_completion" '
    '$http_user_agent';
limit_req_zone $server_port zone=hosts:1m rate=1r/s;
limit_req_zone $server_port$uri zone=feeds:1m rate=2r/m;
limit_req_status 429;
types { application/rss+xml rss; }
server {
    LISTEN
    server_name _;
    root FOLDER;
    access_log FOLDER/seen.log seen;
    keepalive_timeout 0;
    add_header Cache-Control max-age=31;
    limit_req zone=hosts;
    limit_req zone=feeds;
    location /slow/ { limit_rate 1k; etag off; if_modified_since off; }
}
"""
"""One request a second for each host, and one in 30.3 s for each feed (nginx rounds 2/60 to 0.033):
what comes sooner is a 429. A slow feed takes some ten seconds and never says that it is unchanged.
"""

LINE = re.compile(
    r'(?P<done_s>\S+) (?P<took_s>\S+) (?P<port>\d+) (?P<uri>\S+) (?P<status>\d+) "(?P<whole>OK)?" '
    r"newsintel/\S+ \(\+https://(?P<process>\w+)\.example\)"
)


@frozen
class Request:
    """A line of nginx's log."""

    done_s: float
    asked_s: float
    port: int
    uri: str
    status: int
    whole: bool
    process: str


@frozen
class Origin:
    """A running nginx: its feeds, the ports of the slow ones, and what it saw."""

    feeds: Path
    slow_ports: frozenset[int]
    log: Path

    def read_log(self):
        """Every request, in the order in which they came."""
        text = self.log.read_text()
        found = [
            Request(
                float(line["done_s"]),
                float(line["done_s"]) - float(line["took_s"]),
                int(line["port"]),
                line["uri"],
                int(line["status"]),
                line["whole"] is not None,
                line["process"],
            )
            for line in LINE.finditer(text)
        ]
        assert len(found) == text.count("\n")
        return sorted(found, key=lambda request: request.asked_s)


@pytest.fixture
def origin(tmp_path):
    """A running nginx that has the feeds, and the list of them."""
    if NGINX is None:
        pytest.skip("nginx is not installed")
    tmp_path.chmod(0o755)
    (tmp_path / "slow").mkdir()
    ports = [free_port() for _ in range(HOSTS + SLOW_HOSTS)]
    paths = [(port, f"{number}.rss") for port in ports[:HOSTS] for number in range(FEEDS)]
    paths += [(port, "slow/0.rss") for port in ports[HOSTS:]]
    for path in {path for _, path in paths}:
        stories = [
            item(f"Story {one} of {path}", f"https://news.example/{path}/{one}")
            for one in range(100)
        ]
        (tmp_path / path).write_text(rss("".join(stories)))
    listed = (
        f'<outline type="rss" xmlUrl="http://127.0.0.1:{port}/{path}"/>' for port, path in paths
    )
    feeds = tmp_path / "feeds.opml"
    feeds.write_text(f'<opml version="2.0"><body>{"".join(listed)}</body></opml>')
    listen = " ".join(f"listen 127.0.0.1:{port};" for port in ports)
    site = SITE.replace("LISTEN", listen).replace("FOLDER", str(tmp_path))
    process = subprocess.Popen(write_command(tmp_path, site))
    try:
        wait_for(lambda: is_listening(ports[-1]), "nginx")
        yield Origin(feeds, frozenset(ports[HOSTS:]), tmp_path / "seen.log")
    finally:
        process.terminate()
        process.wait(PATIENCE_S)


@contextmanager
def polling(folder, name, origin):
    """A service that polls; nginx's log has its name."""
    with running(
        folder,
        "serve",
        SOURCES="feeds",
        FEEDS=str(origin.feeds),
        FEEDS_POLL_MIN_S="10",
        PRIVATE_ADDRESSES="1",
        PUBLIC_URL=f"https://{name}.example",
    ) as service:
        yield service


def find_open_ports(pid):
    """The remote ports of a process's established connections (proc_pid_net(5), net/tcp)."""
    sockets = set()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        try:
            sockets.add(str(link.readlink()))
        except FileNotFoundError:
            continue
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return {
        int(line[2].partition(":")[2], 16)
        for line in lines
        if line[3] == "01" and f"socket:[{line[9]}]" in sockets
    }


def find_pauses(requests, key):
    """The pauses between the ends of two requests, for each value of a key."""
    ordered = defaultdict(list)
    for request in requests:
        ordered[key(request)].append(request)
    return [
        after.done_s - before.done_s
        for several in ordered.values()
        for before, after in pairwise(several)
    ]


@pytest.mark.slow
def test_a_strict_origin_refuses_nothing_and_a_dead_service_loses_nothing(tmp_path, origin):
    """Each feed is read by either service once, and is a 304 from then on.

    Then one of them is killed while it reads slow feeds. The other one reads those feeds, too.
    """
    home = tmp_path / "home"
    home.mkdir()
    with polling(home, "survivor", origin), polling(home, "victim", origin) as victim:

        def all_unchanged():
            seen = {(one.port, one.uri) for one in origin.read_log() if one.status == 304}
            return len(seen) == HOSTS * FEEDS

        wait_for(all_unchanged, "a second poll of every feed", pause_s=0.5)
        cut = wait_for(
            lambda: find_open_ports(victim.process.pid) & origin.slow_ports, "a slow feed"
        )
        victim.process.kill()
        killed_s = time.time()

        def all_read_again():
            seen = [one for one in origin.read_log() if one.whole and one.asked_s > killed_s]
            return {one.port for one in seen if one.process == "survivor"} >= cut

        wait_for(all_read_again, "the feeds that it was reading", pause_s=0.5)
    check_log(origin)


def check_log(origin):
    """Check that nginx refused nothing, and that nothing came sooner than asked."""
    requests = origin.read_log()
    assert {one.process for one in requests} == {"survivor", "victim"}
    assert {one.status for one in requests} == {200, 304}
    quick = [one for one in requests if one.port not in origin.slow_ports]
    assert set(Counter((one.port, one.uri) for one in quick if one.status == 200).values()) == {1}
    assert min(find_pauses(requests, lambda one: one.port)) >= PACE_S - ROUNDING_S
    assert min(find_pauses(quick, lambda one: (one.port, one.uri))) >= MAX_AGE_S - ROUNDING_S
