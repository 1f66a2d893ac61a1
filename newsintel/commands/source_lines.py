"""What `search` prints about each source on standard error.

On a terminal it is a live board; otherwise it is one line when the source answers.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.live import Live
from rich.text import Text

from newsintel.commands.setup import tell
from newsintel.domain.search.harvest import Answer
from newsintel.domain.search.outcome import FetchOutcome, Status
from newsintel.runtime.search.flight import Failed, Landed, SourceReported
from newsintel.runtime.search.ports import Joined
from newsintel.runtime.telemetry.logs import for_machines


class Board(Protocol):
    """Where outcomes are shown."""

    def show(self, outcome: FetchOutcome) -> None:
        """Show that a source has answered."""
        ...

    def show_cached(self, answer: Answer) -> None:
        """Show that the answer came from the cache, so no source was asked."""
        ...


async def watch(flight: Joined, sources: Sequence[str]) -> Answer:
    """Show each source's outcome as it arrives until the flight lands; raise the flight's error."""
    seen = 0
    with _board(sources) as board:
        while True:
            for event in await flight.after(seen):
                seen += 1
                match event:
                    case SourceReported(outcome):
                        board.show(outcome)
                    case Landed(answer, asked):
                        if not asked:
                            board.show_cached(answer)
                        return answer
                    case Failed(error):
                        raise error


@contextmanager
def _board(sources: Sequence[str]) -> Iterator[Board]:
    console = Console(stderr=True)
    if for_machines() or not console.is_terminal:
        yield _Lines()
        return
    with Live(console=console, refresh_per_second=12) as live:
        yield _Live(live, sources)


class _Lines:
    def show(self, outcome: FetchOutcome) -> None:
        tell(
            "source_answered",
            _line(outcome),
            source=outcome.source,
            status=outcome.status,
            latency_ms=outcome.latency_ms and round(outcome.latency_ms, 1),
            articles=len(outcome.articles),
            reason=outcome.detail,
        )

    def show_cached(self, answer: Answer) -> None:
        tell("answered_from_cache", _cached(answer), fetched_at=answer.harvest.fetched_at)


class _Live:
    def __init__(self, live: Live, sources: Sequence[str]) -> None:
        self._live = live
        self._lines = {name: Text(f"{name:<10} asking", style="dim") for name in sources}
        self._update()

    def show(self, outcome: FetchOutcome) -> None:
        style = "green" if outcome.status.answered else "dim" if outcome.status is Status.DISABLED else "red"
        self._lines[outcome.source] = Text(_line(outcome), style=style)
        self._update()

    def show_cached(self, answer: Answer) -> None:
        self._live.update(Text(_cached(answer), style="dim"))

    def _update(self) -> None:
        self._live.update(Text("\n").join(self._lines.values()))


def _line(outcome: FetchOutcome) -> str:
    took = f"{outcome.latency_ms:6.0f} ms" if outcome.latency_ms is not None else " " * 9
    note = f"{len(outcome.articles):4} articles" if outcome.status.answered else outcome.detail or ""
    return f"{outcome.source:<10} {outcome.status:<15} {took}  {note}".rstrip()


def _cached(answer: Answer) -> str:
    return f"answered from the cache, fetched at {answer.harvest.fetched_at:%H:%M:%S} UTC"
