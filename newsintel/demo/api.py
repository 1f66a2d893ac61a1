"""What the server needs of a simulated API."""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from attrs import frozen

from newsintel.demo.wire import Reply, Request


@frozen
class Clocks:
    """The two times an API looks at.

    Attributes:
        now: the moment that the simulated news is told from; it stands still.
        monotonic: running seconds, for quotas and tokens.
    """

    now: datetime
    monotonic: Callable[[], float]


class Api(Protocol):
    """A simulated API: a function from request to reply, with the memory that its limits need."""

    def answer(self, request: Request, *, limited: bool) -> Reply:
        """What the real one would answer. `limited`: hold the caller to the free plan's quota, pace and delays."""
        ...

    def refusal(self, status: int) -> Reply:
        """The API's own way to say 401, 429 or 500."""
        ...

    def forget(self) -> None:
        """Start afresh: quotas unused, tokens unknown."""
        ...
