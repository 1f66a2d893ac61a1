"""`just chaos` breaks the stores and the sources at random under load, and checks the answers.

What is checked: nobody sees another person's values; every article of an answer is archived, a dead
letter or in the spool at the end, and every save that was confirmed is there; no answer is later
than its deadline and LATE_S; a 5xx only while what it needs is broken; memory, open files, slots
and searches come back to their start.
"""

import argparse
import sys
import tempfile
from pathlib import Path
from random import Random, SystemRandom

import httpx
import trio

from benchmarks.chaos.checks import check_archive, wait_until_idle
from benchmarks.chaos.faults import make_faults
from benchmarks.chaos.history import History
from benchmarks.chaos.load import Load
from benchmarks.chaos.meters import MemoryTrend, Reading, list_growth, read_meters
from benchmarks.chaos.world import open_world
from benchmarks.client import pin_to_core
from benchmarks.rig import OTHERS_CORE

WARM_S = 20.0
"""Load without faults before the meters are read for the first time."""


async def _run(minutes: float, per_second: float, seed: int, folder: Path) -> History:
    # One for each, so that the faults of a seed do not depend on how fast the load was.
    parts = ("articles", "calls", "faults")
    articles, calls, faults = (Random(f"{seed} {part}") for part in parts)  # noqa: S311
    history = History()
    async with open_world(folder, articles) as world, httpx.AsyncClient(trust_env=False) as client:
        load, memory = Load(world, history, calls), MemoryTrend()
        await load.fill_caches()
        await wait_until_idle(world, client)  # else /archive may find all slots of its store busy
        async with trio.open_nursery() as nursery:
            nursery.start_soon(load.run, per_second)
            await trio.sleep(WARM_S)
            before = await read_meters(client, world.url, world.pid)
            nursery.start_soon(memory.sample, world.pid)
            with trio.move_on_after(minutes * 60):
                await make_faults(world, history, faults)
            nursery.cancel_scope.cancel()
        after = await wait_until_idle(world, client)
        await check_archive(world, history)
    for text in (*list_growth(before, after), *memory.list_growth()):
        history.note_violation("not back", text)
    if after.lost:
        history.note_violation("counted", f"the service counts {after.lost:g} lost articles")
    if after.spool_bytes:
        history.note_violation("not back", f"the spool still has {after.spool_bytes:g} bytes")
    print(history.format_verdict(_list_meters(before, after, memory, load)))
    return history


def _list_meters(
    before: Reading, after: Reading, memory: MemoryTrend, load: Load
) -> list[list[str]]:
    return [
        ["memory", f"{before.rss_mib:.0f} -> {after.rss_mib:.0f} MiB"],
        ["trend of the memory in the second half:", f"{memory.slope_mib_h():+.0f} MiB/h"],
        ["open files", f"{before.files} -> {after.files}"],
        ["requests left out, because too many waited:", f"{load.left_out}"],
    ]


def main() -> int:
    """Run; return 1 if something was violated."""
    parser = argparse.ArgumentParser(prog="just chaos", description=__doc__.split("\n\n")[0])
    parser.add_argument("--minutes", type=float, default=10.0, help="of faults (%(default)g)")
    parser.add_argument("--rate", type=float, default=50.0, help="requests/s (%(default)g)")
    parser.add_argument("--seed", type=int, default=SystemRandom().randrange(10**6))
    given = parser.parse_args()
    pin_to_core(OTHERS_CORE)
    print(f"seed {given.seed}, {given.minutes:g} minutes, {given.rate:g} requests/s", flush=True)
    with tempfile.TemporaryDirectory(prefix="newsintel-chaos-") as folder:
        history = trio.run(_run, given.minutes, given.rate, given.seed, Path(folder))
    return 1 if history.violations else 0


if __name__ == "__main__":
    sys.exit(main())
