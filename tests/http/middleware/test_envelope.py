"""The headers that every response carries."""

import uuid

import pytest
import structlog

from newsintel.http.application import create_app
from newsintel.http.middleware.envelope import choose_request_id
from tests.http.world import World, answer, settings

PATHS = ["/articles?q=a", "/articles", "/nothing", "/health", "/problems/busy", "/openapi.json"]


@pytest.mark.parametrize("path", PATHS)
async def test_every_response_has_the_security_headers(path):
    """Answers, problems and pages have them; plain HTTP does not send HSTS."""
    headers = (await create_app(World().services).test_client().get(path)).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert uuid.UUID(headers["X-Request-Id"])
    assert "Strict-Transport-Security" not in headers


async def test_https_service_sends_hsts():
    """`max-age` is a year, as ASVS 3.4.1 requires."""
    world = World(settings=settings(NEWSINTEL_PUBLIC_URL="https://localhost"))
    headers = (await create_app(world.services).test_client().get("/health")).headers
    assert headers["Strict-Transport-Security"] == "max-age=31536000"


@pytest.mark.parametrize("given", ["a", "A-9", "x" * 64])
async def test_a_valid_request_id_is_kept(given):
    """The header and the problem repeat it."""
    response = (
        await create_app(World().services)
        .test_client()
        .get("/nothing", headers={"X-Request-Id": given})
    )
    assert (response.headers["X-Request-Id"], (await response.get_json())["request_id"]) == (
        given,
        given,
    )


@pytest.mark.parametrize(
    "given", [[], [b""], [b"x" * 65], [b"a b"], [b"a\r\nb"], [b"a\n"], [b"\xe9"], [b"a", b"a"]]
)
def test_any_other_request_id_is_replaced(given):
    """An id that could split a header, forge a log line or is ambiguous is not echoed."""
    made = choose_request_id([(b"X-Request-Id", value) for value in given])
    assert uuid.UUID(made)


async def test_the_request_id_is_in_every_log_line():
    """The id is bound to the context of the request's task and its children."""
    world = World()
    seen = []

    def made_by(query):
        seen.append(structlog.contextvars.get_contextvars()["request_id"])
        return answer(query)

    world.desk.made_by = made_by
    await (
        create_app(world.services)
        .test_client()
        .get("/articles?q=a", headers={"X-Request-Id": "abc"})
    )
    assert seen == ["abc"]
