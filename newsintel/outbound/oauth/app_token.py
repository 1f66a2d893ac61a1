"""Reddit's app-only token: fetched at start and renewed before it expires, outside any search.

Only one long-lived loop (`keep_ready`) calls the token endpoint. All other tasks read its result or
wake it, so twenty fetches whose token is refused cost one call. Secret and token are never logged
and never part of a refusal's detail.
"""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import trio
from attrs import field, frozen

from newsintel.config.settings import SourceSettings
from newsintel.domain.search.outcome import Refusal, Status
from newsintel.outbound.oauth.library import AsyncOAuth2Client, open_client
from newsintel.outbound.oauth.replies import (
    MAX_REPLY_BYTES,
    get_error,
    is_sendable,
    read_object,
    read_pause_s,
)
from newsintel.outbound.transport import FORESEEN, Transport, make_refusal
from newsintel.runtime.telemetry.logs import get_logger

log = get_logger(__name__)

ATTEMPT_S = 10.0
"""Time limit of one attempt. The loop runs outside searches, so no search's deadline applies."""

RENEW_AT = 0.9
"""Share of a token's life after which it is renewed.

Reddit's tokens live 3600 or 86400 s, so minutes remain for failed attempts.
"""

SHORTEST_LIFE_S, LONGEST_LIFE_S = 60.0, 366 * 86400.0
"""Limits of a token's life; a token outside them is refused.

With a shorter life we would request tokens all the time; a longer one is probably an error.
Reddit's tokens live 3600 or 86400 s (recorded); we use the number in the reply.
"""

_PAUSES_S = {Status.UNAUTHORIZED: (300.0, 3600.0), Status.RATE_LIMITED: (60.0, 3600.0)}
"""First and longest pause after a failed attempt.

Only an operator can correct a wrong secret. Reddit's 429 does not say when to retry (recorded).
"""

_PASSING_S = (1.0, 300.0)
"""First and longest pause after any other failure, such as a network that is not up yet."""


@frozen
class _Grant:
    """A token, and the time (trio's clock) until which it may be used."""

    token: str = field(repr=False)
    expires_at_s: float


class _RefusedError(Exception):
    """Carries a refusal through authlib, which would accept any JSON object as a token."""

    def __init__(self, refused: Refusal) -> None:
        super().__init__(refused.detail)
        self.refused = refused


class AppToken:
    """The current token. Implements `source_client.TokenSource`."""

    def __init__(self, client: AsyncOAuth2Client, url: str) -> None:
        self._client = client
        self._url = url
        self._grant: _Grant | None = None
        self._refused: Refusal | None = None
        self._news = trio.Event()
        self._wanted = trio.Event()
        client.register_compliance_hook("access_token_response", _check_reply)

    async def get_token(self) -> str | Refusal:
        """Return the token, or the last attempt's refusal.

        It waits, within the caller's scope, only while there is neither of them.
        """
        while True:
            if self._grant is not None and trio.current_time() < self._grant.expires_at_s:
                return self._grant.token
            if self._refused is not None:
                return self._refused
            await self._news.wait()

    async def renew_token(self, old: str) -> str | Refusal:
        """Return a new token in place of `old`, which the source refused.

        Requests a new one unless that has already been done.
        """
        if self._grant is not None and self._grant.token == old:
            self._grant = self._refused = None
            self._wanted.set()
        return await self.get_token()

    async def keep_ready(self) -> None:
        """Fetch, sleep until a renewal is due or requested, and fetch again until cancelled.

        A valid token stays in use when an attempt fails.
        """
        failures = 0
        while True:
            result = await self._try_fetch()
            if isinstance(result, _Grant):
                failures, pause_s = 0, (result.expires_at_s - trio.current_time()) * RENEW_AT
                self._grant, self._refused = result, None
            else:
                pause_s = _pause_s(result, failures)
                failures += 1
                self._refused = result
                log.warning(
                    "app_token_refused", detail=result.detail, next_attempt_s=round(pause_s)
                )
            self._news.set()
            self._news, self._wanted = trio.Event(), trio.Event()
            with trio.move_on_after(pause_s):
                await self._wanted.wait()

    async def _try_fetch(self) -> _Grant | Refusal:
        asked_at_s = trio.current_time()
        with trio.move_on_after(ATTEMPT_S):
            try:
                reply = await self._client.fetch_token(self._url, grant_type="client_credentials")
            except _RefusedError as error:
                return error.refused
            except FORESEEN as error:
                return make_refusal(error)
            return _Grant(reply["access_token"], asked_at_s + reply["expires_in"])
        return Refusal(Status.TIMEOUT, f"no token within {ATTEMPT_S:.0f} s")


def _pause_s(refused: Refusal, failures: int) -> float:
    """Return how long to pause after a failure: as the reply asks, else with exponential backoff.

    The backoff varies by a quarter at random, so that processes do not retry together.
    """
    if refused.pause_s is not None:
        return refused.pause_s
    first_s, longest_s = _PAUSES_S.get(refused.status, _PASSING_S)
    return min(longest_s, first_s * 2.0 ** min(failures, 12)) * random.uniform(0.75, 1.25)  # noqa: S311 - spreads load


def _check_reply(response: httpx.Response) -> httpx.Response:
    """Check a reply for authlib, which calls this hook: only a usable token passes."""
    if (refused := find_reply_fault(response)) is not None:
        raise _RefusedError(refused)
    return response


def find_reply_fault(response: httpx.Response) -> Refusal | None:
    """Return what is wrong with a reply of the token endpoint; None if it has a usable token.

    Reddit reports most errors with HTTP 200 and a body `{"error": ...}` with a word or a number.
    """
    status = response.status_code
    body = read_object(response)
    error = get_error(body)
    code = error if status == httpx.codes.OK and isinstance(error, int) else status
    if code == httpx.codes.TOO_MANY_REQUESTS:
        return Refusal(
            Status.RATE_LIMITED, "token endpoint: too many requests", status, read_pause_s(response)
        )
    if code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN) or isinstance(error, str):
        return Refusal(
            Status.UNAUTHORIZED, "token endpoint refuses our client id or secret", status
        )
    if code >= httpx.codes.INTERNAL_SERVER_ERROR:
        return Refusal(Status.UNREACHABLE, f"token endpoint: HTTP {code}", status)
    if code != httpx.codes.OK or not has_usable_token(body):
        return Refusal(Status.BAD_PAYLOAD, "token endpoint: reply without a usable token", status)
    return None


def has_usable_token(body: dict[str, Any] | None) -> bool:
    """Return whether a reply has a bearer token that a header can carry, with a plausible life."""
    if body is None:
        return False
    kind, life_s = body.get("token_type"), body.get("expires_in")
    return (
        is_sendable(body.get("access_token"))
        and isinstance(kind, str)
        and kind.lower() == "bearer"
        and isinstance(life_s, int | float)
        and SHORTEST_LIFE_S <= life_s <= LONGEST_LIFE_S
        # authlib acts on these members too.
        and not {"error", "expires_at"} & body.keys()
    )


@asynccontextmanager
async def open_app_token(settings: SourceSettings) -> AsyncIterator[AppToken]:
    """Open a source's app-only token. It makes no request until `keep_ready` runs.

    Owns: its client and connections.

    Args:
        settings: the source's; the values contain client_id, client_secret, user_agent and
            auth_url.
    """
    values = settings.values
    async with open_client(
        values["client_id"],
        values["client_secret"].reveal(),
        Transport(MAX_REPLY_BYTES),
        user_agent=values["user_agent"],
        token_endpoint_auth_method="client_secret_basic",  # noqa: S106 - the method's name
    ) as client:
        yield AppToken(client, values["auth_url"] + "/api/v1/access_token")
