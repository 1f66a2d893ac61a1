"""A client cannot choose what nginx answers to another client's search.

The tests attack each part of the cache key, and everything that is not in the key.

An attack is bytes on a separate connection. Afterwards the plain request must get exactly the bytes
of newsintel's own answer.
"""

import time

import pytest

from tests.ops.nginx_front import APP, NGINX, running_nginx
from tests.service import running
from tests.waiting import wait_for

pytestmark = pytest.mark.skipif(
    NGINX is None, reason="nginx is not installed (Debian: apt-get install nginx-light)"
)

OF_THE_MOMENT = {
    "date",
    "age",
    "cache-control",
    "cache-status",
    "server-timing",
    "x-request-id",
    "x-accel-expires",
    "connection",
}
"""Headers that may differ between two answers to the same request."""
OF_NGINX = {"server", "ratelimit", "ratelimit-policy"}
"""nginx sends its own name, and hides the limits of the client that filled the cache."""


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """The demo; its searches stay fresh during all tests of this module."""
    settings = {
        "CACHE_TTL_S": "600",
        "TRUSTED_PROXIES": "127.0.0.1",
        "RATE_LIMIT": "off",
        "MISS_LIMIT": "off",
        "CORS_ORIGINS": APP,
    }
    with running(tmp_path_factory.mktemp("behind"), "demo", **settings) as service:
        yield service


@pytest.fixture(scope="module")
def nginx(service, tmp_path_factory):
    """nginx with the configuration that we ship."""
    with running_nginx(tmp_path_factory.mktemp("nginx"), service) as front:
        yield front


@pytest.fixture
def target():
    """A search that no test has used, with parameters after its words."""
    return f"/articles?q=climate+OR+{time.monotonic_ns()}&sources=guardian&limit=3"


def request(uri, *lines, method="GET", host="localhost", version="HTTP/1.1", body=b""):
    """A request as bytes; the connection closes after its answer."""
    head = [
        f"{method} {uri} {version}",
        *([f"Host: {host}"] if host is not None else []),
        *lines,
        "Connection: close",
        "",
        "",
    ]
    return "\r\n".join(head).encode("latin-1") + body


def stable(headers):
    """The headers that must be the same in two answers to one request.

    nginx adds what it compresses by to Vary.
    """
    return {
        (name.lower(), value.replace("Accept-Encoding, ", ""))
        for name, value in headers.items()
        if name.lower() not in OF_THE_MOMENT | OF_NGINX
    }


def assert_untouched(nginx, service, target, headers=()):
    """Check that the plain request through nginx gets newsintel's own answer."""
    plain = {"Accept-Encoding": "identity"} | dict(headers)
    found, told = (
        nginx.get(target, headers=plain),
        service.client.get(service.url + target, headers=plain),
    )
    assert (found.status_code, found.content) == (told.status_code, told.content)
    assert found.status_code == 200
    assert stable(found.headers) == stable(told.headers)
    body = found.json()
    assert (
        body["limit"],
        [name for name, one in body["sources"].items() if one["status"] != "disabled"],
    ) == (3, ["guardian"])


def cuts(uri):
    """The places where a target can be cut so that the first part is still a search.

    These are between its parameters and inside the last one.
    """
    marks = [place for place, letter in enumerate(uri) if letter in "&="]
    return [
        place
        for place in {*marks, *(mark + 1 for mark in marks), len(uri) - 1}
        if place > len("/articles?q=")
    ]


@pytest.mark.slow
def test_no_header_completes_a_cut_target(nginx, service, target):
    """The request has the first part of another search's target.

    The rest is in a header that is part of the key, or could be.
    """
    for cut in cuts(target):
        for name in ("Origin", "Cookie", "Authorization", "X-Request-Id"):
            nginx.send(request(target[:cut], f"{name}: {target[cut:]}"))
            nginx.send(request(target[:cut], f"{name}: {APP}{target[cut:]}"))
    assert_untouched(nginx, service, target)


def test_no_host_runs_into_the_target(nginx, service, target):
    """A host ends with the separator of the key, or with a part of the target."""
    path, _, query = target.partition("?")
    for host in (
        f"localhost {target}",
        f"localhost{target}",
        f"localhost {APP} ",
        f"localhost|{target}",
        f"localhost%20{target}",
        "localhost ",
        "",
    ):
        nginx.send(request(target, host=host))
        nginx.send(request(f"http://{host}{target}"))
        nginx.send(request(f"http://{host}?{query}"))
        nginx.send(request("/", host=f"{host}{path}"))
    assert_untouched(nginx, service, target)


@pytest.mark.parametrize(
    "origin",
    [
        APP,
        "https://evil.example",
        "null",
        "",
        f"{APP} ",
        f"{APP}, https://evil.example",
        f"{APP.upper()}",
    ],
)
def test_no_origin_takes_anothers_place(nginx, service, target, origin):
    """It does not count as no origin or as the allowed one; two origins count as none."""
    nginx.send(request(target, f"Origin: {origin}"))
    nginx.send(request(target, f"Origin: {origin}", "Origin: https://evil.example"))
    assert_untouched(nginx, service, target)
    assert_untouched(nginx, service, target, {"Origin": APP})


def spellings(target):
    """Other spellings of the target, which some programs read as equal and others do not."""
    path, _, query = target.partition("?")
    return [
        f"/{path}?{query}",
        f"/.{path}?{query}",
        f"/x/..{path}?{query}",
        f"/%61rticles?{query}",
        f"{path}%3F{query}",
        f"{path}/?{query}",
        f"{path};a=b?{query}",
        f"{path}%00?{query}",
        f"{path}%0d%0aX-Accel-Expires:%20600?{query}",
        f"{path}?{query}%0d%0aOrigin:%20{APP}",
        f"{path}?{query}%00",
        f"{path}?{query}#{query}",
        f"{path}#?{query}",
        f"{path}#",
        f"{path}?{query.replace('limit', '%6cimit')}",
        f"{path}?{query}&limit=7",
        f"{path}?limit=7;{query}",
        f"{path}?{query} HTTP/1.1 &limit=7",
        f"{path}?{query}\t&limit=7",
        f"\\articles?{query}",
        f"http://localhost{target}&limit=7",
        f"http://evil.example{target}",
        f"//localhost{target}",
        "*",
        f"{path.upper()}?{query}",
    ]


@pytest.mark.parametrize("place", range(25))
def test_no_other_spelling_of_the_target_takes_its_place(nginx, service, target, place):
    """Encoded, doubled, with dots, with a fragment, absolute: each has its own cached answer."""
    assert len(spellings(target)) == 25
    for method in ("GET", "HEAD"):
        nginx.send(request(spellings(target)[place], method=method))
    assert_untouched(nginx, service, target)


@pytest.mark.parametrize(
    "lines",
    [
        # Headers that poisoned other caches ("Practical Web Cache Poisoning", "Web Cache
        # Entanglement", "CPDoS").
        ["X-Original-URL: /sources", "X-Rewrite-URL: /sources"],
        [
            "X-Forwarded-Host: evil.example",
            "X-Forwarded-Server: evil.example",
            "X-Host: evil.example",
            "X-Original-Host: evil.example",
        ],
        [
            "X-Forwarded-Proto: ftp",
            "X-Forwarded-Scheme: nothttps",
            "X-Forwarded-Port: 1",
            "X-Forwarded-Prefix: /evil",
        ],
        [
            "Forwarded: for=6.6.6.6;host=evil.example;proto=https",
            "X-Forwarded-For: 6.6.6.6",
            "X-Real-IP: 6.6.6.6",
            "True-Client-IP: 6.6.6.6",
        ],
        ["X-HTTP-Method-Override: POST", "X-HTTP-Method: DELETE", "X-Method-Override: PUT"],
        [
            "Accept: text/html",
            "Accept-Language: xx",
            "Accept-Charset: utf-7",
            "User-Agent: <script>",
            "Referer: https://evil.example",
        ],
        ["Accept-Encoding: gzip, br", "TE: trailers", "Upgrade: websocket", "HTTP2-Settings: A"],
        ["Range: bytes=0-3", "If-Range: x"],
        ["Range: cow=very/mal formed"],
        [
            'If-None-Match: *, W/"x"',
            "If-Match: x",
            "If-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT",
        ],
        ["Cache-Control: no-store", "Pragma: no-cache", "X-Accel-Expires: 0", "Vary: Accept"],
        ["Cookie: theme=dark; language=xx"],
        ["Cookie: newsintel_dev=" + "x" * 43],
        ["Cookie: a=b;\xa0newsintel_dev=" + "x" * 43],
        ["Cookie: a=b;\tnewsintel_dev=" + "x" * 43, "Cookie: __Host-newsintel=" + "y" * 43],
        ["Authorization: Bearer ni_" + "x" * 43],
        ["Authorization:"],
        [
            "Sec-Fetch-Site: cross-site",
            "Sec-Fetch-Mode: no-cors",
            "Access-Control-Request-Method: GET",
        ],
        ["X-Big: " + "x" * 7000, "X-Bigger: " + "x" * 7000, "X-Biggest: " + "x" * 7000],
        ["X-Meta: \x07\x7f", "X_Under: score", "X Space: y"],
        [
            "Connection: Cookie, Origin, X-Request-Id, Host",
            "Proxy-Connection: close",
            "Keep-Alive: 1",
        ],
        ["X-Request-Id: a", "X-Request-Id: b\tc"],
    ],
    ids=lambda lines: lines[0].split(":")[0] + f"-{len(lines)}",
)
def test_what_is_not_in_the_key_does_not_show_in_the_answer(nginx, service, target, lines):
    """A header may change only the answer to its own request."""
    for method in ("GET", "HEAD"):
        nginx.send(request(target, *lines, method=method))
    assert_untouched(nginx, service, target)


@pytest.mark.parametrize(
    "method",
    ["HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "PURGE", "get", "GET\t"],
)
def test_no_other_method_takes_the_place_of_get(nginx, service, target, method):
    """Only GET and HEAD are cached, and for a HEAD what a GET would have returned."""
    nginx.send(request(target, "Content-Length: 0", method=method))
    assert_untouched(nginx, service, target)


def test_no_body_changes_the_answer(nginx, service, target):
    """A GET may have a body, which newsintel ignores.

    It refuses a body that is too large, and nginx does not cache the refusal.
    """
    body = b"q=evil&limit=7"
    nginx.send(
        request(
            target,
            "Content-Type: application/x-www-form-urlencoded",
            f"Content-Length: {len(body)}",
            body=body,
        )
    )
    nginx.send(
        request(target, "Transfer-Encoding: chunked", body=b"e\r\n" + body + b"\r\n0\r\n\r\n")
    )
    nginx.send(request(target, f"Content-Length: {70_000}", body=b"x" * 70_000))
    nginx.send(
        request(target, "Content-Length: 3", "Transfer-Encoding: chunked", body=b"0\r\n\r\n")
    )
    assert_untouched(nginx, service, target)


def test_no_older_protocol_changes_the_answer(nginx, service, target):
    """Requests without a Host, or without any header."""
    nginx.send(request(target, version="HTTP/1.0", host=None))
    nginx.send(f"GET {target}\r\n".encode())
    nginx.send(request(target, version="HTTP/1.1", host=None))
    assert_untouched(nginx, service, target)


def test_the_parts_of_every_key_can_be_told_apart(nginx, target):
    """After all tests above: scheme, allowed origin or none, our host, target.

    The separator cannot occur in any of them.
    """

    def is_kept():
        """Ask again each time: an answer without its source, on a busy machine, is not kept."""
        nginx.get(target)
        return f"http  localhost {target}" in nginx.kept_keys()

    wait_for(is_kept, "the file of the answer")
    for key in nginx.kept_keys():
        scheme, origin, host, uri = key.split(" ")
        assert (scheme, host) == ("http", "localhost")
        assert origin in ("", APP)
        assert uri.startswith("/")
