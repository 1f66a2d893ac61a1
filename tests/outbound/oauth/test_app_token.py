"""One loop keeps the app-only token fresh, whatever the token endpoint answers."""

import base64
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import trio
from attrs import define, field
from structlog.testing import capture_logs
from trio.testing import MockClock

from newsintel.config.settings import SourceSettings
from newsintel.config.values import Secret
from newsintel.domain.search.outcome import Refusal, Status
from newsintel.outbound.oauth import app_token as oauth
from newsintel.outbound.oauth.app_token import AppToken, find_reply_fault, open_app_token
from newsintel.outbound.oauth.library import AsyncOAuth2Client
from tests.faults import Script, reply, serving, stall
from tests.shared import load_json, needs_shared
from tests.waiting import PATIENCE_S

SECRET = "planted-client-secret"
GOOD = {"access_token": "planted-token", "token_type": "bearer", "expires_in": 86400, "scope": "*"}


def answer(status: int = 200, body: Any = None, **headers: str) -> httpx.Response:
    """A reply of the token endpoint."""
    content = (
        body if isinstance(body, bytes) else json.dumps(GOOD if body is None else body).encode()
    )
    return httpx.Response(
        status,
        content=content,
        headers={name.replace("_", "-"): value for name, value in headers.items()},
    )


@define
class Endpoint:
    """A token endpoint in memory: the times of the calls, and the next answers.

    Without answers it issues token-1, token-2 and so on.
    """

    answers: list[httpx.Response | Exception] = field(factory=list)
    life_s: Any = 1000
    latency_s: float = 0.0
    calls_s: list[float] = field(factory=list)

    async def __call__(self, _request: httpx.Request) -> httpx.Response:
        """Answer one call."""
        self.calls_s.append(trio.current_time())
        await trio.sleep(self.latency_s)
        given = (
            self.answers.pop(0)
            if self.answers
            else answer(
                body=GOOD
                | {"access_token": f"token-{len(self.calls_s)}", "expires_in": self.life_s}
            )
        )
        if isinstance(given, Exception):
            raise given
        return given


@asynccontextmanager
async def kept(endpoint: Endpoint) -> AsyncIterator[AppToken]:
    """A token whose renewal loop runs."""
    transport = httpx.MockTransport(endpoint)
    async with (
        AsyncOAuth2Client("id", SECRET, transport=transport) as client,
        trio.open_nursery() as nursery,
    ):
        token = AppToken(client, "https://auth.example/api/v1/access_token")
        nursery.start_soon(token.keep_ready)
        yield token
        nursery.cancel_scope.cancel()


@pytest.fixture
def even(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses have no jitter."""
    monkeypatch.setattr(oauth.random, "uniform", lambda _low, _high: 1.0)


async def test_search_waits_for_first_token(autojump_clock: MockClock) -> None:
    """A search that starts before the first token waits for it, within its own deadline."""
    async with kept(Endpoint(latency_s=2)) as token:
        with trio.move_on_after(1) as scope:
            await token.get_token()
        assert scope.cancelled_caught
        assert await token.get_token() == "token-1"
        assert trio.current_time() == pytest.approx(2)


@pytest.mark.parametrize("life_s", [3600, 86400, 90.5])
async def test_token_is_renewed_before_its_expiry(autojump_clock: MockClock, life_s: float) -> None:
    """The lifetime comes from the reply, and no search gets an expired token.

    Reddit's tokens lived an hour at first, then a day.
    """
    endpoint = Endpoint(life_s=life_s, latency_s=1)
    async with kept(endpoint) as token:
        await trio.sleep(life_s * 0.89)
        assert await token.get_token() == "token-1"
        await trio.sleep(life_s * 0.03 + 1)
        assert await token.get_token() == "token-2"
    assert len(endpoint.calls_s) == 2


async def test_twenty_concurrent_renewals_cost_one_call(autojump_clock: MockClock) -> None:
    """Twenty fetches whose token was refused share one renewal.

    A later caller with the old token gets the new one without a call.
    """
    endpoint = Endpoint(latency_s=1)
    got: list[str | Refusal] = []

    async def renew() -> None:
        got.append(await token.renew_token("token-1"))

    async with kept(endpoint) as token:
        assert await token.get_token() == "token-1"
        async with trio.open_nursery() as nursery:
            for _ in range(20):
                nursery.start_soon(renew)
        await renew()
    assert got == ["token-2"] * 21
    assert len(endpoint.calls_s) == 2


async def test_renewal_joins_the_one_that_runs(autojump_clock: MockClock, even: None) -> None:
    """If the loop already renews the token, its result is the new token."""
    endpoint = Endpoint(latency_s=10 - 1e-3)
    async with kept(endpoint) as token:
        await token.get_token()
        await trio.testing.wait_all_tasks_blocked()
        await trio.sleep_until(endpoint.calls_s[0] + 905)
        assert len(endpoint.calls_s) == 2
        assert await token.renew_token("token-1") == "token-2"
        await trio.sleep(100)
    assert len(endpoint.calls_s) == 2


BAD = {
    "bad secret": (
        lambda: answer(401, {"message": "Unauthorized", "error": 401}),
        Status.UNAUTHORIZED,
    ),
    "error with 200": (lambda: answer(200, {"error": "invalid_grant"}), Status.UNAUTHORIZED),
    "blocked network": (lambda: answer(403, b"<html>blocked"), Status.UNAUTHORIZED),
    "401 with 200": (lambda: answer(200, {"error": 401}), Status.UNAUTHORIZED),
    "too fast": (
        lambda: answer(429, {"message": "Too Many Requests", "error": 429}),
        Status.RATE_LIMITED,
    ),
    "too fast with 200": (lambda: answer(200, {"error": 429}), Status.RATE_LIMITED),
    "bad request": (lambda: answer(400, {"error": 400}), Status.BAD_PAYLOAD),
    "HTML": (lambda: answer(200, b"<html>"), Status.BAD_PAYLOAD),
    "redirect": (
        lambda: answer(302, b"", location="https://elsewhere.example/"),
        Status.BAD_PAYLOAD,
    ),
    "down": (lambda: answer(503, b"<html>"), Status.UNREACHABLE),
    "a list": (lambda: answer(200, [1]), Status.BAD_PAYLOAD),
    "nested": (lambda: answer(200, b"[" * 100_000), Status.BAD_PAYLOAD),
    "no token": (lambda: answer(200, {"foo": 1}), Status.BAD_PAYLOAD),
    "empty error": (lambda: answer(200, GOOD | {"error": None}), Status.BAD_PAYLOAD),
    "expires_at": (lambda: answer(200, GOOD | {"expires_at": [1]}), Status.BAD_PAYLOAD),
    "token not text": (lambda: answer(200, GOOD | {"access_token": 7}), Status.BAD_PAYLOAD),
    "token with a line break": (
        lambda: answer(200, GOOD | {"access_token": "a\r\nb"}),
        Status.BAD_PAYLOAD,
    ),
    "other kind": (lambda: answer(200, GOOD | {"token_type": "mac"}), Status.BAD_PAYLOAD),
    **{
        f"expires_in {life_s}": (
            lambda life_s=life_s: answer(200, GOOD | {"expires_in": life_s}),
            Status.BAD_PAYLOAD,
        )
        for life_s in (None, 0, -1, 59, "3600", True, [], 10**400)
    },
    "expires_in NaN": (
        lambda: answer(200, json.dumps(GOOD).replace("86400", "NaN").encode()),
        Status.BAD_PAYLOAD,
    ),
    "expires_in 1e999": (
        lambda: answer(200, json.dumps(GOOD).replace("86400", "1e999").encode()),
        Status.BAD_PAYLOAD,
    ),
    "no connection": (
        lambda: httpx.ConnectError("https://auth.example?" + SECRET),
        Status.UNREACHABLE,
    ),
}


@pytest.mark.parametrize(("given", "status"), BAD.values(), ids=BAD)
async def test_unusable_reply_is_refused_at_once_and_retried(
    autojump_clock: MockClock, given: Callable[[], httpx.Response | Exception], status: Status
) -> None:
    """A search does not wait for a token that cannot come.

    The loop retries, and one good reply ends the failure. No secret is shown.
    """
    endpoint = Endpoint([given()])
    with capture_logs() as logs:
        async with kept(endpoint) as token:
            refused = await token.get_token()
            assert isinstance(refused, Refusal)
            assert refused.status is status
            await trio.sleep(3600)
            assert str(await token.get_token()).startswith("token-")
    assert [entry["event"] for entry in logs] == ["app_token_refused"]
    assert "planted" not in repr((logs, refused, token, token._grant))


@pytest.mark.parametrize(
    ("given", "pauses_s"),
    [
        (lambda: answer(503, b""), [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]),
        (lambda: answer(401, {"error": 401}), [300, 600, 1200, 2400, 3600, 3600]),
        (lambda: answer(429, {"error": 429}), [60, 120, 240]),
        (lambda: answer(429, {"error": 429}, Retry_After="7"), [7, 7]),
        (lambda: answer(429, {"error": 429}, Retry_After="0"), [1, 1]),
        (lambda: answer(429, {"error": 429}, Retry_After="9" * 12), [3600]),
        (lambda: answer(429, {"error": 429}, Retry_After="soon"), [60]),
    ],
    ids=["down", "bad secret", "too fast", "told when", "told now", "told never", "told nonsense"],
)
async def test_failures_are_retried_with_growing_pauses(
    autojump_clock: MockClock,
    even: None,
    given: Callable[[], httpx.Response],
    pauses_s: list[float],
) -> None:
    """The pause depends on how likely waiting helps, or is what the endpoint asked for."""
    endpoint = Endpoint([given() for _ in pauses_s])
    async with kept(endpoint):
        await trio.sleep(sum(pauses_s) + 1)
    assert [
        b - a for a, b in zip(endpoint.calls_s, endpoint.calls_s[1:], strict=False)
    ] == pytest.approx(pauses_s)


async def test_pauses_are_jittered(autojump_clock: MockClock) -> None:
    """Processes that failed together do not retry together."""
    endpoint = Endpoint([answer(503, b"") for _ in range(8)])
    async with kept(endpoint):
        await trio.sleep(1000)
    pauses = [
        (b - a) / 2**n
        for n, (a, b) in enumerate(zip(endpoint.calls_s, endpoint.calls_s[1:], strict=False))
    ]
    assert all(0.75 <= pause <= 1.25 for pause in pauses)
    assert len(set(pauses)) == len(pauses)


async def test_a_failed_renewal_leaves_a_good_token_in_use(
    autojump_clock: MockClock, even: None
) -> None:
    """The token works until it expires; only then is the refusal returned."""
    endpoint = Endpoint(
        [answer(body=GOOD | {"expires_in": 1000}), *(answer(503, b"") for _ in range(99))]
    )
    async with kept(endpoint) as token:
        await trio.sleep(999)
        assert await token.get_token() == "planted-token"
        await trio.sleep(2)
        assert isinstance(await token.get_token(), Refusal)


async def test_renewal_does_not_wait_for_the_retry_pause(
    autojump_clock: MockClock, even: None
) -> None:
    """A token is revoked while the loop pauses after a failure.

    One attempt starts at once, and only one.
    """
    endpoint = Endpoint(
        [answer(body=GOOD | {"expires_in": 100}), *(answer(401, {}) for _ in range(3))]
    )
    async with kept(endpoint) as token:
        await trio.sleep(95)
        assert await token.get_token() == "planted-token"
        for _ in range(5):
            refused = await token.renew_token("planted-token")
            assert isinstance(refused, Refusal)
            assert refused.status is Status.UNAUTHORIZED
    assert endpoint.calls_s[2] - endpoint.calls_s[0] == pytest.approx(95)
    assert len(endpoint.calls_s) == 3


async def test_attempt_at_a_hanging_endpoint_times_out(
    autojump_clock: MockClock, even: None
) -> None:
    """The timeout covers the whole attempt."""
    endpoint = Endpoint(latency_s=1e6)
    async with kept(endpoint) as token:
        refused = await token.get_token()
        assert isinstance(refused, Refusal)
        assert (refused.status, trio.current_time()) == (Status.TIMEOUT, pytest.approx(10))


@needs_shared
@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("client_credentials", None),
        ("password_grant_2026_expires_86400", None),
        ("429_json", Status.RATE_LIMITED),
        ("invalid_code_200_error", Status.UNAUTHORIZED),
        ("unauthorized_client_200", Status.UNAUTHORIZED),
        ("refresh_invalid_400", Status.BAD_PAYLOAD),
    ],
)
def test_recorded_replies_have_the_right_status(name: str, status: Status | None) -> None:
    """The recordings come from Reddit's token endpoint."""
    recorded = load_json(f"recorded/reddit/http/token_{name}.json")["response"]
    refused = find_reply_fault(httpx.Response(recorded["status"], json=recorded["body"]))
    assert (refused and refused.status) == status


def settings(url: str) -> SourceSettings:
    """The settings of Reddit at a URL."""
    values = {
        "client_id": "app",
        "client_secret": Secret(SECRET),
        "user_agent": "web:org.example:v1 (by /u/x)",
        "auth_url": url,
    }
    return SourceSettings("reddit", url, 1.0, 0.6, None, enabled=True, values=values)


@asynccontextmanager
async def served(script: Script) -> AsyncIterator[tuple[AppToken, list[str]]]:
    """The real client against a scripted endpoint."""
    async with (
        serving(script) as endpoint,
        open_app_token(settings(endpoint.url + "/auth")) as token,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(token.keep_ready)
        yield token, endpoint.heads
        nursery.cancel_scope.cancel()


async def test_request_has_basic_auth_and_the_operators_user_agent() -> None:
    """Reddit throttles requests with any other User-Agent."""
    async with served(reply(json.dumps(GOOD).encode())) as (token, heads):
        with trio.fail_after(PATIENCE_S):
            assert await token.get_token() == "planted-token"
    basic = base64.b64encode(f"app:{SECRET}".encode()).decode()
    assert heads[0].startswith("POST /auth/api/v1/access_token HTTP/1.1\r\n")
    assert {f"Authorization: Basic {basic}", "User-Agent: web:org.example:v1 (by /u/x)"} <= set(
        heads[0].split("\r\n")
    )


async def test_stacked_compression_is_refused() -> None:
    """This client uses the same transport, with the same limits, as the sources."""
    async with served(reply(b"{}", "200 OK", "Content-Encoding: gzip, gzip")) as (token, _):
        with trio.fail_after(PATIENCE_S):
            assert await token.get_token() == Refusal(
                Status.BAD_PAYLOAD, "content coding is stacked or unknown"
            )


async def test_shutdown_does_not_wait_for_the_token_endpoint() -> None:
    """The block ends at once although an attempt hangs."""
    called = trio.Event()

    async def hang(stream: trio.abc.Stream) -> None:
        called.set()
        await stall(stream)

    with trio.fail_after(PATIENCE_S):
        async with served(hang):
            await called.wait()


def test_import_prints_no_warning() -> None:
    """authlib's import warns about httpx in spite of every filter.

    Users must not see that at each start.
    """
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", "import newsintel.outbound.oauth.app_token"],
        capture_output=True,
        check=True,
    )
    assert done.stderr == b""
