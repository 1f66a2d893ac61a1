"""Which host names the service answers."""

import pytest
import trio

from newsintel.http.application import create_app
from newsintel.http.middleware.host_check import parse_host
from tests.http.world import World, settings


async def status_for(host, path="/sources", **environ):
    """Return the status of a request with this Host header."""
    client = create_app(World(settings=settings(**environ)).services).test_client()
    return (await client.get(path, headers={"Host": host})).status_code


PUBLIC = {
    "NEWSINTEL_PUBLIC_URL": "https://news.example.org",
    "NEWSINTEL_BIND": "0.0.0.0:8000",
    "NEWSINTEL_ALLOWED_HOSTS": "alias.test, b:9",
}


@pytest.mark.parametrize(
    "host",
    ["news.example.org", "NEWS.example.org:443", "news.example.org.", "alias.test", "b", "b:9"],
)
async def test_own_names_are_served(host):
    """The hosts of PUBLIC_URL and ALLOWED_HOSTS are served, in any case and with any port."""
    assert await status_for(host, **PUBLIC) == 200


FOREIGN = [
    "evil.test",
    "news.example.org.evil.test",
    "localhost",
    "127.0.0.1",
    "",
    "news.example.org@evil.test",
    "news.example.org:x",
    "a b",
    "é",
]


@pytest.mark.parametrize("host", FOREIGN)
async def test_other_hosts_are_421(host):
    """A service on an outer address refuses even localhost; a malformed Host is always refused."""
    assert await status_for(host, **PUBLIC) == 421


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:9000", "127.0.0.1:8000", "[::1]:8000", "[::1]"]
)
async def test_a_service_on_loopback_answers_local_names(host):
    """A service bound to loopback answers these names and no other."""
    assert await status_for(host) == 200
    assert await status_for("evil.test") == 421


@pytest.mark.parametrize("path", ["/health", "/health/ready"])
async def test_the_health_routes_answer_any_host(path):
    """Load balancers probe by address."""
    assert await status_for("10.0.0.7:8000", path, **PUBLIC) == 200


ODD = [
    "a..b",
    ".",
    "..",
    "localhost..",
    "xn--" + "a" * 60,
    "a" * 64,
    "-",
    "_",
    "a." * 500,
    "xn--a",
    "1.2.3.4.5",
    "[::1",
    "a:99999",
    "é",
    "\xff" * 70,
    "",
]
"""Names that can break IDNA or the framework's reader of Host."""


@pytest.mark.parametrize("host", ODD)
async def test_an_odd_host_is_refused_without_an_error(host, caplog):
    """The health routes answer it, all other routes refuse it, and no error is logged.

    If the request target is in absolute form, the Host header does not count.
    """
    app = create_app(World().services)
    for path, status in {
        "/health": 200,
        "/health/ready": 200,
        "/sources": 421,
        "/nowhere": 421,
        "http://localhost/sources": 200,
    }.items():
        assert await answered(app, path, host) == status, path
    assert await answered(app, f"http://{host}/health", "localhost") == 200
    assert await answered(app, f"http://{host}/sources", "localhost") == 421
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


async def answered(app, target, host):
    """Return the status for a target in any form.

    The framework's own test client accepts no odd hosts.
    """
    statuses = []

    async def receive():
        await trio.lowlevel.checkpoint()
        if statuses:
            await trio.sleep_forever()
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        await trio.lowlevel.checkpoint()
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": target,
        "raw_path": b"",
        "query_string": b"",
    }
    await app(
        scope
        | {
            "headers": [(b"host", host.encode("latin-1"))],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 2),
        },
        receive,
        send,
    )
    return statuses[0]


async def test_the_answer_is_a_problem_with_id_and_security_headers():
    """A refused request gets the same envelope as every other request."""
    client = create_app(World().services).test_client()
    response = await client.get("/sources", headers={"Host": "evil.test", "X-Request-Id": "abc"})
    body = await response.get_json()
    assert (body["code"], body["status"], body["request_id"], body["instance"]) == (
        "wrong_host",
        421,
        "abc",
        "/sources",
    )
    assert response.headers["X-Content-Type-Options"] == "nosniff"


async def test_forwarded_hosts_are_ignored():
    """Neither header can allow a host or change a link."""
    client = create_app(World().services).test_client()
    forwarded = {"X-Forwarded-Host": "evil.test", "Forwarded": "host=evil.test"}
    response = await client.get("/articles?q=a&limit=1", headers=forwarded)
    assert response.status_code == 200
    assert "evil" not in str(response.headers)
    assert (
        await client.get("/sources", headers={"Host": "evil.test", "X-Forwarded-Host": "localhost"})
    ).status_code == 421


@pytest.mark.parametrize(
    ("authority", "host"),
    [
        ("A.b:1", "a.b"),
        ("[::1]:80", "[::1]"),
        ("a.", "a"),
        ("a:", "a"),
        ("[::1", None),
        ("u@a", None),
        ("a,b", None),
        ("", None),
    ],
)
def test_host_of_ignores_port_case_and_one_trailing_dot(authority, host):
    """A malformed authority gives None."""
    assert parse_host(authority) == host
