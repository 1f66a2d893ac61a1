"""Checks that answers meet the deadline, with the other sources' articles, while one source fails.

The source hangs in one part and drips in the other.
"""

from collections import Counter
from typing import Any

import orjson

from benchmarks.client import Job, Keep, TimedAnswer
from benchmarks.numbers import Figure, percentile
from benchmarks.plot import Bar, draw_bars
from benchmarks.report import Goal, Options, Report, print_progress, rotate_order
from benchmarks.rig import Rig, Server

FAULTS = ("hang", "drip")
FAILING_SOURCE = "guardian"
AT_ONCE = 20
WAVES = 4
"""newsintel starts again for each round and fault: its circuit breaker opens after the first wave,
and that wave is the subject of the measurement."""
MOST_ROUNDS = 2
"""They give 160 answers per fault and server; more rounds would not change the result."""
DEADLINE_MS = 1000
PATIENCE_S = 4.0
WORDS = "strike"
"""It finds about thirty articles: twenty parallel searches use a small part of the deadline."""
NAMES = ("newsintel", "obvious", "careful")


def run(rig: Rig, options: Options) -> Report:
    """Send waves of distinct searches to each server, for each fault and round."""
    found: dict[tuple[str, str], list[TimedAnswer]] = {
        (fault, name): [] for fault in FAULTS for name in NAMES
    }
    rounds = min(options.rounds, MOST_ROUNDS)
    for number in range(rounds):
        print_progress(f"tail: round {number + 1} of {rounds}")
        for fault in FAULTS:
            for name in rotate_order(NAMES, number):
                rig.reset_upstreams()
                with rig.run_newsintel() if name == "newsintel" else rig.run_peer(name) as server:
                    rig.run_load(Job((server.port,), rig.make_new_targets(AT_ONCE, WORDS), AT_ONCE))
                    rig.change_upstream(FAILING_SOURCE, fault=fault)
                    found[fault, name] += _send_waves(rig, server)
    rig.reset_upstreams()
    return _build_report({key: _group_answers(answers) for key, answers in found.items()})


def _send_waves(rig: Rig, server: Server) -> list[TimedAnswer]:
    """Send the waves. Stops after a wave without any answer."""
    answers: list[TimedAnswer] = []
    for _ in range(WAVES):
        wave = rig.run_load(
            Job(
                (server.port,),
                rig.make_new_targets(AT_ONCE, WORDS),
                AT_ONCE,
                keep=Keep.ALL,
                patience_s=PATIENCE_S,
            )
        ).answers
        answers += wave
        if all(one.status == 0 for one in wave):
            break
    return answers


def _group_answers(answers: list[TimedAnswer]) -> dict[str, Any]:
    """Group latencies by the failing source's status; count answers with the others' articles."""
    by_state: dict[str, list[float]] = {}
    others = 0
    for one in answers:
        sources = orjson.loads(one.body).get("sources", {}) if one.status == 200 else {}
        state = (
            sources[FAILING_SOURCE]["status"]
            if sources
            else f"no answer in {PATIENCE_S:g} s"
            if one.status == 0
            else f"HTTP {one.status}"
        )
        by_state.setdefault(state, []).append(one.latency_s * 1000)
        others += bool(sources) and all(
            report["kept"] > 0
            for name, report in sources.items()
            if name != FAILING_SOURCE and report["status"] != "disabled"
        )
    return {"latencies_ms": by_state, "with_the_others": others, "answers": len(answers)}


def _build_report(found: dict[tuple[str, str], dict[str, Any]]) -> Report:
    rows, goals, some = [], [], []
    for (fault, name), group in found.items():
        for state, latencies in group["latencies_ms"].items():
            share = len(latencies) / group["answers"]
            cuts = (percentile(latencies, 0.5), percentile(latencies, 0.99))
            rows.append(
                (f"{fault}: {name}", state, f"{share:.0%}", *(f"{cut:,.0f}" for cut in cuts))
            )
        every = [latency for latencies in group["latencies_ms"].values() for latency in latencies]
        some.append(
            Bar(
                f"{fault}: {name}",
                name,
                Figure(percentile(every, 0.99), percentile(every, 0.5), max(every)),
            )
        )
        if name == "newsintel":
            worst = percentile(every, 0.99)
            goals.append(
                Goal(
                    f"{fault}: p99 at most {DEADLINE_MS + 30} ms",
                    f"{worst:,.0f} ms",
                    worst <= DEADLINE_MS + 30,
                )
            )
            text = f"{group['with_the_others']} of {group['answers']}"
            goals.append(
                Goal(
                    f"{fault}: the others' articles in every answer",
                    text,
                    group["with_the_others"] == group["answers"],
                )
            )
    shares = Counter[str]()
    for fault in FAULTS:
        ours = found[fault, "newsintel"]
        shares.update({state: len(latencies) for state, latencies in ours["latencies_ms"].items()})
    told = ", ".join(
        f"{state} {count / shares.total():.0%}" for state, count in shares.most_common()
    )
    return Report(
        "tail",
        f"{AT_ONCE} new searches at once, {WAVES} times, while {FAILING_SOURCE} hangs, then drips; "
        f"deadline {DEADLINE_MS} ms",
        f"Status of the failing source in our answers: {told}. "
        "Once its circuit breaker is open, no search waits for it.",
        ("", f"{FAILING_SOURCE} reported as", "share", "p50 ms", "p99 ms"),
        rows,
        goals,
        {f"{fault}: {name}": group for (fault, name), group in found.items()},
        draw_bars(
            "A sick source: p99 of all answers, from p50 to the slowest",
            "ms, less is better",
            some,
            goal=DEADLINE_MS + 30,
        ),
    )
