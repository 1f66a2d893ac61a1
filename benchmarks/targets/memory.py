"""Checks that the service's memory stops growing over many different searches."""

from benchmarks.client import Job
from benchmarks.plot import draw_curves
from benchmarks.report import Goal, Options, Report, print_progress
from benchmarks.rig import LATENCIES_MS, Rig

STEP = 500
STEPS = 40
SAMPLES = (5_000, 10_000, 15_000, 20_000)
AT_ONCE = 8
WORDS = "battery"
"""It finds about ten articles, so that a run takes minutes and not half an hour."""


def run(rig: Rig, options: Options) -> Report:
    """Send 20,000 distinct searches and read the memory every 500.

    With less than a second per round it sends a tenth of them.
    """
    scale = 1.0 if options.seconds >= 1 else 0.1
    rig.reset_upstreams(dict.fromkeys(LATENCIES_MS, 0))
    with rig.run_newsintel() as server:
        points = [(0, server.rss_mib())]
        failed = 0
        for number in range(round(STEPS * scale)):
            load = rig.run_load(Job((server.port,), rig.make_new_targets(STEP, WORDS), AT_ONCE))
            failed += load.failed
            points.append(((number + 1) * STEP, server.rss_mib()))
            if number % 10 == 9:
                print_progress(
                    f"memory: {points[-1][0]:,} searches, {points[-1][1]:.0f} MiB, "
                    f"{load.rate:.0f} searches/s"
                )
    rig.reset_upstreams()
    return _build_report(dict(points), [round(sample * scale) for sample in SAMPLES], failed)


def _build_report(points: dict[int, float], samples: list[int], failed: int) -> Report:
    first = points[samples[0]]
    growth = max(points[sample] for sample in samples) / first - 1
    return Report(
        "memory",
        f"{samples[-1]:,} distinct searches, {AT_ONCE} at once, upstreams without latency",
        f"From {samples[0]:,} to {samples[-1]:,} searches "
        f"the service grows by {growth:.0%} at most.",
        ("searches", "resident MiB", f"of that at {samples[0]:,}"),
        [
            (f"{sample:,}", f"{points[sample]:.1f}", f"{points[sample] / first:.2f}")
            for sample in (0, *samples)
        ],
        [
            Goal("flat within 10 % from the first sample on", f"{growth:+.1%}", growth <= 0.1),
            Goal("no search failed", str(failed), failed == 0),
        ],
        {
            "resident_mib": {str(searches): mib for searches, mib in points.items()},
            "failed": failed,
        },
        draw_curves(
            "Resident memory",
            "distinct searches",
            "MiB",
            {"newsintel": [(float(x), y) for x, y in points.items()]},
        ),
    )
