"""Progress of a long command on standard error: live on a terminal, otherwise a periodic line."""

import time
from contextlib import suppress
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from newsintel.commands.setup import write_message

LINE_EVERY_S = 10.0
"""Between lines without a terminal: one hour of import logs 360 lines."""


class ProgressCounter:
    """A context manager that counts and shows the count.

    Args:
        noun: what is counted, in the plural.
        hidden: show no progress, because the terminal shows the output itself.
    """

    def __init__(self, noun: str, *, hidden: bool = False) -> None:
        console = Console(stderr=True, soft_wrap=True)
        live = console.is_terminal and not hidden
        columns = (
            SpinnerColumn(),
            TextColumn("{task.completed:,.0f} " + noun),
            TextColumn("{task.fields[rate]:,.0f}/s"),
            TimeElapsedColumn(),
        )
        self._progress = Progress(*columns, console=console, transient=True, disable=not live)
        self._task = self._progress.add_task("", total=None, rate=0.0)
        self._noun, self._lines = noun, not live and not hidden
        self._began_s = self._said_s = time.monotonic()
        self.total = 0

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def add(self, amount: int) -> None:
        """Add to the count."""
        now_s = time.monotonic()
        self.total += amount
        rate = self.total / max(now_s - self._began_s, 0.001)
        self._progress.update(self._task, completed=self.total, rate=rate)
        if self._lines and now_s - self._said_s >= LINE_EVERY_S:
            self._said_s = now_s
            self.print_line(f"{self.total:,} {self._noun}, {rate:,.0f}/s")

    def print_line(self, line: str) -> None:
        """Print a line that stays. A closed terminal is ignored."""
        with suppress(OSError):
            if self._progress.disable:
                write_message("progress", line, message=line)
            else:
                self._progress.console.print(line, markup=False, highlight=False)
