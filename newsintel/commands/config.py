"""`newsintel config` prints every setting: its value, its origin and its meaning."""

import argparse
import sys
from collections.abc import Sequence
from typing import Any

from attrs import asdict

from newsintel.commands.setup import load_settings_and_log
from newsintel.config.environment import SettingRow
from newsintel.config.setting_meanings import find_meaning
from newsintel.domain.operations import emf
from newsintel.domain.search.codec import to_json

UNITS_S = {"d": 86400, "h": 3600, "min": 60}
"""Units for durations, in seconds, the largest first."""


def add_parser(commands: Any) -> None:
    """Declare the command."""
    command = commands.add_parser(
        "config",
        description=(
            "Print every setting: value, unit, origin and meaning. Secrets are shown as stars."
        ),
    )
    form = command.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="as JSON")
    form.add_argument("--names", action="store_true", help="only the names, one per line")
    form.add_argument(
        "--metrics",
        action="store_true",
        help="the names of all metrics that NEWSINTEL_LOG_FORMAT=emf writes",
    )
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the settings, or the names of the metrics. Every form hides secrets."""
    settings = load_settings_and_log(quiet=True)
    rows = settings.rows
    if args.metrics:
        sys.stdout.write(
            "".join(f"{name}\n" for name in sorted(emf.build_metrics(settings.source)))
        )
    elif args.names:
        sys.stdout.write("".join(f"{row.name}\n" for row in rows))
    elif args.json:
        listed = [asdict(row) | {"meaning": find_meaning(row.name)} for row in rows]
        sys.stdout.write(to_json({"settings": listed}).decode() + "\n")
    else:
        head = ("setting", "value", "origin", "meaning")
        lines = [(row.name, _format_value(row), row.origin, find_meaning(row.name)) for row in rows]
        _print_aligned([head, *lines])
    return 0


def _format_value(row: SettingRow) -> str:
    """Return a value with its unit; from a minute on also in the largest unit that it fills.

    A word in place of a number, such as `off`, has no unit.
    """
    try:
        value = float(row.value)
    except ValueError:
        return row.value
    if row.unit != "s":
        return f"{row.value} {row.unit}".strip()
    unit = next((unit for unit, size_s in UNITS_S.items() if value >= size_s), None)
    return f"{row.value} s" + (f" ({value / UNITS_S[unit]:.3g} {unit})" if unit else "")


def _print_aligned(rows: Sequence[Sequence[str]]) -> None:
    """Print columns as wide as their content. Nothing is cut, so the output can be searched."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        sys.stdout.write(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            + "\n"
        )
