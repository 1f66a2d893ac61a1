"""`newsintel rotate-keys` re-encrypts stored secrets with the first of SECRET_KEYS."""

import argparse
import sys
from typing import Any

from newsintel.commands.setup import load_settings_and_log
from newsintel.commands.stores import open_prepared_stores
from newsintel.config.settings import Settings
from newsintel.runtime import command_loop


def add_parser(commands: Any) -> None:
    """Declare the command."""
    command = commands.add_parser("rotate-keys")
    command.set_defaults(run=run)


def run(_args: argparse.Namespace) -> int:
    """Re-encrypt and print how many. Safe beside a running service."""
    settings = load_settings_and_log()
    accounts, webhooks = command_loop.run(_reseal_all, settings)
    sys.stdout.write(f"tokens of {accounts} accounts re-encrypted\n")
    sys.stdout.write(f"signing keys of {webhooks} webhooks re-encrypted\n")
    return 0


async def _reseal_all(settings: Settings) -> tuple[int, int]:
    async with open_prepared_stores(settings) as stores:
        return (
            await stores.accounts.tokens.reseal_all(),
            await stores.alerts.deliveries.reseal_all(),
        )
