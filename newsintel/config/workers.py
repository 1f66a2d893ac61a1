"""The number of worker processes: one, a number, or one for each core."""

import math
import os
import re
from pathlib import Path

MOST_WORKERS = 32
"""Two connections to PostgreSQL for each are 64. An unchanged PostgreSQL allows 100 in all."""

CONNECTIONS_PER_WORKER = 2
"""Connections to PostgreSQL that a worker needs at least: one is reserved for urgent units."""

CPU_LIMIT = Path("/sys/fs/cgroup/cpu.max")
"""The processor time that a container may use in a period, both in microseconds (kernel.org,
cgroup-v2, "CPU Interface Files")."""


def parse_workers(raw: str) -> int:
    """A whole number within bounds; `auto` is one for each core."""
    if raw.strip().lower() == "auto":
        return min(count_cores(), MOST_WORKERS)
    if not re.fullmatch(r"[0-9]{1,9}", raw.strip()) or not 1 <= int(raw) <= MOST_WORKERS:
        raise ValueError(f"must be auto, or a whole number from 1 to {MOST_WORKERS}")
    return int(raw)


def count_cores(cpu_limit: Path = CPU_LIMIT) -> int:
    """Return how many cores this process may use, at least 1.

    A process may be bound to some cores, and a container may have less time than its host's cores.

    Args:
        cpu_limit: the file with the container's limit; it may be missing.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, min(cores or 1, _read_limit(cpu_limit)))


def _read_limit(cpu_limit: Path) -> int:
    """Return a container's limit in whole cores; a part of a core counts as a core."""
    try:
        quota_us, period_us = map(int, cpu_limit.read_text(encoding="ascii").split())
    except (OSError, ValueError):  # `max` is no limit
        return MOST_WORKERS
    return math.ceil(quota_us / period_us) if period_us > 0 else MOST_WORKERS
