"""`newsintel prune` deletes searches older than the retention time, as a running service does."""

import argparse
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

from newsintel.commands.setup import load_settings_and_log
from newsintel.commands.stores import open_prepared_stores
from newsintel.config.settings import Settings
from newsintel.runtime import command_loop


def add_parser(commands: Any) -> None:
    """Declare the command."""
    command = commands.add_parser("prune")
    command.set_defaults(run=run)


def run(_args: argparse.Namespace) -> int:
    """Prune and print the number of deleted searches. Safe beside a running service."""
    settings = load_settings_and_log()
    pruned = command_loop.run(_prune_history, settings)
    sys.stdout.write(f"{pruned} searches older than {settings.history_retention_d} days deleted\n")
    return 0


async def _prune_history(settings: Settings) -> int:
    async with open_prepared_stores(settings) as stores:
        return await stores.personal.history.prune_searches(
            datetime.now(UTC) - timedelta(days=settings.history_retention_d)
        )
