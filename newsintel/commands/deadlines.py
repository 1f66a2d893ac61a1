"""`newsintel deadlines` shows what each deadline would cost and save, and suggests settings.

It computes both from measured latencies.
"""

import argparse
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from attrs import evolve, frozen

from newsintel.commands.measurements import read_measurements
from newsintel.commands.setup import load_settings_and_log
from newsintel.config.environment import PREFIX
from newsintel.config.settings import Settings
from newsintel.config.values import Secret
from newsintel.domain.operations.deadlines import (
    DeadlineOption,
    SourceFetches,
    complete_share,
    group_by_source,
    has_enough_fetches,
    list_options,
    miss_ms,
    suggest_deadlines,
)
from newsintel.domain.operations.latencies import Latency
from newsintel.domain.search.codec import to_json
from newsintel.errors import NewsIntelError
from newsintel.runtime import command_loop
from newsintel.runtime.telemetry.metrics import Metrics

NOTES = """\
How to read this
- A call that was cut short would have taken longer; how much longer is not known. It counts as lost
  under every deadline: "<=" marks losses that may be smaller.
- No suggested deadline is longer than the longest answer.
- Times are rounded to two digits. They include waiting for a source's pace.
- Sources count as independent. If they are slow at the same time, fewer misses are slow and fewer
  answers are incomplete than shown here.
- Calls that failed for other reasons fail under every deadline.
"""


@frozen
class DeadlineReport:
    """Everything that is printed, computed once. Times are milliseconds; shares are 0..1."""

    complete: float
    sources: Mapping[str, SourceFetches]
    today_ms: Mapping[str, int]
    search_ms: int
    options: Mapping[str, tuple[DeadlineOption, ...]]
    suggested_ms: Mapping[str, int]

    @property
    def chosen_ms(self) -> dict[str, int]:
        """The suggested deadline of each source, or today's if there is no suggestion."""
        return {**self.today_ms, **self.suggested_ms}

    @property
    def environment(self) -> dict[str, str]:
        """The settings to choose, for sources with enough measurements.

        SEARCH_DEADLINE_S is included only if a suggested deadline exceeds it.
        """
        known = {
            name: ms
            for name, ms in self.suggested_ms.items()
            if has_enough_fetches(self.sources[name], self.complete)
        }
        values = {f"{PREFIX}{name.upper()}_DEADLINE_S": ms for name, ms in known.items()}
        longest = max(known.values(), default=0)
        if longest > self.search_ms:
            values[f"{PREFIX}SEARCH_DEADLINE_S"] = longest
        return {name: f"{ms / 1000:g}" for name, ms in values.items()}


def add_parser(commands: Any) -> None:
    """Declare the command."""
    command = commands.add_parser("deadlines")
    command.description = (
        "Show what deadlines cost and save, by latencies of the last 8 days, and suggest settings."
    )
    command.add_argument(
        "--complete",
        metavar="PERCENT",
        type=_parse_percent,
        default=0.99,
        help="share of answers to be complete (default 99)",
    )
    command.add_argument(
        "--file",
        metavar="FILE",
        help="read latencies from this file of JSON lines; - for standard input",
    )
    command.add_argument("--json", action="store_true", help="as JSON")
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the report."""
    settings = load_settings_and_log(quiet=True)
    counts = (
        read_measurements(args.file, tuple(settings.source))
        if args.file
        else command_loop.run(_read_latencies, settings)
    )
    if not counts:
        raise NewsIntelError(f"no latency is recorded in {_describe_place(args.file, settings)}")
    report = _build_report(counts, settings, args.complete)
    sys.stdout.write(
        to_json(_convert_report(report)).decode() + "\n"
        if args.json
        else "".join(f"{line}\n" for line in _format_report(report))
    )
    return 0


async def _read_latencies(settings: Settings) -> Mapping[Latency, int]:
    """Return what running services recorded. It needs only Redis, so it starts no PostgreSQL."""
    # The import takes most of a second, and --file does not need it.
    from newsintel.storage.opening import open_stores  # noqa: PLC0415

    settings = evolve(
        settings, database_url=settings.database_url or Secret("postgresql:///unused")
    )
    async with open_stores(settings, Metrics().count) as stores:
        return await stores.operations.latencies.read_totals(datetime.now(UTC).date())


def _describe_place(file: str | None, settings: Settings) -> str:
    """Return where no latency was found, and what the caller can do."""
    if file:
        return file
    if settings.redis_url:
        return "Redis: run a service that searches for a while, then try again"
    demo = settings.data_dir / "demo"
    hint = f"; for the demo's, set {PREFIX}DATA_DIR={demo}" if demo.is_dir() else ""
    return (
        f"{settings.data_dir}: run this beside a running service that has searched; the embedded "
        f"Redis loses its data when the service ends{hint}"
    )


def _build_report(
    counts: Mapping[Latency, int], settings: Settings, share: float
) -> DeadlineReport:
    found = group_by_source(counts)
    sources = {name: found[name] for name in settings.source if name in found}
    today_ms = {name: round(settings.source[name].deadline_s * 1000) for name in sources}
    choices = {name: list_options(name, sources, today_ms) for name in sources}
    return DeadlineReport(
        share,
        sources,
        today_ms,
        round(settings.search_deadline_s * 1000),
        choices,
        suggest_deadlines(sources, share),
    )


def _format_report(report: DeadlineReport) -> Iterator[str]:
    for name, source in report.sources.items():
        failed = source.ended.total - source.answered.total
        yield (
            f"{name}: {source.answered.total:,} answered, {source.cut.total:,} cut short, "
            f"{failed:,} failed otherwise"
        )
        yield f"  {'deadline':>10} {'answers lost':>14} {'miss p50':>10} {'miss p99':>10}"
        for option in report.options[name]:
            lost = f"{'<=' if option.overstated else ''} {_format_percentage(option.lost)}"
            today = "   today" if option.deadline_ms == report.today_ms[name] else ""
            yield (
                f"  {_format_seconds(option.deadline_ms):>10} {lost:>14} "
                f"{_format_seconds(option.p50_ms):>10} {_format_seconds(option.p99_ms):>10}{today}"
            )
        yield ""
    yield f"{'all sources':<14} {'half within':>12} {'99 % within':>12} {'all within':>12}"
    for when, deadlines_ms in (("today", report.today_ms), ("as suggested", report.chosen_ms)):
        p50, p99 = (
            _format_seconds(miss_ms(report.sources, deadlines_ms, share)) for share in (0.5, 0.99)
        )
        longest = _format_seconds(max(deadlines_ms.values()))
        yield f"  {when:<12} {p50:>12} {p99:>12} {longest:>12}"
    yield ""
    yield NOTES
    yield from _format_advice(report)


def _format_advice(report: DeadlineReport) -> Iterator[str]:
    """Yield the settings, ready to copy, and their limitations as comments."""
    today = complete_share(report.sources, report.today_ms)
    yield (
        f"# Today's deadlines keep {_format_percentage(today)} of answers complete. "
        f"For {_format_percentage(report.complete)}:"
    )
    yield from (f"{name}={value}" for name, value in report.environment.items())
    if not report.suggested_ms:
        cut = ", ".join(
            f"{name} ({source.cut.total:,})"
            for name, source in report.sources.items()
            if source.cut.total
        )
        yield (
            f"# no deadline is long enough: too many calls were cut short: {cut}. "
            "Set a longer deadline there, measure, try again"
        )
    for name, source in report.sources.items():
        if not has_enough_fetches(source, report.complete):
            yield (
                f"# {name}: {source.wanted:,} calls measured, "
                f"{1 / (1 - report.complete):,.0f} needed"
            )


def _convert_report(report: DeadlineReport) -> dict[str, Any]:
    """Return the report as JSON values, in seconds and percent."""
    return {
        "complete_percent": {
            "wanted": report.complete * 100,
            "today": complete_share(report.sources, report.today_ms) * 100,
            "suggested": complete_share(report.sources, report.chosen_ms) * 100,
        },
        "independent": True,
        "sources": {
            name: _convert_source(report, name, source) for name, source in report.sources.items()
        },
        "misses": {
            when: {
                f"p{share * 100:.0f}_s": miss_ms(report.sources, deadlines_ms, share) / 1000
                for share in (0.5, 0.99)
            }
            | {"longest_s": max(deadlines_ms.values()) / 1000}
            for when, deadlines_ms in (("today", report.today_ms), ("suggested", report.chosen_ms))
        },
        "environment": report.environment,
    }


def _convert_source(report: DeadlineReport, name: str, source: SourceFetches) -> dict[str, Any]:
    suggested_ms = report.suggested_ms.get(name)
    return {
        "answered": source.answered.total,
        "cut": source.cut.total,
        "failed": source.ended.total - source.answered.total,
        "today_s": report.today_ms[name] / 1000,
        "suggested_s": None if suggested_ms is None else suggested_ms / 1000,
        "enough": has_enough_fetches(source, report.complete),
        "options": [
            {
                "deadline_s": option.deadline_ms / 1000,
                "lost_percent": round(option.lost * 100, 3),
                "overstated": option.overstated,
                "miss_p50_s": option.p50_ms / 1000,
                "miss_p99_s": option.p99_ms / 1000,
            }
            for option in report.options[name]
        ],
    }


def _format_seconds(ms: int) -> str:
    return f"{ms / 1000:g} s"


def _format_percentage(share: float) -> str:
    return f"{share * 100:.3g} %"


def _parse_percent(raw: str) -> float:
    """Parse a percentage as a share of answers, 0..1."""
    try:
        percent = float(raw)
    except ValueError:
        percent = 0.0
    if not 0 < percent < 100:
        raise argparse.ArgumentTypeError("must be a number between 0 and 100")
    return percent / 100
