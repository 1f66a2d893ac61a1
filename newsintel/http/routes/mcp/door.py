"""POST /mcp, and the metadata that tells a client how to authenticate (RFC 9728).

The body is a message of the protocol, so this route is not part of the API description: the
protocol describes its tools itself.
"""

from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any, cast

import trio
from attrs import field, frozen
from quart import Response, request
from werkzeug.exceptions import NotFound

from newsintel.config.settings import Settings
from newsintel.domain.search.codec import to_json
from newsintel.errors import BusyError
from newsintel.http.paths import MCP, RESOURCE_METADATA
from newsintel.http.request.access import get_current_caller
from newsintel.http.response.conditional import decode_lines
from newsintel.http.response.fixed_answer import FixedAnswer
from newsintel.http.route import Method, Route
from newsintel.http.routes.mcp.inner_calls import InnerCalls
from newsintel.http.routes.mcp.tools import Tool, ToolCall, build_tools
from newsintel.http.services import Services

SDK = "mcp"
"""The package of the extra `newsintel[mcp]`."""
SERVER = "newsintel.http.routes.mcp.server"

NOT_INSTALLED = "This service was installed without its part for MCP: newsintel[mcp]."

MAX_CALLS = 64
"""Requests that one process answers at the same time, as many as searches by default (MAX_FLIGHTS).
One more is answered 503 at once."""


def build_routes(settings: Settings, inner: InnerCalls) -> tuple[Route, ...]:
    """Return the route of MCP and those of its metadata."""
    door = _Door(inner, build_tools(tuple(settings.source)))
    return (
        Route(
            MCP,
            door.answer_message,
            "The Model Context Protocol: streamable HTTP",
            {200: {"type": "object"}},
            method=Method.POST,
            foreign=True,
            described=False,
        ),
        *(
            Route(
                RESOURCE_METADATA + path,
                _build_metadata(settings.public_url + path),
                "How to authenticate (RFC 9728)",
                {200: {"type": "object"}},
            )
            for path in ("", MCP)
        ),
    )


def is_installed() -> bool:
    """Whether the SDK is installed."""
    return find_spec(SDK) is not None


async def load_server() -> Any:
    """Return the module that uses the SDK.

    Its first import takes about a second, so it happens in a thread, and not before somebody asks.
    """
    return await trio.to_thread.run_sync(partial(import_module, SERVER))


@frozen
class _Door:
    """Answers messages, a bounded number at once."""

    _inner: InnerCalls
    _tools: tuple[Tool, ...]
    _places: trio.CapacityLimiter = field(factory=lambda: trio.CapacityLimiter(MAX_CALLS))

    async def answer_message(self, _services: Services) -> Response:
        """Answer one message."""
        if not is_installed():
            raise NotFound(NOT_INSTALLED)
        message = cast(bytes, await request.get_data(cache=False))
        try:
            self._places.acquire_nowait()
        except trio.WouldBlock:
            raise BusyError from None
        try:
            return await self._answer(message)
        finally:
            self._places.release()

    async def _answer(self, message: bytes) -> Response:
        library, scope = await load_server(), request.scope
        call = ToolCall(self._inner, get_current_caller(), scope["state"]["request_id"])
        server = library.build_server(self._tools, call)
        answer = await library.answer_post(server, {**scope, "extensions": {}}, message)
        response = Response(answer.body, status=answer.status, headers=decode_lines(answer.headers))
        response.headers["Cache-Control"] = "no-store"
        return response


def _build_metadata(resource: str) -> FixedAnswer:
    """Return the metadata of a resource. It names no authorization server: people make keys."""
    document = {
        "resource": resource,
        "resource_name": "newsintel",
        "bearer_methods_supported": ["header"],
        "scopes_supported": ["read", "write"],
    }
    return FixedAnswer.of_text(
        to_json(document), "application/json", cache_control="public, max-age=3600"
    )
