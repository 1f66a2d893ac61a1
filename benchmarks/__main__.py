"""`just bench TARGET…` compares newsintel with its peers, prints tables and stores the results."""

import argparse
import shlex
import signal
import sys
from collections.abc import Callable, Mapping
from typing import Any

from benchmarks.report import Options, Report
from benchmarks.rig import Rig, open_rig
from benchmarks.targets import hit, memory, miss, mix, stampede, tail

TARGETS: Mapping[str, Callable[[Rig, Options], Report]] = {
    module.__name__.rpartition(".")[2]: module.run
    for module in (hit, miss, tail, stampede, mix, memory)
}
QUICK = Options(rounds=1, seconds=0.6)


def main() -> int:
    """Run the chosen targets. Returns 0 even if a goal was missed: the tables show the result."""
    names = (*TARGETS, "all")
    parser = argparse.ArgumentParser(
        prog="just bench", description="Measure newsintel beside its peers on this machine."
    )
    parser.add_argument(
        "targets",
        nargs="+",
        choices=names,
        metavar="TARGET",
        help=f"one or more of {', '.join(names)}",
    )
    parser.add_argument(
        "--rounds",
        type=int,
        default=Options().rounds,
        help="comparisons of all servers (%(default)s)",
    )
    parser.add_argument(
        "--seconds",
        type=float,
        default=Options().seconds,
        help="seconds of load on each server per round (%(default)s)",
    )
    parser.add_argument(
        "--quick", action="store_true", help="a short trial run that stores no results"
    )
    given = parser.parse_args()
    options = QUICK if given.quick else Options(given.rounds, given.seconds)
    chosen = list(TARGETS) if "all" in given.targets else list(dict.fromkeys(given.targets))
    signal.signal(signal.SIGTERM, _exit_on_signal)
    reports = {}
    with open_rig() as rig:
        for name in chosen:
            reports[name] = TARGETS[name](rig, options)
            print(reports[name].format(), flush=True)
            if not given.quick:
                reports[name].save("just bench " + shlex.join(sys.argv[1:]), options)
    if {"hit", "miss"} <= reports.keys():
        print(
            f"\n{reports['hit'].summary}\n{reports['miss'].summary}\n"
            "The claim to beat: 5 ms for a hit, 800 ms for a miss."
        )
    return 0


def _exit_on_signal(*_: Any) -> None:
    """Unwind as for Ctrl-C, so that every process ends."""
    raise SystemExit(128 + signal.SIGTERM)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
