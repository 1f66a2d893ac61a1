"""Reads latencies from JSON lines.

A line is `{"source": "guardian", "status": "ok", "ms": 312, "count": 40}`; `count` is 1 by default.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import orjson

from newsintel.commands.lines import open_lines
from newsintel.domain.operations.latencies import Latency, round_latency
from newsintel.domain.search.outcome import Status
from newsintel.errors import InvalidParameterError

MAX_LATENCY_MS = 3_600_000


def read_measurements(file: str, sources: tuple[str, ...]) -> Mapping[Latency, int]:
    """Read the counts of a file; `-` is standard input.

    Raises:
        InvalidParameterError: the file or a line cannot be used; says which and why.
    """
    counts: Counter[Latency] = Counter()
    with open_lines(file) as lines:
        for number, line in lines:
            latency, count = _parse_line(line or b"", sources, f"{file}, line {number}")
            counts[latency] += count
    return counts


def _parse_line(line: bytes, sources: tuple[str, ...], where: str) -> tuple[Latency, int]:
    try:
        record: Any = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise InvalidParameterError(
            "file", "invalid", f"{where} is not JSON: {error.msg}"
        ) from error
    record = {"count": 1, **record} if isinstance(record, dict) else {}
    rules = {
        "source": (record.get("source") in sources, f"one of {', '.join(sources)}"),
        "status": (record.get("status") in list(Status), f"one of {', '.join(Status)}"),
        "ms": (
            _is_number(record.get("ms")) and 0 <= record["ms"] <= MAX_LATENCY_MS,
            f"a number from 0 to {MAX_LATENCY_MS:,}",
        ),
        "count": (
            type(record.get("count")) is int and record["count"] > 0,
            "a whole number above 0",
        ),
    }
    for name, (holds, rule) in rules.items():
        if not holds:
            raise InvalidParameterError("file", "invalid", f"{where}: {name} must be {rule}")
    status = Status(record["status"])
    return Latency(record["source"], status, round_latency(record["ms"], status)), record["count"]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
