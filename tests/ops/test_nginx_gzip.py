"""What nginx in front compresses: judged by curl, httpx and zlib. Personal answers never are."""

import shutil
import subprocess
import time
import zlib

import pytest

from tests.ops.nginx_front import APP, NGINX, running_nginx
from tests.service import running

pytestmark = pytest.mark.skipif(
    NGINX is None, reason="nginx is not installed (Debian: apt-get install nginx-light)"
)

GZIP = {"Accept-Encoding": "gzip"}
PLAIN = {"Accept-Encoding": "identity"}
LONG = "&limit=50"


@pytest.fixture(scope="module")
def nginx(tmp_path_factory):
    """The shipped configuration in front of the demo."""
    folder = tmp_path_factory.mktemp("behind")
    settings = {"TRUSTED_PROXIES": "127.0.0.1", "RATE_LIMIT": "off", "CORS_ORIGINS": APP}
    with (
        running(folder, "demo", **settings) as service,
        running_nginx(tmp_path_factory.mktemp("nginx"), service) as front,
    ):
        yield front


@pytest.fixture
def path():
    """A search that no test has used."""
    return f"/articles?q=climate+OR+{time.monotonic_ns()}{LONG}"


def raw(nginx, path, headers):
    """A response and its body as it was sent, without httpx's decoding."""
    with nginx.client.stream("GET", path, headers=headers) as response:
        return response, b"".join(response.iter_raw())


def unzip(body):
    """The content of one gzip member."""
    return zlib.decompress(body, wbits=31)


@pytest.mark.parametrize("first", [GZIP, PLAIN], ids=["gzip first", "plain first"])
def test_each_client_gets_what_it_accepts_from_one_cached_answer(nginx, path, first):
    """Whoever filled the cache. The entity tag is one, because it is weak, and Vary says it."""
    raw(nginx, path, first)
    zipped, packed = raw(nginx, path, GZIP)
    plain, body = raw(nginx, path, PLAIN)
    assert zipped.headers["cache-status"].endswith("nginx; hit")
    assert plain.headers["cache-status"].endswith("nginx; hit")
    assert (zipped.headers["content-encoding"], unzip(packed)) == ("gzip", body)
    assert "content-encoding" not in plain.headers
    assert len(packed) < len(body) / 3
    assert zipped.headers["etag"] == plain.headers["etag"]
    assert zipped.headers["etag"].startswith('W/"')
    for response in (zipped, plain):
        assert "accept-encoding" in ", ".join(response.headers.get_list("vary")).lower()
    again, nothing = raw(nginx, path, GZIP | {"If-None-Match": zipped.headers["etag"]})
    assert (again.status_code, nothing) == (304, b"")


@pytest.mark.parametrize("form", ["rss", "jsonfeed", "csv"])
def test_feeds_and_tables_are_compressed(nginx, path, form):
    """Every format of a search."""
    response, packed = raw(nginx, f"{path}&format={form}", GZIP)
    assert response.headers["content-encoding"] == "gzip"
    assert unzip(packed) == raw(nginx, f"{path}&format={form}", PLAIN)[1]


@pytest.mark.parametrize("path", ["/openapi.json", "/docs"])
def test_other_answers_are_compressed(nginx, path):
    """All texts. nginx counts HTML among them without being told."""
    response, packed = raw(nginx, path, GZIP)
    assert response.headers["content-encoding"] == "gzip"
    assert len(unzip(packed)) > len(packed)


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_curl_reads_it(nginx, path):
    """With --compressed, and without."""
    url = f"http://localhost:{nginx.port}{path}"
    command = ["curl", "--silent", "--show-error", "--fail"]
    plain = subprocess.run([*command, url], capture_output=True, check=True).stdout
    packed = subprocess.run([*command, "--compressed", url], capture_output=True, check=True).stdout
    assert plain == packed
    assert plain.startswith(b'{"articles":')


@pytest.mark.parametrize(
    "who",
    [
        {"Authorization": "Bearer ni_x"},
        {"Cookie": "__Host-newsintel=x"},
        {"Cookie": "theme=dark; newsintel_dev=x"},
    ],
)
@pytest.mark.parametrize("where", ["search", "/me/page", "/auth/providers", "/health/ready"])
def test_nothing_personal_is_compressed(nginx, path, who, where):
    """Only the request decides, except for what newsintel itself compresses: that is anybody's."""
    response, body = raw(nginx, path if where == "search" else where, GZIP | who)
    assert "content-encoding" not in response.headers
    assert body


@pytest.mark.parametrize(
    "accept", ["", "identity", "gzip;q=0", "br", "deflate", "gzip;q=0, *;q=1", "zzz"]
)
def test_other_codings_are_never_sent(nginx, path, accept):
    """Whatever a client accepts, it gets gzip or plain bytes."""
    response, body = raw(nginx, path, {"Accept-Encoding": accept})
    assert "content-encoding" not in response.headers
    assert body.startswith(b'{"articles":')


def test_small_answers_and_streams_are_plain(nginx, path):
    """Below 1 KiB gzip saves no packet. Events of a stream must not wait for more of them."""
    response, body = raw(nginx, "/health", GZIP)
    assert "content-encoding" not in response.headers
    assert len(body) < 1024
    response, body = raw(nginx, path.replace("/articles", "/articles/stream"), GZIP)
    assert response.headers["content-type"].startswith("text/event-stream")
    assert "content-encoding" not in response.headers
    assert b"event: done" in body
