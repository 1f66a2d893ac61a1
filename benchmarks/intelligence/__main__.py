"""`just bench-intelligence TARGET…`: measure, print tables, keep the results."""

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
"""By name. Each has a file of its own here."""


def main() -> int:
    """Run the targets asked for. 0 even where a goal was missed: it is the tables that are to be read."""
    parser = argparse.ArgumentParser(prog="just bench-intelligence", description="Measure what intelligence costs, and how good it is.")
    parser.add_argument("targets", nargs="*", default=["all"], metavar="TARGET", help=f"out of {', '.join((*TARGETS, 'all'))} (all)")
    parser.add_argument("--articles", type=int, help="in the archive that latencies are taken on (1,000,000)")
    parser.add_argument("--folder", type=Path, default=Options().folder, help="where archives are kept for the next run (%(default)s)")
    parser.add_argument("--quick", action="store_true", help="see whether everything runs; keeps no results")
    given = parser.parse_args()
    if unknown := set(given.targets) - {*TARGETS, "all"}:
        parser.error(f"no such target: {', '.join(sorted(unknown))}")
    options = evolve(QUICK if given.quick else Options(), folder=given.folder)
    if given.articles:
        options = evolve(options, articles=given.articles)
    chosen = list(TARGETS) if "all" in given.targets else list(dict.fromkeys(given.targets))
    for name in chosen:
        report = trio.run(TARGETS[name], options)
        print(report.shown(), flush=True)
        if not options.quick:
            report.keep("just bench-intelligence " + shlex.join(sys.argv[1:]), options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
