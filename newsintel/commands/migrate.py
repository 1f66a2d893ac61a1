"""`newsintel migrate` brings the database's schema up to this version."""

import argparse
from typing import Any

from newsintel.commands.setup import load_settings_and_log
from newsintel.config.settings import Settings
from newsintel.runtime import command_loop
from newsintel.runtime.telemetry.metrics import Metrics
from newsintel.storage.opening import open_stores


def add_parser(commands: Any) -> None:
    """Declare the command."""
    command = commands.add_parser("migrate")
    command.set_defaults(run=run)


def run(_args: argparse.Namespace) -> int:
    """Migrate. A second run changes nothing."""
    settings = load_settings_and_log()
    command_loop.run(_migrate_schema, settings)
    return 0


async def _migrate_schema(settings: Settings) -> None:
    async with open_stores(settings, Metrics().count) as stores:
        await stores.migrate()
