"""`newsintel migrate`: bring the database's schema up to this version."""

import argparse
from typing import Any

import trio

from newsintel import telemetry
from newsintel.commands.setup import load_settings
from newsintel.storage.stores import migrate_only


def add_parser(commands: Any) -> None:
    """Declare the command."""
    command = commands.add_parser("migrate", help="bring the database's schema up to this version")
    command.set_defaults(run=run)


def run(_args: argparse.Namespace) -> int:
    """Migrate; doing it again changes nothing."""
    settings = load_settings()
    telemetry.set_up_logging(settings)
    trio.run(migrate_only, settings)
    return 0
