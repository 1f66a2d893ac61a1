"""`just bench-intelligence TARGET…` measures, prints tables and stores the results."""

import argparse
import shlex
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import trio
from attrs import evolve

from benchmarks.intelligence import recommendations, similar, trending
from benchmarks.intelligence.report import QUICK, Options, Report

TARGETS: Mapping[str, Callable[[Options], Awaitable[Report]]] = {
    "similar": similar.run,
    "trending": trending.run,
    "recommendations": recommendations.run,
}
"""By name. Each has its own module here."""


def main() -> int:
    """Run the chosen targets. Returns 0 even if a goal was missed: the tables show the result."""
    parser = argparse.ArgumentParser(
        prog="just bench-intelligence", description="Measure latency and quality of intelligence."
    )
    parser.add_argument(
        "targets",
        nargs="*",
        default=["all"],
        metavar="TARGET",
        help=f"out of {', '.join((*TARGETS, 'all'))} (all)",
    )
    parser.add_argument(
        "--articles", type=int, help="size of the archive for latencies (1,000,000)"
    )
    parser.add_argument(
        "--folder",
        type=Path,
        default=Options().folder,
        help="where archives are stored for the next run (%(default)s)",
    )
    parser.add_argument(
        "--quick", action="store_true", help="a short trial run that stores no results"
    )
    given = parser.parse_args()
    if unknown := set(given.targets) - {*TARGETS, "all"}:
        parser.error(f"no such target: {', '.join(sorted(unknown))}")
    options = evolve(QUICK if given.quick else Options(), folder=given.folder)
    if given.articles:
        options = evolve(options, articles=given.articles)
    chosen = list(TARGETS) if "all" in given.targets else list(dict.fromkeys(given.targets))
    for name in chosen:
        report = trio.run(TARGETS[name], options)
        print(report.format(), flush=True)
        if not options.quick:
            report.save("just bench-intelligence " + shlex.join(sys.argv[1:]), options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
