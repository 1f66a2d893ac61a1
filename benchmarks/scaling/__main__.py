"""Print what breaks first as searches grow: `python -m benchmarks.scaling`, `just scaling`.

docs/scaling.md has this table; tests/benchmarks/scaling/test_page.py compares the two.
"""

from collections.abc import Iterator

from benchmarks.scaling.queueing import Waits
from benchmarks.scaling.stations import (
    DATABASE_PROCESSORS,
    LONGEST_WAIT_S,
    MISS_SHARE,
    MOST_TASKS,
    Station,
    count_tasks,
    read_stations,
)
from benchmarks.table import format_table

BASE_PER_S = 5
"""Requests a second of 1x: the small site of docs/deploy.md."""
SCALES = (1, 10, 100, 1_000)
DAY_S = 86_400
QUOTAS = {"Guardian's free key": 500, "NewsAPI's smallest plan": 250_000 // 30}
"""Calls a day."""


def build_table() -> str:
    """Return the table of the scales."""
    task, database = read_stations()
    header = (
        *("", "requests/s", "tasks", "a task is busy", "p99 wait there"),
        *("PostgreSQL is busy", "p99 wait there", "new searches a day"),
    )
    return format_table(header, [_build_row(task, database, scale) for scale in SCALES])


def _build_row(task: Station, database: Station, scale: int) -> list[str]:
    requests_per_s = BASE_PER_S * scale
    tasks = count_tasks(task, requests_per_s)
    return [
        f"{scale:,}x",
        f"{requests_per_s:,}",
        str(tasks),
        *_describe_queue(task, requests_per_s / tasks, 1),
        *_describe_queue(database, requests_per_s, DATABASE_PROCESSORS),
        f"{requests_per_s * MISS_SHARE * DAY_S:,.0f}",
    ]


def _describe_queue(station: Station, requests_per_s: float, servers: int) -> tuple[str, str]:
    busy = station.count_busy(requests_per_s) / servers
    return f"{busy:.1%}", _format_wait(station.simulate(requests_per_s, servers))


def _format_wait(waits: Waits | None) -> str:
    return "grows" if waits is None else f"{waits.p99_s * 1000:,.1f} ms"


def list_knees() -> Iterator[str]:
    """Yield, in order of the load, what breaks and at how many requests a second."""
    task, database = read_stations()
    one = task.find_knee(1)
    knees = {
        **{name: calls / DAY_S / MISS_SHARE for name, calls in QUOTAS.items()},
        "the processor of one task": one,
        f"the processors of {MOST_TASKS} tasks": one * MOST_TASKS,
        f"{DATABASE_PROCESSORS} processors of PostgreSQL": database.find_knee(DATABASE_PROCESSORS),
    }
    for name, per_s in sorted(knees.items(), key=lambda knee: knee[1]):
        yield f"- {per_s:,.1f} requests/s ({per_s / BASE_PER_S:,.1f}x): {name}"


def main() -> None:
    """Print the table and the knees."""
    print(build_table())
    print(f"\nWhere the p99 wait reaches {LONGEST_WAIT_S * 1000:.0f} ms, or a quota is spent:\n")
    print("\n".join(list_knees()))


if __name__ == "__main__":
    main()
