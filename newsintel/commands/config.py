"""`newsintel config`: every setting, its value, unit and where it comes from."""

import argparse
import sys
from collections.abc import Sequence
from typing import Any

from attrs import asdict

from newsintel import emf
from newsintel.codec import to_json
from newsintel.commands.setup import load_settings


def add_parser(commands: Any) -> None:
    """Declare the command."""
    command = commands.add_parser("config", help="print every setting, its value, unit and origin")
    form = command.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="as JSON")
    form.add_argument("--names", action="store_true", help="the names alone, one a line")
    form.add_argument("--metrics", action="store_true", help="instead, the names of all metrics that NEWSINTEL_LOG_FORMAT=emf writes")
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the settings, secrets hidden in every form; or the names of the metrics."""
    settings = load_settings()
    rows = settings.rows
    if args.metrics:
        sys.stdout.write("".join(f"{name}\n" for name in sorted(emf.table(settings.source))))
    elif args.names:
        sys.stdout.write("".join(f"{row.name}\n" for row in rows))
    elif args.json:
        sys.stdout.write(to_json({"settings": [asdict(row) for row in rows]}).decode() + "\n")
    else:
        _print_aligned([("setting", "value", "unit", "origin"), *((row.name, row.value, row.unit, row.origin) for row in rows)])
    return 0


def _print_aligned(rows: Sequence[Sequence[str]]) -> None:
    """Columns as wide as they need; nothing is cut, whatever the terminal's width, so that the output can be searched."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        sys.stdout.write("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() + "\n")
