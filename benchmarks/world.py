"""PostgreSQL, Redis and the simulated upstreams for all servers, in one process.

It prints their addresses as one line of JSON. It ends when its standard input ends, so that it
never outlives the process that started it.
"""

import re
import sys
from pathlib import Path

import orjson
import trio
from attrs import define, field

from newsintel.demo.api import Api
from newsintel.demo.server import run_simulated_upstreams
from newsintel.demo.wire import Reply, Request
from newsintel.storage.embedded.servers import run_embedded_servers

MARK = re.compile(r"(?: AND)? NOT zq\d+")
"""It makes a benchmark's searches distinct (`climate -zq17`): it excludes a word of no article."""

KEYED = {"NEWSINTEL_SOURCES": "newsapi,guardian,reddit"}
"""The benchmarks measure searches that call sources; feeds are polled beside them."""


@define
class CachingApi:
    """An API that searches once for all queries that differ only in their mark.

    The benchmark must not measure the simulated API's own work.
    """

    api: Api
    _replies: dict[object, Reply] = field(factory=dict)

    def answer_request(self, request: Request, *, limited: bool) -> Reply:
        """Return the API's answer, or the cached answer to an equal request."""
        if request.method != "GET":
            return self.api.answer_request(request, limited=limited)
        asked = tuple((name, MARK.sub("", value)) for name, value in request.query.items())
        key = (
            request.path,
            asked,
            request.headers.get("authorization"),
            request.headers.get("x-api-key"),
        )
        if key not in self._replies:
            self._replies[key] = self.api.answer_request(request, limited=limited)
        return self._replies[key]

    def build_refusal(self, status: int) -> Reply:
        """Return the API's own refusal."""
        return self.api.build_refusal(status)

    def reset(self) -> None:
        """Reset the API and the cached replies."""
        self._replies.clear()
        self.api.reset()


async def main(folder: Path) -> None:
    """Run everything until standard input ends."""
    async with (
        run_embedded_servers(folder) as own,
        run_simulated_upstreams(wrap=CachingApi) as upstreams,
    ):
        where = {
            "postgres_url": own.postgres_url,
            "redis_url": own.redis_url,
            "control_url": upstreams.control_url,
        }
        print(
            orjson.dumps(where | {"environ": {**upstreams.environ, **KEYED}}).decode(), flush=True
        )
        await trio.to_thread.run_sync(sys.stdin.read, abandon_on_cancel=True)


if __name__ == "__main__":
    trio.run(main, Path(sys.argv[1]))
