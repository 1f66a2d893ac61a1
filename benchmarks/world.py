"""What every server is measured against, as one process: PostgreSQL, Redis and the simulated upstreams.

Says on standard output, in one line of JSON, where they are; ends when its standard input does, so that it never outlives who started it.
"""

import re
import sys
from pathlib import Path

import orjson
import trio
from attrs import define, field

from newsintel.demo.api import Api
from newsintel.demo.server import simulated_upstreams
from newsintel.demo.wire import Reply, Request
from newsintel.storage.embedded.servers import embedded_servers

MARK = re.compile(r"(?: AND)? NOT zq\d+")
"""What makes a benchmark's searches distinct (`climate -zq17`): the exclusion of a word that no article has."""


@define
class Remembering:
    """An API that searches once for all queries that differ by their mark alone: its own work must not be what is measured."""

    api: Api
    _replies: dict[object, Reply] = field(factory=dict)

    def answer(self, request: Request, *, limited: bool) -> Reply:
        """The API's answer, or the one it gave to the like."""
        if request.method != "GET":
            return self.api.answer(request, limited=limited)
        asked = tuple((name, MARK.sub("", value)) for name, value in request.query.items())
        key = (request.path, asked, request.headers.get("authorization"), request.headers.get("x-api-key"))
        if key not in self._replies:
            self._replies[key] = self.api.answer(request, limited=limited)
        return self._replies[key]

    def refusal(self, status: int) -> Reply:
        """The API's own."""
        return self.api.refusal(status)

    def forget(self) -> None:
        """The API's own, and what was remembered."""
        self._replies.clear()
        self.api.forget()


async def main(folder: Path) -> None:
    """Run everything until standard input ends."""
    async with embedded_servers(folder) as own, simulated_upstreams(wrap=Remembering) as upstreams:
        where = {"postgres_url": own.postgres_url, "redis_url": own.redis_url, "control_url": upstreams.control_url}
        print(orjson.dumps(where | {"environ": dict(upstreams.environ)}).decode(), flush=True)
        await trio.to_thread.run_sync(sys.stdin.read, abandon_on_cancel=True)


if __name__ == "__main__":
    trio.run(main, Path(sys.argv[1]))
