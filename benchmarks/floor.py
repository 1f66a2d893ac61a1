"""The floor: a bare ASGI app on unmodified hypercorn that sends the bytes of one newsintel hit.

It has the same configuration as newsintel. No app on hypercorn's own server can be faster. Run it
as `python -m benchmarks.floor FILE`, with FILE as `Rig.run_floor` writes it, and NEWSINTEL_BIND.
"""

import sys
from pathlib import Path
from typing import Any

import orjson
import trio
from hypercorn.config import Config
from hypercorn.trio import serve

from newsintel.commands.setup import load_settings
from newsintel.http.server.connection import KEEP_ALIVE_S
from newsintel.http.server.listener import MAX_HEADER_BYTES
from newsintel.http.server.listening import BACKLOG
from newsintel.runtime.command_loop import call_on_signals
from newsintel.runtime.lifecycle import configure_gc

MADE_BY_SERVER = frozenset({"date", "connection"})


def make_app(captured: dict[str, Any]) -> Any:
    """Return the app for captured headers (pairs of texts) and body (text)."""
    headers = [
        (name.lower().encode(), value.encode())
        for name, value in captured["headers"]
        if name.lower() not in MADE_BY_SERVER
    ]
    start = {"type": "http.response.start", "status": 200, "headers": headers}
    body = {"type": "http.response.body", "body": captured["body"].encode(), "more_body": False}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            while (await receive())["type"] == "lifespan.startup":
                await send({"type": "lifespan.startup.complete"})
            await send({"type": "lifespan.shutdown.complete"})
            return
        await send(start)
        await send(body)

    return app


def make_config(bind: str) -> Config:
    """Return hypercorn's settings with the values of newsintel's server."""
    config = Config()
    config.bind, config.backlog = [bind], BACKLOG
    config.keep_alive_timeout, config.h11_max_incomplete_size = KEEP_ALIVE_S, MAX_HEADER_BYTES
    config.include_server_header, config.errorlog = False, None
    return config


async def main(captured: dict[str, Any]) -> None:
    """Serve until SIGTERM."""
    settings = load_settings()
    shutdown = trio.Event()
    with trio.CancelScope() as scope, call_on_signals(shutdown.set, scope.cancel, settings.drain_s):
        configure_gc()
        await serve(
            make_app(captured), make_config(str(settings.bind)), shutdown_trigger=shutdown.wait
        )


if __name__ == "__main__":
    trio.run(main, orjson.loads(Path(sys.argv[1]).read_bytes()))
