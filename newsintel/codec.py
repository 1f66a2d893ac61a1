"""Stand-in: JSON bytes."""

from typing import Any

import orjson


def to_json(value: Any) -> bytes:
    """JSON, UTF-8."""
    return orjson.dumps(value)
