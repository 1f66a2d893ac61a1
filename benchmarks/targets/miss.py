"""Latency of new searches beyond the slowest source, compared with sequential calls."""

from contextlib import ExitStack

from benchmarks.client import Job
from benchmarks.numbers import Figure, percentile, ratio
from benchmarks.plot import Bar, bars
from benchmarks.report import Goal, Options, Report, rotated, say
from benchmarks.rig import LATENCIES_MS, Rig

SLOWEST_MS = max(LATENCIES_MS.values())
WARM_UP = 3
A_SECOND = 5
"""Searches per round and second of the options. With a slowest source of 300 ms they take at least
1.5 times that time."""


def run(rig: Rig, options: Options) -> Report:
    """Measure every server in turn, in rounds."""
    rig.good_day()
    searches = max(3, round(A_SECOND * options.seconds))
    found: dict[str, list[list[float]]] = {}
    spent_ms: dict[str, list[float]] = {}
    with ExitStack() as running:
        servers = {"newsintel": running.enter_context(rig.ours())}
        servers |= {name: running.enter_context(rig.peer(name)) for name in ("obvious", "careful")}
        servers["one by one"] = running.enter_context(rig.peer("obvious", sequential=True))
        for number in range(options.rounds):
            say(f"miss: round {number + 1} of {options.rounds}")
            for name in rotated(list(servers), number):
                server = servers[name]
                rig.load(Job((server.port,), rig.fresh(WARM_UP)))
                before_s = server.cpu_s()
                load = rig.load(Job((server.port,), rig.fresh(searches // 2 if name == "one by one" else searches)))
                spent_ms.setdefault(name, []).append((server.cpu_s() - before_s) / len(load.answers) * 1000)
                if load.failed:
                    raise RuntimeError(f"{name}: {load.failed} searches failed")
                found.setdefault(name, []).append(load.latencies_ms)
    return _report({name: found[name] for name in servers}, spent_ms, searches)


def _report(found: dict[str, list[list[float]]], spent_ms: dict[str, list[float]], searches: int) -> Report:
    over = {name: [percentile(one, 0.5) - SLOWEST_MS for one in rounds] for name, rounds in found.items()}
    worst = {name: [percentile(one, 0.99) - SLOWEST_MS for one in rounds] for name, rounds in found.items()}
    whole = {name: [percentile(one, 0.5) for one in rounds] for name, rounds in found.items()}
    rows = [(name, *(Figure.of(each[name]).shown() for each in (whole, over, worst, spent_ms))) for name in found]
    beyond, last = Figure.of(over["newsintel"]), Figure.of(worst["newsintel"])
    beside = ratio(over["newsintel"], over["obvious"])
    return Report(
        "miss",
        f"one new search at a time, sources at {'/'.join(map(str, LATENCIES_MS.values()))} ms",
        f"A miss takes {Figure.of(whole['newsintel']).median:.0f} ms (p50); the same sources one by one "
        f"{Figure.of(whole['one by one']).median:.0f} ms.",
        ("", "p50 ms", f"p50 - {SLOWEST_MS} ms", f"p99 - {SLOWEST_MS} ms", "server CPU ms"),
        rows,
        [
            Goal("p50 beyond the slowest source at most 8 ms", beyond.shown(), beyond.median <= 8),
            Goal("of the obvious peer's at most 0.8", beside.shown(2), beside.median <= 0.8),
            Goal("p99 beyond the slowest source at most 20 ms", last.shown(), last.median <= 20),
        ],
        {"latencies_ms": found, "server_cpu_ms": spent_ms, "searches_a_round": searches, "slowest_source_ms": SLOWEST_MS},
        bars("A new search beyond its slowest source", "ms, less is better", _bars(over), goal=8),
    )


def _bars(over: dict[str, list[float]]) -> list[Bar]:
    return [Bar(name, name, Figure.of(rounds)) for name, rounds in over.items()]
