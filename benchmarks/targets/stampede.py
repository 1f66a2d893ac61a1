"""A thousand callers send the same new search at once.

It counts the calls to each source, and measures when the last caller has the answer.
"""

from contextlib import ExitStack
from typing import Any

from benchmarks.client import Job, Keep, LoadResult
from benchmarks.numbers import Figure
from benchmarks.plot import Bar, draw_bars
from benchmarks.report import Goal, Options, Report, print_progress
from benchmarks.rig import OTHERS_CORE, SERVER_CORE, Rig, Server

CALLERS = 1_000
PATIENCE_S = 30.0
KINDS = ("newsintel", "newsintel, 2 processes", "obvious", "careful")


def run(rig: Rig, options: Options) -> Report:
    """Measure newsintel with one process and with two, and both peers, in each round.

    Both processes use the same stores. The second runs on the load generator's core.
    """
    rig.reset_upstreams()
    found: dict[str, list[dict[str, Any]]] = {kind: [] for kind in KINDS}
    with ExitStack() as running:
        one, two = (
            running.enter_context(rig.run_newsintel(core=core))
            for core in (SERVER_CORE, OTHERS_CORE)
        )
        servers = {"newsintel": (one,), "newsintel, 2 processes": (one, two)}
        servers |= {
            name: (running.enter_context(rig.run_peer(name)),) for name in ("obvious", "careful")
        }
        for number in range(options.rounds):
            print_progress(f"stampede: round {number + 1} of {options.rounds}")
            for kind, some in servers.items():
                found[kind].append(_run_stampede(rig, some))
    return _build_report(found)


def _run_stampede(rig: Rig, servers: tuple[Server, ...]) -> dict[str, Any]:
    for server in servers:
        rig.run_load(Job((server.port,), rig.make_new_targets(2)))
    rig.reset_call_counts()
    target = rig.make_new_targets(1)[0]
    ports = tuple(server.port for server in servers)
    load = rig.run_load(
        Job(ports, [target] * CALLERS, CALLERS, keep=Keep.DIGEST, patience_s=PATIENCE_S)
    )
    return {
        "calls": rig.read_call_counts(),
        "bodies": _count_bodies(load),
        "failed": load.failed,
        "last_ms": load.seconds * 1000,
    }


def _count_bodies(load: LoadResult) -> int:
    return len({one.digest for one in load.answers if one.status == 200})


def _build_report(found: dict[str, list[dict[str, Any]]]) -> Report:
    rows = []
    for kind, rounds in found.items():
        most = {name: max(one["calls"][name] for one in rounds) for name in rounds[0]["calls"]}
        last = Figure.from_rounds([one["last_ms"] for one in rounds])
        failed, bodies = (max(one[name] for one in rounds) for name in ("failed", "bodies"))
        rows.append(
            (kind, " / ".join(map(str, most.values())), str(bodies), str(failed), last.format(0))
        )
    ours = {kind: rounds for kind, rounds in found.items() if kind.startswith("newsintel")}
    goals = []
    for kind, rounds in ours.items():
        once = all(set(one["calls"].values()) == {1} for one in rounds)
        goals.append(
            Goal(f"{kind}: exactly one call to each source", rows[list(found).index(kind)][1], once)
        )
        same = all(one["bodies"] == 1 and one["failed"] == 0 for one in rounds)
        goals.append(
            Goal(
                f"{kind}: every caller the same body",
                f"{max(one['bodies'] for one in rounds)} bodies",
                same,
            )
        )
    return Report(
        "stampede",
        f"{CALLERS:,} callers ask the same new thing at once",
        f"The last of {CALLERS:,} callers has the answer after {rows[0][4]} ms.",
        ("", "calls to each source", "bodies", "failed", "last caller ms"),
        rows,
        goals,
        dict(found),
        draw_bars(
            f"{CALLERS:,} equal misses: until the last caller has the answer",
            "ms, less is better",
            [
                Bar(
                    kind,
                    kind.split(",", maxsplit=1)[0],
                    Figure.from_rounds([one["last_ms"] for one in rounds]),
                )
                for kind, rounds in found.items()
            ],
        ),
    )
