"""The nginx configuration in front of the real service.

nginx caches anonymous searches for all, and never a person's.
"""

import re
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import SimpleNamespace

import pytest

from newsintel.domain.search.freshness import Windows
from newsintel.domain.search.harvest import Via
from newsintel.http.bodies.search import View
from newsintel.http.response.rendered_search import Privacy, render_search
from tests.http.world import NOW, answer
from tests.make import query
from tests.ops.nginx_front import APP, NGINX, running_nginx
from tests.service import running
from tests.waiting import wait_for

pytestmark = pytest.mark.skipif(
    NGINX is None, reason="nginx is not installed (Debian: apt-get install nginx-light)"
)


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """The demo: searches are fresh for three seconds, then served during a refresh.

    The refresh may take an hour, so that a slow machine gets a cached answer too.
    """
    settings = {
        "CACHE_TTL_S": "3",
        "CACHE_REVALIDATE_S": "3600",
        "CACHE_STALE_S": "7200",
        "TRUSTED_PROXIES": "127.0.0.1",
        "RATE_LIMIT": "off",
    }
    with running(
        tmp_path_factory.mktemp("behind"), "demo", CORS_ORIGINS=APP, **settings
    ) as service:
        yield service


@pytest.fixture(scope="module")
def nginx(service, tmp_path_factory):
    """nginx with the configuration that we ship."""
    with running_nginx(tmp_path_factory.mktemp("nginx"), service) as front:
        yield front


@pytest.fixture
def path():
    """A search that no test has used."""
    return f"/articles?q=climate+OR+{time.monotonic_ns()}"


def kept_by(response):
    """The Cache-Status of each cache, nginx's last."""
    return response.headers["cache-status"].split(", ")


def test_a_repeat_is_answered_by_nginx(nginx, service, path):
    """The bytes are the same, and newsintel gets no request.

    The answer has the request's own id and no other client's limits.
    """
    first = nginx.get(path, headers={"X-Request-Id": "one"})
    direct = service.client.get(service.url + path)
    second = nginx.get(path, headers={"X-Request-Id": "two", "Cookie": "theme=dark"})
    assert kept_by(first) == ["newsintel; fwd=miss", "nginx; fwd=miss"]
    assert kept_by(second)[-1] == "nginx; hit"
    assert second.content == first.content
    assert [it.headers.get_list("x-request-id") for it in (first, second)] == [["one"], ["two"]]
    assert "ratelimit" not in second.headers
    assert direct.headers["etag"] == second.headers["etag"]


def test_max_age_is_the_time_left_at_the_date(nginx, service, path):
    """nginx sends no Age, so max-age is the time left at the answer's Date.

    This holds also for an answer that already had an age.
    """
    first = second = None
    while second is None:
        path += "0"
        began = time.monotonic()
        service.client.get(service.url + path)
        time.sleep(1.2)
        first = nginx.get(path)
        # Otherwise the machine was too busy, and the answer is older than assumed below
        if time.monotonic() - began < 2:
            time.sleep(0.5)
            second = nginx.get(path)
    assert kept_by(first)[0].startswith("newsintel; hit")
    for response in (first, second):
        assert "age" not in response.headers
        assert re.match(r"public, max-age=1, ", response.headers["cache-control"])
    assert second.headers["date"] == first.headers["date"]


def test_conditional_requests_are_answered_by_nginx(nginx, path):
    """A client that has the answer gets a 304."""
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
def test_requests_with_credentials_bypass_the_cache(nginx, path, who):
    """Such requests get no cached answer, and their answers are not cached."""
    personal = nginx.get(path, headers=who)
    assert kept_by(personal)[-1] == "nginx; fwd=bypass"
    anonymous = nginx.get(path)
    assert kept_by(anonymous)[-1] == "nginx; fwd=miss"
    assert kept_by(nginx.get(path, headers=who))[-1] == "nginx; fwd=bypass"


def test_origins_do_not_share(nginx, path):
    """An answer that scripts of an allowed origin may read is cached for that origin only.

    All other origins count as none.
    """
    nginx.get(path)
    named, foreign = {"Origin": APP}, {"Origin": "https://evil.example"}
    assert [
        kept_by(nginx.get(path, headers=headers))[-1] for headers in (named, named, foreign)
    ] == [
        "nginx; fwd=miss",
        "nginx; hit",
        "nginx; hit",
    ]
    assert nginx.get(path, headers=named).headers["access-control-allow-origin"] == APP
    assert "access-control-allow-origin" not in nginx.get(path, headers=foreign).headers


def test_failures_are_not_cached(nginx, service, path):
    """If every source fails, the next caller's request goes to newsintel again."""
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


@pytest.mark.slow
def test_a_stale_answer_is_served_during_the_refresh(nginx, path):
    """Every caller gets the cached answer at once, and in time it is a newer one."""
    first = nginx.get(path)

    def is_newer() -> bool:
        answer = nginx.get(path)
        assert kept_by(answer)[-1] == "nginx; hit"
        return answer.json()["fetched_at"] != first.json()["fetched_at"]

    wait_for(is_newer, "a newer answer", pause_s=0.2)


def test_a_private_answer_is_not_cached(tmp_path):
    """newsintel sends private if a source held articles back from one person.

    nginx does not cache such an answer and does not call it public.
    """
    windows = Windows(ttl_s=300, revalidate_s=60, stale_s=3600, partial_s=30)
    body = {"total": 0, "articles": []}
    ours = render_search(
        query(),
        answer(query()),
        body,
        View(),
        tag="t",
        privacy=Privacy.HELD_BACK,
        windows=windows,
        link=None,
    )

    class Origin(BaseHTTPRequestHandler):
        """Answers like newsintel."""

        def do_GET(self) -> None:
            self.send_response(200)
            for name, value in ours.build_headers(NOW.timestamp(), Via.MISS):
                self.send_header(name.decode(), value.decode())
            self.end_headers()
            self.wfile.write(ours.body)

        def log_message(self, *_given: object) -> None:
            """Log nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Origin) as origin:
        Thread(target=origin.serve_forever, args=(0.01,), daemon=True).start()
        try:
            with running_nginx(
                tmp_path, SimpleNamespace(url=f"http://127.0.0.1:{origin.server_port}")
            ) as front:
                answers = [front.get("/articles?q=held") for _ in range(2)]
                assert [answer.headers["cache-control"] for answer in answers] == [
                    "private, no-cache"
                ] * 2
                assert [kept_by(answer)[-1] for answer in answers] == ["nginx; fwd=miss"] * 2
                assert front.kept_keys() == []
        finally:
            origin.shutdown()


def test_everything_else_passes_through(nginx):
    """Other addresses are not cached, and the client's own X-Forwarded-For has no effect."""
    for _ in range(2):
        response = nginx.get("/sources", headers={"X-Forwarded-For": "6.6.6.6"})
        assert response.status_code == 200
        assert "cache-status" not in response.headers
