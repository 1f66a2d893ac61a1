"""What `search` prints about each source on standard error.

On a terminal it is a live board; otherwise it is one line when the source answers.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.live import Live
from rich.text import Text

from newsintel.commands.setup import write_message
from newsintel.domain.search.harvest import Answer
from newsintel.domain.search.outcome import FetchOutcome, Status
from newsintel.runtime.search.flight import Failed, Landed, SourceReported
from newsintel.runtime.search.ports import FlightEvents
from newsintel.runtime.telemetry.logs import is_for_machines


class Board(Protocol):
    """Where outcomes are shown."""

    def show_outcome(self, outcome: FetchOutcome) -> None:
        """Show that a source has answered."""
        ...

    def show_cached(self, answer: Answer) -> None:
        """Show that the answer came from the cache, so no source was asked."""
        ...


async def show_outcomes(flight: FlightEvents, sources: Sequence[str]) -> Answer:
    """Show each source's outcome as it arrives until the flight lands; raise the flight's error."""
    seen = 0
    with _open_board(sources) as board:
        while True:
            for event in await flight.wait_for_events(seen):
                seen += 1
                match event:
                    case SourceReported(outcome):
                        board.show_outcome(outcome)
                    case Landed(answer, asked):
                        if not asked:
                            board.show_cached(answer)
                        return answer
                    case Failed(error):
                        raise error


@contextmanager
def _open_board(sources: Sequence[str]) -> Iterator[Board]:
    console = Console(stderr=True)
    if is_for_machines() or not console.is_terminal:
        yield _LineBoard()
        return
    with Live(console=console, refresh_per_second=12) as live:
        yield _LiveBoard(live, sources)


class _LineBoard:
    def show_outcome(self, outcome: FetchOutcome) -> None:
        write_message(
            "source_answered",
            _format_outcome(outcome),
            source=outcome.source,
            status=outcome.status,
            latency_ms=outcome.latency_ms and round(outcome.latency_ms, 1),
            articles=len(outcome.articles),
            reason=outcome.detail,
        )

    def show_cached(self, answer: Answer) -> None:
        write_message(
            "answered_from_cache", _format_cached(answer), fetched_at=answer.harvest.fetched_at
        )


class _LiveBoard:
    def __init__(self, live: Live, sources: Sequence[str]) -> None:
        self._live = live
        self._lines = {name: Text(f"{name:<10} asking", style="dim") for name in sources}
        self._redraw()

    def show_outcome(self, outcome: FetchOutcome) -> None:
        unanswered = "dim" if outcome.status is Status.DISABLED else "red"
        style = "green" if outcome.status.answered else unanswered
        self._lines[outcome.source] = Text(_format_outcome(outcome), style=style)
        self._redraw()

    def show_cached(self, answer: Answer) -> None:
        self._live.update(Text(_format_cached(answer), style="dim"))

    def _redraw(self) -> None:
        self._live.update(Text("\n").join(self._lines.values()))


def _format_outcome(outcome: FetchOutcome) -> str:
    took = f"{outcome.latency_ms:6.0f} ms" if outcome.latency_ms is not None else " " * 9
    note = (
        f"{len(outcome.articles):4} articles" if outcome.status.answered else outcome.detail or ""
    )
    return f"{outcome.source:<10} {outcome.status:<15} {took}  {note}".rstrip()


def _format_cached(answer: Answer) -> str:
    return f"answered from the cache, fetched at {answer.harvest.fetched_at:%H:%M:%S} UTC"
