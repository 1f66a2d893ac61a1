"""Latency of new searches beyond the slowest source, compared with sequential calls."""

from contextlib import ExitStack

from benchmarks.client import Job
from benchmarks.numbers import Figure, compute_ratio, percentile
from benchmarks.plot import Bar, draw_bars
from benchmarks.report import Goal, Options, Report, print_progress, rotate_order
from benchmarks.rig import LATENCIES_MS, Rig

SLOWEST_MS = max(LATENCIES_MS.values())
WARM_UP = 3
PEERS = ("careful", "obvious")
SEARCHES_PER_SECOND = 5
"""Searches per round and second of the options. With a slowest source of 300 ms they take at least
1.5 times that time."""


def run(rig: Rig, options: Options) -> Report:
    """Measure every server in turn, in rounds."""
    rig.reset_upstreams()
    searches = max(3, round(SEARCHES_PER_SECOND * options.seconds))
    found: dict[str, list[list[float]]] = {}
    spent_ms: dict[str, list[float]] = {}
    with ExitStack() as running:
        servers = {"newsintel": running.enter_context(rig.run_newsintel())}
        servers |= {name: running.enter_context(rig.run_peer(name)) for name in PEERS}
        servers["one by one"] = running.enter_context(rig.run_peer("obvious", sequential=True))
        for number in range(options.rounds):
            print_progress(f"miss: round {number + 1} of {options.rounds}")
            for name in rotate_order(list(servers), number):
                server = servers[name]
                rig.run_load(Job((server.port,), rig.make_new_targets(WARM_UP)))
                before_s = server.cpu_s()
                load = rig.run_load(
                    Job(
                        (server.port,),
                        rig.make_new_targets(searches // 2 if name == "one by one" else searches),
                    )
                )
                spent_ms.setdefault(name, []).append(
                    (server.cpu_s() - before_s) / len(load.answers) * 1000
                )
                if load.failed:
                    raise RuntimeError(f"{name}: {load.failed} searches failed")
                found.setdefault(name, []).append(load.latencies_ms)
    return _build_report({name: found[name] for name in servers}, spent_ms, searches)


def _build_report(
    found: dict[str, list[list[float]]], spent_ms: dict[str, list[float]], searches: int
) -> Report:
    over = {
        name: [percentile(one, 0.5) - SLOWEST_MS for one in rounds]
        for name, rounds in found.items()
    }
    worst = {
        name: [percentile(one, 0.99) - SLOWEST_MS for one in rounds]
        for name, rounds in found.items()
    }
    whole = {name: [percentile(one, 0.5) for one in rounds] for name, rounds in found.items()}
    rows = [
        (
            name,
            *(Figure.from_rounds(each[name]).format() for each in (whole, over, worst, spent_ms)),
        )
        for name in found
    ]
    careful_cpu = compute_ratio(spent_ms["newsintel"], spent_ms["careful"])
    careful, obvious = (compute_ratio(over["newsintel"], over[name]) for name in PEERS)
    return Report(
        "miss",
        f"one new search at a time, sources at {'/'.join(map(str, LATENCIES_MS.values()))} ms",
        f"A miss takes {Figure.from_rounds(whole['newsintel']).median:.0f} ms (p50); "
        "the same sources one by one "
        f"{Figure.from_rounds(whole['one by one']).median:.0f} ms.",
        ("", "p50 ms", f"p50 - {SLOWEST_MS} ms", f"p99 - {SLOWEST_MS} ms", "server CPU ms"),
        rows,
        [
            Goal(
                "processor time at most 1.1 of careful's",
                careful_cpu.format(2),
                careful_cpu.median <= 1.1,
            ),
            Goal(
                "p50 beyond the slowest source at most 0.7 of careful's",
                careful.format(2),
                careful.median <= 0.7,
            ),
            Goal(
                "p50 beyond the slowest source at most 0.8 of obvious's",
                obvious.format(2),
                obvious.median <= 0.8,
            ),
        ],
        {
            "latencies_ms": found,
            "server_cpu_ms": spent_ms,
            "searches_a_round": searches,
            "slowest_source_ms": SLOWEST_MS,
        },
        draw_bars(
            "A new search beyond its slowest source",
            "ms, less is better",
            _build_bars(over),
            goal=0.7 * Figure.from_rounds(over["careful"]).median,
        ),
    )


def _build_bars(over: dict[str, list[float]]) -> list[Bar]:
    return [Bar(name, name, Figure.from_rounds(rounds)) for name, rounds in over.items()]
