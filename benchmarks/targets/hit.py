"""The cost of a cached answer: one warm query repeated, compared with the floor and both peers."""

from contextlib import ExitStack
from typing import Any

from benchmarks.client import Job, LoadResult
from benchmarks.numbers import Figure, compute_ratio, percentile
from benchmarks.plot import Bar, draw_bars
from benchmarks.report import Goal, Options, Report, print_progress, rotate_order
from benchmarks.rig import Rig, Server, capture_answer

CONNECTIONS = (1, 8)
SLICES = 6
"""Turns per round. The speed of shared machines changes every second, so compared measurements must
be close together: with turns of three seconds the ratio to the floor varied from 0.63 to 0.95."""
WARM_UP_S = 0.05
UVLOOP = "obvious, uvloop"
"""The obvious design on the careful peer's server, to show the server's part in the difference."""
NAMES = ("newsintel", "floor", "obvious", UVLOOP, "careful")
Rounds = dict[str, list[float]]


def run(rig: Rig, options: Options) -> Report:
    """Measure every server at each number of connections, in rounds."""
    rig.reset_upstreams()
    with ExitStack() as running:
        ours = running.enter_context(rig.run_newsintel())
        peers = [running.enter_context(rig.run_peer(name)) for name in ("obvious", "careful")]
        peers.append(running.enter_context(rig.run_peer("obvious", label=UVLOOP, fast=True)))
        target = rig.make_new_targets(1)[0]
        capture_answer(ours, target)
        captured = capture_answer(ours, target)
        sizes = {server.name: len(capture_answer(server, target).body) for server in (ours, *peers)}
        servers = [ours, running.enter_context(rig.run_floor(captured)), *peers]
        own_cost = _measure_own_cost(
            rig, running.enter_context(rig.run_trivial(captured)), target, options
        )
        found: dict[tuple[str, int], Rounds] = {
            (name, c): {} for name in NAMES for c in CONNECTIONS
        }
        for number in range(options.rounds * SLICES):
            if number % SLICES == 0:
                print_progress(f"hit: round {number // SLICES + 1} of {options.rounds}")
            for connections in CONNECTIONS:
                for server in rotate_order(servers, number):
                    _record_load(
                        found[server.name, connections],
                        *_measure_load(rig, server, target, connections, options.seconds / SLICES),
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
    if load.failed:
        raise RuntimeError(f"{server.name}: {load.failed} of {len(load.answers)} requests failed")
    return load, spent_s / len(load.answers) * 1e6


def _record_load(rounds: Rounds, load: LoadResult, server_us: float) -> None:
    for name, value in {
        "rate": load.rate,
        "p50": percentile(load.latencies_ms, 0.5),
        "p99": percentile(load.latencies_ms, 0.99),
        "server_us": server_us,
        "client_busy": load.cpu_s / load.seconds,
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
    found: dict[tuple[str, int], Rounds], sizes: dict[str, int], own_cost: dict[str, Any]
) -> Report:
    rows = []
    for (name, connections), rounds in found.items():
        over = compute_ratio(rounds["rate"], found["floor", connections]["rate"])
        rows.append(
            (
                f"{name}, {connections} conn.",
                Figure.from_rounds(rounds["rate"]).format(0),
                Figure.from_rounds(rounds["p50"]).format(2),
                Figure.from_rounds(rounds["p99"]).format(2),
                over.format(2),
                Figure.from_rounds(rounds["server_us"]).format(0),
                f"{Figure.from_rounds(rounds['client_busy']).median:.0%}",
            )
        )
    rows.sort(key=lambda row: row[0].split(", ")[-1])
    own = ", ".join(
        f"{each['rate']:,.0f}/s at {conn} ({each['cpu_us']:.0f} us of CPU each)"
        for conn, each in own_cost.items()
    )
    best = found["newsintel", 1]
    return Report(
        "hit",
        f"one warm query of {sizes['newsintel']:,} bytes",
        f"A hit takes {Figure.from_rounds(best['p50']).median:.2f} ms (p50, 1 connection). "
        f"The load generator alone: {own}.",
        ("", "requests/s", "p50 ms", "p99 ms", "of the floor", "server CPU us", "client busy"),
        rows,
        _build_goals(found),
        {
            "rounds": {
                f"{name}, {connections}": rounds for (name, connections), rounds in found.items()
            },
            "body_bytes": sizes,
            "load_generator": own_cost,
        },
        draw_bars(
            "Cached answers, 8 connections",
            "requests/s, more is better",
            [Bar(name, name, Figure.from_rounds(found[name, 8]["rate"])) for name in NAMES],
            goal=0.9 * Figure.from_rounds(found["floor", 8]["rate"]).median,
        ),
    )


def _build_goals(found: dict[tuple[str, int], Rounds]) -> list[Goal]:
    goals = []
    for theirs, connections, least in (
        ("floor", 8, 0.90),
        ("floor", 1, 0.85),
        ("obvious", 8, 1.4),
        ("obvious", 1, 1.4),
    ):
        figure = compute_ratio(
            found["newsintel", connections]["rate"], found[theirs, connections]["rate"]
        )
        text = f"requests/s at {connections} at least {least:g} of {theirs}'s"
        goals.append(Goal(text, figure.format(2), figure.median >= least))
    for connections in CONNECTIONS:
        figure = compute_ratio(
            found["newsintel", connections]["p99"], found["newsintel", connections]["p50"]
        )
        goals.append(
            Goal(f"p99 at {connections} at most 3 times p50", figure.format(2), figure.median <= 3)
        )
    return goals
