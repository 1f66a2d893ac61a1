"""One source over the network: a query in, a page or a refusal out. The fetchers' httpx user.

What a request looks like and what a reply means, the source file knows. When to ask is the fetcher's business: nothing is retried here,
since every call counts against pace and quota, but for the one call that a token revoked early costs.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

import httpx
from attrs import frozen

from newsintel.config.settings import SourceSettings
from newsintel.domain.ports import WallClock
from newsintel.domain.search.outcome import Page, Refusal, Status
from newsintel.domain.search.ports import Upstream
from newsintel.domain.search.query_model import Query
from newsintel.outbound.sources.source import Response, Source
from newsintel.outbound.transport import FORESEEN, HEADERS, TIMEOUT, Transport, refusal
from newsintel.runtime.telemetry.logs import quiet_libraries
from newsintel.runtime.turns import in_turns

_READ = httpx.ByteStream(b"")
"""In the place of a reply's stream, which holds its reply: the two would stay until the collector comes."""


class Token(Protocol):
    """An app-only token that somebody keeps fresh, as `oauth.AppToken` does."""

    async def token(self) -> str | Refusal:
        """The token, or why there is none."""
        ...

    async def renew(self, old: str) -> str | Refusal:
        """Another token than `old`, which the source refused."""
        ...

    async def keep_ready(self) -> None:
        """The upkeep, for as long as the service runs."""
        ...


@frozen
class _HttpUpstream:
    """Fulfils `Upstream`."""

    _source: Source
    _settings: SourceSettings
    _client: httpx.AsyncClient
    _token: Token | None
    _now: WallClock

    async def fetch(self, query: Query) -> Page | Refusal:
        """Asks a second time if the source refused a token that could be renewed."""
        if self._token is None:
            return await self._ask(query, self._settings.values["key"].reveal())
        token = await self._token.token()
        if isinstance(token, Refusal):
            return token
        reply = await self._ask(query, token)
        if isinstance(reply, Page) or reply.status is not Status.UNAUTHORIZED:
            return reply
        token = await self._token.renew(token)
        return token if isinstance(token, Refusal) else await self._ask(query, token)

    def ignored(self, query: Query) -> tuple[str, ...]:
        return self._source.ignored(query)

    async def keep_ready(self) -> None:
        if self._token is not None:
            await self._token.keep_ready()

    async def _ask(self, query: Query, credential: str) -> Page | Refusal:
        request = self._source.request(query, self._settings, credential, self._now())
        try:
            # The base may have a path of its own, which httpx's way of joining would keep only by a rule about slashes.
            reply = await self._client.get(self._settings.url + request.path, params=request.params, headers=list(request.headers))
        except FORESEEN as error:
            return refusal(error)
        reply.stream = _READ
        if reply.is_redirect:
            # Following one would carry the key to a place of the sender's choosing (SSRF; OWASP API10:2023).
            return Refusal(Status.BAD_PAYLOAD, "redirect, not followed", http_status=reply.status_code)
        return await in_turns(self._source.reading(Response(reply.status_code, dict(reply.headers), reply.content), query, self._now()))


@asynccontextmanager
async def open_upstream(source: Source, settings: SourceSettings, *, token: Token | None, now: WallClock) -> AsyncIterator[Upstream]:
    """Open a source's client.

    Owns: the client and its connections. The token is its opener's.

    Args:
        source: what a request looks like and what a reply means.
        settings: the source as configured; `user_agent` among its values takes the place of ours.
        token: for a source that uses one; else None.
        now: the moment that undated rows are given.
    """
    quiet_libraries()  # httpx logs every URL at INFO, the Guardian's with its key in it
    headers = HEADERS | ({"User-Agent": settings.values["user_agent"]} if "user_agent" in settings.values else {})
    async with httpx.AsyncClient(
        transport=Transport(), headers=headers, timeout=TIMEOUT, trust_env=False, follow_redirects=False
    ) as client:
        yield _HttpUpstream(source, settings, client, token, now)
