"""The interface of a simulated API."""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from attrs import frozen

from newsintel.demo.wire import Reply, Request


@frozen
class Clocks:
    """The two clocks of an API.

    Attributes:
        now: the current time of the simulated news; it never changes.
        monotonic: returns monotonic seconds, for quotas and tokens.
    """

    now: datetime
    monotonic: Callable[[], float]


class Api(Protocol):
    """A simulated API: a function from request to reply, with the state of its limits."""

    def answer_request(self, request: Request, *, limited: bool) -> Reply:
        """Answer as the real API would.

        Args:
            request: with the path as the API itself sees it.
            limited: enforce the free plan's quota, pace and delays.
        """
        ...

    def build_refusal(self, status: int) -> Reply:
        """Return the API's own reply for 401, 429 or 500."""
        ...

    def reset(self) -> None:
        """Reset the state: unused quotas, no tokens."""
        ...
