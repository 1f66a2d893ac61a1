"""The nginx configuration in front of the real service: a shared cache for anonymous searches, and never for a person's."""

import os
import re
import signal
import subprocess
import time
from pathlib import Path

import httpx
import pytest

from ops.balancer import find_nginx
from tests.service import free_port, running
from tests.waiting import wait_for

CONFIG = Path(__file__).resolve().parents[2] / "ops" / "nginx" / "newsintel.conf"
NGINX = find_nginx()

pytestmark = pytest.mark.skipif(NGINX is None, reason="nginx is not installed (Debian: apt-get install nginx-light)")


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """The demo, with searches fresh for two seconds, then served while renewed for another two."""
    settings = {"CACHE_TTL_S": "3", "CACHE_REVALIDATE_S": "2", "CACHE_STALE_S": "60", "TRUSTED_PROXIES": "127.0.0.1", "RATE_LIMIT": "off"}
    with running(tmp_path_factory.mktemp("behind"), "demo", **settings) as service:
        yield service


@pytest.fixture(scope="module")
def nginx(service, tmp_path_factory):
    """A real nginx with the configuration as it is shipped, but for addresses and folders."""
    folder, port = tmp_path_factory.mktemp("nginx"), free_port()
    site = CONFIG.read_text()
    for shipped, here in {
        "/var/cache/nginx/newsintel": f"{folder}/cache",
        "server 127.0.0.1:8000;": f"server {service.url.removeprefix('http://')};",
        "listen 80;": f"listen 127.0.0.1:{port};",
        "server_name news.example.org;": "server_name localhost;",
    }.items():
        assert site.count(shipped) == 1, shipped
        site = site.replace(shipped, here)
    temporary = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    user = "user root;\n" if os.geteuid() == 0 else ""
    main = f"{user}pid {folder}/pid;\nerror_log {folder}/error.log;\nworker_processes 1;\nevents {{}}\n"
    (folder / "nginx.conf").write_text(f"{main}http {{\naccess_log off;\n{temporary}{site}}}\n")
    command = [NGINX, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log"), "-g", "daemon off;"]
    process = subprocess.Popen(command)
    try:
        with httpx.Client(base_url=f"http://localhost:{port}", trust_env=False) as client:
            for _ in range(100):
                try:
                    client.get("/health")
                except httpx.TransportError:
                    assert process.poll() is None, (folder / "error.log").read_text()
                    time.sleep(0.05)
                else:
                    break
            yield client
    finally:
        process.send_signal(signal.SIGQUIT)
        process.wait(10)


@pytest.fixture
def path():
    """A search that no test has asked for."""
    return f"/articles?q=climate+OR+{time.monotonic_ns()}"


def kept_by(response):
    """What each cache on the way says, nginx's word last."""
    return response.headers["cache-status"].split(", ")


def test_a_repeat_is_answered_by_nginx(nginx, service, path):
    """Byte for byte; newsintel does not hear of it; the request keeps an id of its own and nobody's limits are told."""
    first = nginx.get(path, headers={"X-Request-Id": "one"})
    second = nginx.get(path, headers={"X-Request-Id": "two", "Cookie": "theme=dark"})
    assert kept_by(first) == ["newsintel; fwd=miss", "nginx; fwd=miss"]
    assert kept_by(second)[-1] == "nginx; hit"
    assert second.content == first.content
    assert [it.headers.get_list("x-request-id") for it in (first, second)] == [["one"], ["two"]]
    assert "ratelimit" not in second.headers
    direct = service.client.get(service.url + path)
    assert direct.headers["etag"] == second.headers["etag"]


def test_what_is_left_of_its_life_is_told_truly(nginx, service, path):
    """nginx counts no Age: the time left at the answer's Date is what is told, also for an answer that had an age already."""
    first = second = None
    while second is None:
        path += "0"
        began = time.monotonic()
        service.client.get(service.url + path)
        time.sleep(1.2)
        first = nginx.get(path)
        if time.monotonic() - began < 2:  # else the machine was too busy: the answer is older than it is taken for below
            time.sleep(0.5)
            second = nginx.get(path)
    assert kept_by(first)[0].startswith("newsintel; hit")
    for response in (first, second):
        assert "age" not in response.headers
        assert re.match(r"public, max-age=1, ", response.headers["cache-control"])
    assert second.headers["date"] == first.headers["date"]


def test_conditional_requests_are_answered_by_nginx(nginx, path):
    """A 304 for whoever has it."""
    first = nginx.get(path)
    again = nginx.get(path, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert kept_by(again)[-1] == "nginx; hit"


@pytest.mark.parametrize(
    "who",
    [
        {"Authorization": "Bearer ni_x"},
        {"Cookie": "__Host-newsintel=x"},
        {"Cookie": "theme=dark; newsintel_dev=x"},
    ],
)
def test_whoever_says_who_they_are_goes_past_the_cache(nginx, path, who):
    """Both ways: neither are they answered from it, nor is what they get kept."""
    personal = nginx.get(path, headers=who)
    assert kept_by(personal)[-1] == "nginx; fwd=bypass"
    anonymous = nginx.get(path)
    assert kept_by(anonymous)[-1] == "nginx; fwd=miss"
    assert kept_by(nginx.get(path, headers=who))[-1] == "nginx; fwd=bypass"


def test_origins_do_not_share(nginx, path):
    """An answer for one origin's scripts is not another's."""
    nginx.get(path)
    assert kept_by(nginx.get(path, headers={"Origin": "https://app.example.org"}))[-1] == "nginx; fwd=miss"


def test_failures_are_not_kept(nginx, service, path):
    """When every source fails the next caller asks again."""
    for source in ("newsapi", "guardian", "reddit"):
        service.behave(source, fault="500")
    try:
        failed = nginx.get("/articles?q=zzz" + path.rpartition("+")[2])
        assert failed.status_code >= 500
        assert failed.headers["cache-control"] == "no-store"
    finally:
        for source in ("newsapi", "guardian", "reddit"):
            service.behave(source, fault="none")
    assert kept_by(nginx.get("/articles?q=zzz" + path.rpartition("+")[2]))[-1] == "nginx; fwd=miss"


def test_an_old_answer_is_served_while_it_is_renewed(nginx, path):
    """Past its freshness the caller is answered at once from the cache, and soon there is a newer one."""
    first = nginx.get(path)
    time.sleep(3.3)
    old = nginx.get(path)
    assert kept_by(old)[-1] == "nginx; hit"
    assert old.json()["fetched_at"] == first.json()["fetched_at"]
    wait_for(lambda: nginx.get(path).json()["fetched_at"] != first.json()["fetched_at"], "a newer answer", pause_s=0.2)


def test_everything_else_passes_through(nginx):
    """Other addresses are not kept, and the client's own X-Forwarded-For counts for nothing."""
    for _ in range(2):
        response = nginx.get("/sources", headers={"X-Forwarded-For": "6.6.6.6"})
        assert response.status_code == 200
        assert "cache-status" not in response.headers
