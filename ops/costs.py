"""What the service in AWS costs a month, by list prices: `python -m ops.costs` prints the table.

docs/deploy.md has this table; tests/ops/test_costs.py compares the two. The prices are those of
us-east-1, on demand, in US dollars, as published in November 2026.
"""

import sys
from collections.abc import Iterator
from typing import NamedTuple

HOURS = 730
SECONDS = HOURS * 3600

HIT_MS, MISS_MS = 0.177, 61.3
"""Processor time of a request, as benchmarks/results have it: a hit over 8 connections, a miss."""

MISS_SHARE = 0.02
BUSY_SHARE = 0.7
"""Of a core, at which autoscaling adds a task (autoscaling.tf)."""

ANSWER_KB, FETCHED_KB = 28.9, 400
"""An answer of 30 articles, as it was measured; the three replies of the sources for a miss."""

LOG_GB_PER_TASK = 4
"""Metrics each ten seconds, warnings, and the task's share of the flow log and of the stores'
logs. The service logs no requests."""

INSIGHTS, INSIGHTS_PER_TASK = 40, 28
"""Metrics of Container Insights (enhanced): of the cluster and the service, and of each task."""

OWN_METRICS, ALARMS, KEYS, SECRETS, ZONES, ENDPOINTS = 91, 24, 6, 10, 3, 5
"""Counted in the configuration and the code by the test."""

EGRESS = ((100, 0.0), (10_240, 0.09), (40_960, 0.085), (102_400, 0.07), (float("inf"), 0.05))
"""Steps in GB, and the price of a GB in each, of data to the internet."""

NEWSAPI_PLAN, NEWSAPI_CALLS = 449.0, 250_000
"""NewsAPI's smallest plan for production, and its calls in a month. It is not in the table."""


class Load(NamedTuple):
    """How many tasks run for how many requests a second, on average over a month."""

    tasks: int
    requests: float

    @property
    def served_gb(self) -> float:
        """Data to people in a month."""
        return self.requests * ANSWER_KB * SECONDS / 1e6

    @property
    def fetched_gb(self) -> float:
        """Data from the sources in a month."""
        return self.requests * MISS_SHARE * FETCHED_KB * SECONDS / 1e6


class Row(NamedTuple):
    """A line of the table."""

    name: str
    arithmetic: str
    dollars: float


def count_requests_per_task() -> float:
    """Return the requests a second that one task serves when it is as busy as it may be."""
    mean_ms = (1 - MISS_SHARE) * HIT_MS + MISS_SHARE * MISS_MS
    return BUSY_SHARE * 1000 / mean_ms


LOADS = (Load(2, 5), Load(2, 50), Load(10, round(10 * count_requests_per_task(), -2)))
"""A small site, a busy one, and what keeps ten tasks as busy as they may be."""


def price_egress(gigabytes: float) -> float:
    """Return the price of data to the internet, step by step."""
    dollars = 0.0
    for step, price in EGRESS:
        dollars += min(gigabytes, step) * price
        gigabytes -= min(gigabytes, step)
    return dollars


def list_rows(load: Load) -> Iterator[Row]:
    """Return the lines of one column."""
    task = 0.03238 + 2 * 0.00356
    hourly_gb = load.served_gb / HOURS
    metrics = OWN_METRICS + INSIGHTS + INSIGHTS_PER_TASK * load.tasks
    fixed = ALARMS * 0.10 + KEYS * 1.0 + SECRETS * 0.40
    nat = ZONES * HOURS * 0.045
    addresses = 2 * ZONES * HOURS * 0.005
    yield Row("Fargate, arm64", "tasks x 730 x (0.03238 + 2 x 0.00356)", load.tasks * HOURS * task)
    yield Row(
        "data to people", "28.9 KB a request, by steps from 0.09", price_egress(load.served_gb)
    )
    yield Row("NAT gateways", "3 x 730 x 0.045", nat)
    yield Row("NAT data", "400 KB a miss x 0.045", load.fetched_gb * 0.045)
    yield Row("interface endpoints", "5 x 3 x 730 x 0.01", ENDPOINTS * ZONES * HOURS * 0.01)
    yield Row("ALB", "730 x 0.0225", HOURS * 0.0225)
    yield Row("ALB capacity", "GB an hour x 730 x 0.008", hourly_gb * HOURS * 0.008)
    yield Row("public IPv4 addresses", "(3 NAT + 3 ALB) x 730 x 0.005", addresses)
    yield Row("RDS db.m7g.large, Multi-AZ", "2 x 730 x 0.168", 2 * HOURS * 0.168)
    yield Row("RDS storage, Multi-AZ", "100 GiB x 0.23", 100 * 0.23)
    yield Row("ElastiCache, 2 cache.t4g.small", "2 x 730 x 0.0256", 2 * HOURS * 0.0256)
    yield Row("logs", "tasks x 4 GB x 0.50", load.tasks * LOG_GB_PER_TASK * 0.50)
    yield Row("metrics", "(87 own + 40 + tasks x 28) x 0.30", metrics * 0.30)
    yield Row("alarms, keys, secrets", "24 x 0.10 + 6 x 1 + 10 x 0.40", fixed)
    yield Row("images, hosted zone", "20 GB x 0.10 + 0.50", 20 * 0.10 + 0.50)


def build_table() -> str:
    """Return the table as Markdown."""
    columns = [list(list_rows(load)) for load in LOADS]
    heads = [f"{load.tasks} tasks, {load.requests:,.0f}/s" for load in LOADS]
    lines = [f"| | arithmetic | {' | '.join(heads)} |", "|---|---|" + "---:|" * len(LOADS)]
    for rows in zip(*columns, strict=True):
        dollars = " | ".join(f"{row.dollars:,.2f}" for row in rows)
        lines.append(f"| {rows[0].name} | {rows[0].arithmetic} | {dollars} |")
    sums = " | ".join(f"**{sum(row.dollars for row in rows):,.2f}**" for rows in columns)
    lines.append(f"| **US dollars a month** | | {sums} |")
    return "\n".join(lines)


def build_facts() -> str:
    """Return the sentences about the loads that the page has beside the table."""
    calls = [load.requests * MISS_SHARE * SECONDS for load in LOADS]
    return "\n".join(
        [
            f"- {load.requests:,.0f} requests/s: {load.served_gb / 1000:,.1f} TB to people, "
            f"{made / 1e6:,.1f} million misses, each a call to every source."
            for load, made in zip(LOADS, calls, strict=True)
        ]
    )


if __name__ == "__main__":
    print(f"{build_table()}\n\n{build_facts()}")
    print(f"\none task: {count_requests_per_task():.0f} requests/s")
    sys.exit(0)
