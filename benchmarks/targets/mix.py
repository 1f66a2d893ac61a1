"""Everyday use, hours of it in a minute.

A few queries are frequent, most are rare, answers become stale, and sources are sometimes slow.
"""

import random
import time
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

from benchmarks.client import Job
from benchmarks.numbers import Figure, compute_ratio, percentile
from benchmarks.plot import Bar, draw_bars
from benchmarks.report import Goal, Options, Report, print_progress, rotate_order
from benchmarks.rig import LATENCIES_MS, Rig

QUERIES = 500
EXPONENT = 1.0
"""Of Zipf's law: the n-th most popular query is 1/n as frequent as the first."""
WORDS = ("strike", "rocket", "vaccine", "football", "inflation")
"""Each finds twenty to fifty articles."""
CLIENTS = 8
LENGTH_S = 20
"""Length of a turn per second of the options (default 3, so a turn takes one minute). Cached
answers age while a service gets no requests, so short turns would measure searches after a pause.
"""
MOST_ROUNDS = 2
"""Two minutes of load per server; more rounds would not change the result."""
SLOW = {"slow_ms": 900, "slow_rate": 0.05}
"""One call in twenty takes almost its whole deadline of 1 s."""
SETTINGS = {"CACHE_TTL_S": "2"}
"""The TTL is 1/150 of the default, so that answers become stale thirty times a minute. The windows
after it have their defaults (60 s served during a refresh, an hour served if the refresh fails):
with shorter windows the rarer half of the queries would never hit them."""
SETTLE_S = 1.2
"""Wait after a turn, so that running refreshes end and count for this turn."""


def run(rig: Rig, options: Options) -> Report:
    """Measure newsintel and the obvious peer in turns.

    Before its turn each server answers every query once, which is not counted.
    """
    queries = [target for word in WORDS for target in rig.make_new_targets(QUERIES // 5, word)]
    random.Random(2).shuffle(queries)  # noqa: S311 - nothing secret
    rounds = min(options.rounds, MOST_ROUNDS)
    found: dict[str, list[dict[str, Any]]] = {"newsintel": [], "obvious": []}
    with ExitStack() as running:
        servers = [
            running.enter_context(rig.run_newsintel(**SETTINGS)),
            running.enter_context(rig.run_peer("obvious", **SETTINGS)),
        ]
        for number in range(rounds):
            print_progress(f"mix: round {number + 1} of {rounds}")
            targets = draw_queries(queries, number)
            for server in rotate_order(servers, number):
                rig.reset_upstreams(dict.fromkeys(LATENCIES_MS, 0))
                rig.run_load(Job((server.port,), queries, CLIENTS))
                for name, latency_ms in LATENCIES_MS.items():
                    rig.change_upstream(name, latency_ms=latency_ms, **SLOW)
                rig.reset_call_counts()
                load = rig.run_load(
                    Job((server.port,), targets, CLIENTS, seconds=LENGTH_S * options.seconds)
                )
                time.sleep(SETTLE_S)
                figures = {
                    "searches": len(load.answers),
                    "failed": load.failed,
                    "calls": sum(rig.read_call_counts().values()),
                }
                found[server.name].append(
                    {**figures, "rate": load.rate, **_compute_percentiles(load.latencies_ms)}
                )
    rig.reset_upstreams()
    return _build_report(found)


def draw_queries(queries: Sequence[str], seed: int, number: int = 50_000) -> list[str]:
    """Draw queries by Zipf's law. Equal seeds give equal draws."""
    weights = [1 / (rank + 1) ** EXPONENT for rank in range(len(queries))]
    return random.Random(seed).choices(queries, weights, k=number)  # noqa: S311 - nothing secret


def _compute_percentiles(latencies_ms: Sequence[float]) -> dict[str, float]:
    return {f"p{share:g}": percentile(latencies_ms, share / 100) for share in (50, 95, 99)}


def _build_report(found: dict[str, list[dict[str, Any]]]) -> Report:
    names = ("rate", "p50", "p95", "p99")
    each: dict[str, dict[str, list[float]]] = {
        who: {name: [one[name] for one in turns] for name in names}
        | {"calls": [one["calls"] / one["searches"] for one in turns]}
        for who, turns in found.items()
    }
    rows = [
        (
            who,
            *(Figure.from_rounds(some[name]).format(0 if name == "rate" else 1) for name in names),
            Figure.from_rounds(some["calls"]).format(3),
            str(sum(one["failed"] for one in found[who])),
        )
        for who, some in each.items()
    ]
    slowest = compute_ratio(each["newsintel"]["p99"], each["obvious"]["p99"])
    calls = compute_ratio(each["newsintel"]["calls"], each["obvious"]["calls"])
    return Report(
        "mix",
        f"{QUERIES} queries by Zipf's law, {CLIENTS} clients, "
        "a TTL of 2 s, one upstream call in twenty slow",
        "Of a hundred searches all but one are answered within "
        f"{Figure.from_rounds(each['newsintel']['p99']).median:,.1f} ms.",
        ("", "searches/s", "p50 ms", "p95 ms", "p99 ms", "upstream calls a search", "failed"),
        rows,
        [
            Goal(
                "p99 at most 1/10 of the obvious peer's", slowest.format(3), slowest.median <= 0.1
            ),
            Goal(
                "upstream calls a search at most 1/3 of the obvious peer's",
                calls.format(3),
                calls.median <= 1 / 3,
            ),
        ],
        {"rounds": found, "settings": SETTINGS, "slow": SLOW},
        draw_bars(
            "Everyday use: p99",
            "ms, less is better",
            [Bar(who, who, Figure.from_rounds(some["p99"])) for who, some in each.items()],
        ),
    )
