"""How one simulated API behaves: its latency, its faults and its limits.

The settings can change while it runs. They are validated before they take effect.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from attrs import asdict, evolve, frozen

from newsintel.demo.faults import REFUSALS, REPLIES
from newsintel.demo.sabotage import SABOTAGES

FAULTS = ("none", *sorted({*REPLIES, *REFUSALS, *SABOTAGES}))
MAX_LATENCY_MS = 60_000
_HEADER_TEXT = re.compile(r"[ -~]{0,100}")


class InvalidSettingError(ValueError):
    """An invalid setting. `field` names it; the message says what is valid."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@frozen
class Behaviour:
    """The settings of one API.

    Attributes:
        latency_ms: milliseconds from a request to its answer, or to its fault.
        jitter_ms: milliseconds; each call's latency differs by a random amount of at most this.
        slow_ms: milliseconds that a slow call takes instead of latency_ms.
        slow_rate: probability that a call is slow, 0..1.
        fault: the fault, one of FAULTS.
        fault_rate: probability that a call gets the fault, 0..1.
        retry_after: the Retry-After header of 429 and 503 faults, sent as given, valid or not;
            None: no such header.
        limited: whether callers have the quota, pace and delay of the API's free plan.
    """

    latency_ms: float = 0.0
    jitter_ms: float = 0.0
    slow_ms: float = 0.0
    slow_rate: float = 0.0
    fault: str = "none"
    fault_rate: float = 1.0
    retry_after: str | int | float | None = None
    limited: bool = False

    def change_settings(self, settings: Any) -> "Behaviour":
        """Return a copy with these settings changed.

        Raises:
            InvalidSettingError: names the first setting that is unknown or has an invalid value.
        """
        if not isinstance(settings, dict):
            raise InvalidSettingError("", "must be a JSON object of settings")
        for name, value in settings.items():
            if name == "calls":
                raise InvalidSettingError(
                    name, "is a counter and cannot be set; DELETE /_control/calls resets it to 0"
                )
            if name not in _RULES:
                raise InvalidSettingError(name, f"is unknown; the settings are {', '.join(_RULES)}")
            holds, rule = _RULES[name]
            if not holds(value):
                raise InvalidSettingError(name, rule)
        return evolve(self, **settings)

    def to_json(self) -> dict[str, Any]:
        """Return the settings as JSON values."""
        return asdict(self)


def _check_number(low: float, high: float) -> Callable[[Any], bool]:
    return lambda value: (
        isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high
    )


def _is_retry_after(value: Any) -> bool:
    if isinstance(value, str):
        return _HEADER_TEXT.fullmatch(value) is not None
    return value is None or _check_number(-(10**12), 10**12)(value)


_SHARE = (_check_number(0, 1), "must be a number from 0 to 1")
_LATENCY = (
    _check_number(0, MAX_LATENCY_MS),
    f"must be a number of milliseconds from 0 to {MAX_LATENCY_MS}",
)
_RULES: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "latency_ms": _LATENCY,
    "jitter_ms": _LATENCY,
    "slow_ms": _LATENCY,
    "slow_rate": _SHARE,
    "fault": (lambda value: value in FAULTS, f"must be one of {', '.join(FAULTS)}"),
    "fault_rate": _SHARE,
    "retry_after": (
        _is_retry_after,
        "must be a number, a text of at most 100 ASCII characters, or null",
    ),
    "limited": (lambda value: isinstance(value, bool), "must be true or false"),
}
