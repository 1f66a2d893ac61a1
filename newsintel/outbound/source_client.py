"""The HTTP client of one source: a query in, a page or a refusal out.

The source's file builds the request and reads the reply. The fetcher decides when to ask. This
client does not retry, because every call counts against pace and quota. The one exception is a
token that the source refuses: the call is repeated once with a new token.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

import httpx
from attrs import frozen

from newsintel.config.settings import SourceSettings
from newsintel.domain.ports import WallClock
from newsintel.domain.search.outcome import Refusal, SourcePage, Status
from newsintel.domain.search.ports import Upstream
from newsintel.domain.search.query import ANY_QUERY
from newsintel.domain.search.query_model import Query
from newsintel.outbound.sources.source import Request, Response, Source
from newsintel.outbound.transport import FORESEEN, HEADERS, TIMEOUT, Transport, make_refusal
from newsintel.runtime.telemetry.logs import quiet_libraries
from newsintel.runtime.turns import run_in_turns

_EMPTY_STREAM = httpx.ByteStream(b"")
"""Replaces the stream of a reply that has been read.

Stream and reply refer to each other, so both would stay in memory until garbage collection.
"""


class TokenSource(Protocol):
    """An app-only token that is renewed in the background, as `oauth.AppToken` does."""

    async def get_token(self) -> str | Refusal:
        """Return the token, or the reason why there is none."""
        ...

    async def renew_token(self, old: str) -> str | Refusal:
        """Return a new token in place of `old`, which the source refused."""
        ...

    async def keep_ready(self) -> None:
        """Keep the token valid until cancelled."""
        ...


_Build = Callable[[str], Request | Refusal]
"""Builds a call with a credential."""


@frozen
class _HttpUpstream:
    """Implements `Upstream`."""

    _source: Source
    _settings: SourceSettings
    _client: httpx.AsyncClient
    _token: TokenSource | None
    _now: WallClock

    async def fetch(self, query: Query) -> SourcePage | Refusal:
        build = self._source.build_request
        return await self._ask(
            lambda credential: build(query, self._settings, credential, self._now()), query
        )

    async def recheck(self, ids: Sequence[str]) -> SourcePage | Refusal:
        terms = self._source.recheck
        if terms is None:
            raise ValueError(f"{self._settings.name} has no way to check items")
        build = terms.build_request
        return await self._ask(lambda credential: build(ids, self._settings, credential), ANY_QUERY)

    def list_ignored_parameters(self, query: Query) -> tuple[str, ...]:
        return self._source.list_ignored_parameters(query)

    async def keep_ready(self) -> None:
        if self._token is not None:
            await self._token.keep_ready()

    async def _ask(self, build: _Build, query: Query) -> SourcePage | Refusal:
        """Ask once more if the source refused the token and a new one was issued."""
        if self._token is None:
            key = self._settings.values.get("key")
            return await self._send(build(key.reveal() if key else ""), query)
        token = await self._token.get_token()
        if isinstance(token, Refusal):
            return token
        reply = await self._send(build(token), query)
        if isinstance(reply, SourcePage) or reply.status is not Status.UNAUTHORIZED:
            return reply
        token = await self._token.renew_token(token)
        return token if isinstance(token, Refusal) else await self._send(build(token), query)

    async def _send(self, request: Request | Refusal, query: Query) -> SourcePage | Refusal:
        if isinstance(request, Refusal):
            return request
        try:
            # The base URL may have a path. httpx joins such URLs by rules about slashes.
            reply = await self._client.get(
                self._settings.url + request.path,
                params=request.params,
                headers=list(request.headers),
            )
        except FORESEEN as error:
            return make_refusal(error)
        reply.stream = _EMPTY_STREAM
        if reply.is_redirect:
            # Following it would send the key to an address that the replying server chooses
            # (SSRF; OWASP API10:2023).
            return Refusal(
                Status.BAD_PAYLOAD, "redirect, not followed", http_status=reply.status_code
            )
        return await run_in_turns(
            self._source.read_slices(
                Response(reply.status_code, dict(reply.headers), reply.content), query, self._now()
            )
        )


@asynccontextmanager
async def open_upstream(
    source: Source, settings: SourceSettings, *, token: TokenSource | None, now: WallClock
) -> AsyncIterator[Upstream]:
    """Open a source's client.

    Owns: the client and its connections, but not the token.

    Args:
        source: builds requests and reads replies.
        settings: the source's configuration; a `user_agent` among its values replaces ours.
        token: the token, for a source that uses one; else None.
        now: the time of day; rows without a date get it.
    """
    quiet_libraries()  # httpx logs every URL at INFO; the Guardian's contains the key
    headers = HEADERS | (
        {"User-Agent": settings.values["user_agent"]} if "user_agent" in settings.values else {}
    )
    async with httpx.AsyncClient(
        transport=Transport(),
        headers=headers,
        timeout=TIMEOUT,
        trust_env=False,
        follow_redirects=False,
    ) as client:
        yield _HttpUpstream(source, settings, client, token, now)
