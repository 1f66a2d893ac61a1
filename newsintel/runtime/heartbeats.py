"""The heartbeats of the actors: whether each of them gets on with its work.

An actor that waits for work is well, however long it waits. A piece of work is a batch, a search, a
call or a round; while an actor does one, its heartbeat is the beginning of the piece, or the last
`beat` in it. An actor that ends before the service does is silent too.

The piece in progress is a context variable, so no actor has to pass it on, and code outside any
actor may call `beat` without effect.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

import trio
from attrs import define, field

SILENT_S = 60.0
"""Time without a heartbeat after which an actor counts as silent.

Every wait inside a piece of work has a limit of its own: 5 s for a disk, 2 s for PostgreSQL, 0.25 s
for Redis, the search's deadline for a source. The longest pieces are a few of them in a row.
"""


@define(eq=False)
class _Piece:
    """A piece of work: the time of its last heartbeat."""

    beat_at: float = field(factory=trio.current_time)


@define(eq=False)
class Heartbeat:
    """The heartbeat of one actor.

    Attributes:
        pieces: in progress, in the order in which they began.
        ended: the actor has ended.
    """

    pieces: dict[_Piece, None] = field(factory=dict)
    ended: bool = False

    def measure_silence_s(self) -> float:
        """Return the longest time since the last heartbeat of a piece; 0 if there is none."""
        now = trio.current_time()
        return max((now - piece.beat_at for piece in self.pieces), default=0.0)


_actor: ContextVar[Heartbeat | None] = ContextVar("actor", default=None)
_piece: ContextVar[_Piece | None] = ContextVar("piece", default=None)


class Heartbeats:
    """The heartbeats of all actors.

    Args:
        extra_s: added to SILENT_S, for the setting that allows the longest piece of work.
    """

    def __init__(self, extra_s: float = 0.0) -> None:
        self._actors: dict[str, Heartbeat] = {}
        self._silent_s = SILENT_S + extra_s

    async def watch(self, name: str, run: Callable[[], Awaitable[None]]) -> None:
        """Run an actor to its end; its tasks inherit its heartbeat."""
        heartbeat = self._actors[name] = Heartbeat()
        _actor.set(heartbeat)
        await run()
        heartbeat.ended = True

    def list_silent(self) -> list[str]:
        """Return the names of the actors that have ended or do not get on with their work."""
        return [
            name
            for name, one in self._actors.items()
            if one.ended or one.measure_silence_s() > self._silent_s
        ]

    def read_silence_s(self) -> Mapping[tuple[str, ...], float]:
        """Return each actor's time since its last heartbeat, 0 while it waits, for the gauge."""
        return {(name,): one.measure_silence_s() for name, one in self._actors.items()}


@contextmanager
def at_work() -> Iterator[None]:
    """Do one piece of the current actor's work in the block. Several may overlap."""
    heartbeat = _actor.get()
    if heartbeat is None:
        yield
        return
    piece = _Piece()
    heartbeat.pieces[piece] = None
    before = _piece.set(piece)
    try:
        yield
    finally:
        _piece.reset(before)
        del heartbeat.pieces[piece]


def beat() -> None:
    """Show that the current piece of work gets on. Call it in loops that may be long."""
    piece = _piece.get()
    if piece is not None:
        piece.beat_at = trio.current_time()
