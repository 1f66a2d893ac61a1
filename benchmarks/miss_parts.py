"""`python -m benchmarks.miss_parts` measures the processor time of each part of a miss.

The replies of the `miss` target go through the functions of the service, without sockets and
stores. Each part is measured with new articles (no text of theirs is in a cache) and with known
ones, as a refresh finds them. With `--beside DIRECTORY`, another checkout is measured in turns with
this one.
"""

import argparse
import gc
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import orjson
import trio
import trio_asyncio

from benchmarks.numbers import Figure, compute_ratio
from benchmarks.table import format_table
from newsintel.commands.setup import load_settings
from newsintel.demo.reddit_auth import CLIENT_ID, CLIENT_SECRET
from newsintel.demo.server import run_simulated_upstreams
from newsintel.domain.bounds.sized_cache import SizedCache
from newsintel.domain.bounds.slices import run_all
from newsintel.domain.search.codec import dump_answer, to_json
from newsintel.domain.search.dedup import Grouping
from newsintel.domain.search.harvest import Answer, Harvest
from newsintel.domain.search.merging import GroupedHarvest, build_pairs
from newsintel.domain.search.outcome import FetchOutcome, Status
from newsintel.domain.search.query import build_query
from newsintel.domain.search.query_model import Dedupe, Query
from newsintel.domain.search.sizes import outcome_bytes
from newsintel.http.bodies.search import View, render
from newsintel.outbound.sources import REGISTRY
from newsintel.outbound.sources.source import Response, Source
from newsintel.storage.postgres.archive.articles import upsert

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
KEYED = ("newsapi", "guardian", "reddit")
"""The sources that are called in a search, in founder order."""
SEARCHES = 12
"""In each process, of new and of known articles each; the fastest half counts."""
Times = dict[str, float]


def _list_keyed() -> dict[str, Source]:
    known = {name: REGISTRY[name] for name in KEYED}
    return {name: source for name, source in known.items() if isinstance(source, Source)}


def build_search() -> Query:
    """Return the search of the `miss` target."""
    return build_query("climate -zq0", sources=KEYED)


async def fetch_replies(folder: Path) -> None:
    """Write each simulated upstream's reply to a file."""
    async with run_simulated_upstreams(now=NOW) as upstreams, httpx.AsyncClient() as client:
        settings = load_settings(upstreams.environ)
        token = await client.post(
            upstreams.base_urls["reddit_auth"] + "/api/v1/access_token",
            data={"grant_type": "client_credentials"},
            auth=(CLIENT_ID, CLIENT_SECRET),
            headers={"User-Agent": settings.source["reddit"].values["user_agent"]},
        )
        for name, source in _list_keyed().items():
            own = settings.source[name]
            key = token.json()["access_token"] if source.uses_token else own.values["key"].reveal()
            asked = source.build_request(build_search(), own, key, NOW)
            reply = await client.get(
                own.url + asked.path, params=asked.params, headers=list(asked.headers)
            )
            (folder / name).write_bytes(reply.raise_for_status().content)


class Clock:
    """Adds up the processor time of each part."""

    def __init__(self) -> None:
        self.times: Times = {}

    def run(self, part: str, work: Callable[[], Any]) -> Any:
        """Run a part's work and return its result."""
        began = time.thread_time()
        result = work()
        self.times[part] = self.times.get(part, 0.0) + (time.thread_time() - began) * 1000
        return result


class NoConnection:
    """Takes the place of PostgreSQL: it saves nothing."""

    async def fetch(self, _sql: str, *_columns: list[Any]) -> list[Any]:
        """Return that no row was saved."""
        return []


async def run_search(replies: dict[str, bytes]) -> Times:
    """Run all parts of one miss and return their times in milliseconds."""
    clock, query, outcomes = Clock(), build_search(), []
    grouping, groups = Grouping(Dedupe.NORMAL), ()
    for name, body in replies.items():
        reply = Response(200, {"content-type": "application/json"}, body)
        page = clock.run(f"read {name}", lambda: _list_keyed()[name].read(reply, query, NOW))  # noqa: B023
        outcome = FetchOutcome(name, Status.OK, NOW, page.articles, page.returned, page.dropped)
        outcomes.append(outcome)
        groups = clock.run("group", lambda: run_all(grouping.add(outcome.articles)))  # noqa: B023
        clock.run("sizes", lambda: outcome_bytes(outcome))  # noqa: B023
    found = GroupedHarvest(Harvest(query, NOW, tuple(outcomes)), groups)
    answer: Answer = clock.run("rank", lambda: run_all(found.rank()))
    clock.run("render", lambda: to_json(render(answer, View())))
    clock.run("cache", lambda: run_all(dump_answer(answer)))
    rows = [(article, NOW) for article in answer.harvest.articles]
    clock.run("pairs", lambda: build_pairs(answer.merge))
    began = time.thread_time()
    await trio_asyncio.aio_as_trio(upsert)(NoConnection(), rows)
    clock.times["archive"] = (time.thread_time() - began) * 1000
    return clock.times | {"all": sum(clock.times.values())}


async def measure_once(folder: Path) -> dict[str, Times]:
    """Return the times with new and with known articles: per part, the fastest half's median."""
    replies = {name: (folder / name).read_bytes() for name in KEYED}
    async with trio_asyncio.open_loop():
        await run_search(replies)
        caches = [one for one in gc.get_objects() if isinstance(one, SizedCache)]
        gc.collect()
        gc.freeze()
        found: dict[str, list[Times]] = {"new": [], "known": []}
        for _ in range(SEARCHES):
            for cache in caches:
                cache.clear()
            found["new"].append(await run_search(replies))
            found["known"].append(await run_search(replies))
    return {
        kind: {part: sorted(one[part] for one in some)[SEARCHES // 4] for part in some[0]}
        for kind, some in found.items()
    }


def measure_in_process(checkout: Path, folder: Path) -> dict[str, Times]:
    """Measure a checkout in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-P", __file__, "--once", folder],
        env=os.environ | {"PYTHONPATH": str(checkout)},
        check=True,
        stdout=subprocess.PIPE,
    )
    return orjson.loads(done.stdout)


def format_parts(rounds: list[list[dict[str, Times]]]) -> str:
    """Return a table: each part's milliseconds here and, if measured, its ratio to the other."""
    rows = []
    for part in rounds[0][0]["new"]:
        row = [part]
        for kind in ("new", "known"):
            here, *beside = (
                [one[kind][part] for one in each] for each in zip(*rounds, strict=True)
            )
            row.append(Figure.from_rounds(here).format(2))
            row += [compute_ratio(here, there).format(2) for there in beside]
        rows.append(row)
    beside = ["of the other"] * (len(rounds[0]) - 1)
    return format_table(["part", "new, ms", *beside, "known, ms", *beside], rows)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--beside", type=Path, help="another checkout, measured in turns")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--once", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.once:
        sys.stdout.buffer.write(orjson.dumps(trio.run(measure_once, options.once)))
        return
    here = Path(__file__).parent.parent
    checkouts = [here] + ([options.beside] if options.beside else [])
    with tempfile.TemporaryDirectory() as folder:
        trio.run(fetch_replies, Path(folder))
        rounds = []
        for number in range(options.rounds):
            order = checkouts if number % 2 else checkouts[::-1]
            found = {one: measure_in_process(one, Path(folder)) for one in order}
            rounds.append([found[one] for one in checkouts])
    print(format_parts(rounds))


if __name__ == "__main__":
    main()
