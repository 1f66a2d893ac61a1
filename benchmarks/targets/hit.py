"""The cost of a cached answer: one warm query repeated, compared with the floor and both peers.

Beside newsintel with one process there is newsintel with two workers on both cores; the load
generator uses one of these too. Besides several numbers of connections there is a mixed load: each
connection alternates between the warm query and a new one, as behind a balancer that pools its
connections. Of that load only the warm answers are counted.
"""

from contextlib import ExitStack
from typing import Any

from attrs import evolve

from benchmarks.client import Job, LoadResult
from benchmarks.numbers import Figure, compute_ratio, percentile
from benchmarks.plot import Bar, draw_bars
from benchmarks.report import Goal, Options, Report, print_progress, rotate_order
from benchmarks.rig import Rig, Server, capture_answer

CONNECTIONS = (1, 8, 64, 512)
MIXED, MIXED_CONNECTIONS, MIXED_SEARCHES = "mixed", 8, 100
"""More new queries than a turn can send: each takes 300 ms, so 8 connections send some 15."""
SLICES = 6
"""Turns per round. The speed of shared machines changes every second, so compared measurements must
be close together: with turns of three seconds the ratio to the floor varied from 0.63 to 0.95."""
WARM_UP_S = 0.05
UVLOOP = "obvious, uvloop"
"""The obvious design on the careful peer's server, to show the server's part in the difference."""
WORKERS = 2
OURS, OUR_WORKERS = "newsintel", f"newsintel, {WORKERS} workers"
NAMES = (OURS, OUR_WORKERS, "floor", "obvious", UVLOOP, "careful")
NOT_MIXED = (OUR_WORKERS, "floor")
Rounds = dict[str, list[float]]
LOADS = (*map(str, CONNECTIONS), MIXED)


def run(rig: Rig, options: Options) -> Report:
    """Measure every server at each number of connections, in rounds."""
    rig.reset_upstreams()
    with ExitStack() as running:
        ours = running.enter_context(rig.run_newsintel())
        workers = running.enter_context(rig.run_workers(WORKERS))
        peers = [running.enter_context(rig.run_peer(name)) for name in ("obvious", "careful")]
        peers.append(running.enter_context(rig.run_peer("obvious", label=UVLOOP, fast=True)))
        target = rig.make_new_targets(1)[0]
        capture_answer(ours, target)
        captured = capture_answer(ours, target)
        sizes = {server.name: len(capture_answer(server, target).body) for server in (ours, *peers)}
        servers = [ours, workers, running.enter_context(rig.run_floor(captured)), *peers]
        own_cost = _measure_own_cost(
            rig, running.enter_context(rig.run_trivial(captured)), target, options
        )
        found: dict[tuple[str, str], Rounds] = {
            (name, load): {}
            for load in LOADS
            for name in NAMES
            if load != MIXED or name not in NOT_MIXED
        }
        for number in range(options.rounds * SLICES):
            if number % SLICES == 0:
                print_progress(f"hit: round {number // SLICES + 1} of {options.rounds}")
            for connections in CONNECTIONS:
                for server in rotate_order(servers, number):
                    _record_load(
                        found[server.name, str(connections)],
                        *_measure_load(rig, server, target, connections, options.seconds / SLICES),
                    )
            for server in rotate_order([ours, *peers], number):
                _record_load(
                    found[server.name, MIXED],
                    *_measure_mixed(rig, server, target, options.seconds / SLICES),
                )
    return _build_report(found, sizes, own_cost)


def _measure_load(
    rig: Rig, server: Server, target: str, connections: int, seconds: float
) -> tuple[LoadResult, float]:
    """Run a load. Returns it and the server's CPU time per request, in microseconds."""
    rig.run_load(Job((server.port,), [target], connections, seconds=WARM_UP_S))
    before_s = server.cpu_s()
    load = rig.run_load(Job((server.port,), [target], connections, seconds=seconds))
    spent_s = server.cpu_s() - before_s
    _check_load(server, load)
    return load, spent_s / len(load.answers) * 1e6


def _measure_mixed(
    rig: Rig, server: Server, target: str, seconds: float
) -> tuple[LoadResult, float]:
    """Run the mixed load. Returns its warm answers and the server's CPU time per request."""
    targets = [one for new in rig.make_new_targets(MIXED_SEARCHES) for one in (target, new)]
    before_s = server.cpu_s()
    load = rig.run_load(Job((server.port,), targets, MIXED_CONNECTIONS, seconds=seconds))
    spent_us = (server.cpu_s() - before_s) / len(load.answers) * 1e6
    _check_load(server, load)
    warm = [one for one in load.answers if one.target == target]
    return evolve(load, answers=warm), spent_us


def _check_load(server: Server, load: LoadResult) -> None:
    """Accept failures only of the peers: with many connections some of them have."""
    if load.failed and server.name in (OURS, OUR_WORKERS):
        raise RuntimeError(f"{server.name}: {load.failed} of {len(load.answers)} requests failed")


def _record_load(rounds: Rounds, load: LoadResult, server_us: float) -> None:
    for name, value in {
        "rate": load.rate,
        "p50": percentile(load.latencies_ms, 0.5),
        "p99": percentile(load.latencies_ms, 0.99),
        "server_us": server_us,
        "client_busy": load.cpu_s / load.seconds,
        "failed": load.failed / len(load.answers),
    }.items():
        rounds.setdefault(name, []).append(value)


def _measure_own_cost(rig: Rig, trivial: Server, target: str, options: Options) -> dict[str, Any]:
    """Measure the load generator: its rate with the trivial server, its CPU time per request."""
    cost = {}
    for connections in CONNECTIONS:
        load, _ = _measure_load(rig, trivial, target, connections, options.seconds)
        cost[str(connections)] = {"rate": load.rate, "cpu_us": load.cpu_s / len(load.answers) * 1e6}
    return cost


def _build_report(
    found: dict[tuple[str, str], Rounds], sizes: dict[str, int], own_cost: dict[str, Any]
) -> Report:
    rows = []
    for (name, load), rounds in found.items():
        over = found.get(("floor", load))
        rows.append(
            (
                f"{name}, {load}" + (" conn." if load != MIXED else ""),
                Figure.from_rounds(rounds["rate"]).format(0),
                Figure.from_rounds(rounds["p50"]).format(2),
                Figure.from_rounds(rounds["p99"]).format(2),
                compute_ratio(rounds["rate"], over["rate"]).format(2) if over else "",
                Figure.from_rounds(rounds["server_us"]).format(0),
                f"{Figure.from_rounds(rounds['client_busy']).median:.0%}",
                f"{Figure.from_rounds(rounds['failed']).median:.0%}",
            )
        )
    own = ", ".join(
        f"{each['rate']:,.0f}/s at {conn} ({each['cpu_us']:.0f} us of CPU each)"
        for conn, each in own_cost.items()
    )
    best = found["newsintel", "1"]
    return Report(
        "hit",
        f"one warm query of {sizes['newsintel']:,} bytes",
        f"A hit takes {Figure.from_rounds(best['p50']).median:.2f} ms (p50, 1 connection). "
        f"The load generator alone: {own}.",
        (
            "",
            "requests/s",
            "p50 ms",
            "p99 ms",
            "of the floor",
            "server CPU us",
            "client busy",
            "failed",
        ),
        rows,
        _build_goals(found),
        {
            "rounds": {f"{name}, {load}": rounds for (name, load), rounds in found.items()},
            "body_bytes": sizes,
            "load_generator": own_cost,
        },
        draw_bars(
            "Cached answers, 8 connections",
            "requests/s, more is better",
            [
                Bar(
                    name,
                    OURS if name == OUR_WORKERS else name,
                    Figure.from_rounds(found[name, "8"]["rate"]),
                )
                for name in NAMES
            ],
            goal=3 * Figure.from_rounds(found["floor", "8"]["rate"]).median,
        ),
    )


def _build_goals(found: dict[tuple[str, str], Rounds]) -> list[Goal]:
    def compare(figure: str, load: str, name: str, ours: str = OURS) -> Figure:
        return compute_ratio(found[ours, load][figure], found[name, load][figure])

    many = str(CONNECTIONS[-1])
    goals = [
        ("requests/s at 8 at least 2 of careful's", compare("rate", "8", "careful"), 2.0, True),
        ("requests/s at 8 at least 3 of floor's", compare("rate", "8", "floor"), 3.0, True),
        ("p50 at 1 at most 0.6 of careful's", compare("p50", "1", "careful"), 0.6, False),
        (f"p99 at {many} at most careful's", compare("p99", many, "careful"), 1.0, False),
        *(
            (
                f"requests/s of {WORKERS} workers at {load} at least 1.5 of one's",
                compare("rate", load, OURS, OUR_WORKERS),
                1.5,
                True,
            )
            for load in ("8", "64")
        ),
    ]
    ours = found["newsintel", "1"]
    goals.append(
        ("p99 at 1 at most 3 times p50", compute_ratio(ours["p99"], ours["p50"]), 3, False)
    )
    return [
        Goal(text, figure.format(2), figure.median >= bound if least else figure.median <= bound)
        for text, figure, bound, least in goals
    ]
