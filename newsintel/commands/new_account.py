"""`newsintel new-account` creates an account without a provider, for programs with an API key."""

import argparse
import sys
from datetime import UTC, datetime
from typing import Any

from newsintel.commands.setup import load_settings_and_log
from newsintel.commands.stores import open_prepared_stores
from newsintel.config.settings import Settings
from newsintel.domain.accounts.model import LOCAL_PROVIDER, Account
from newsintel.errors import AccountNameError, InvalidParameterError
from newsintel.runtime import command_loop

MAX_NAME_CHARS = 100


def add_parser(commands: Any) -> None:
    """Declare the command."""
    command = commands.add_parser("new-account")
    command.add_argument(
        "name", metavar="NAME", help=f"the account's name, up to {MAX_NAME_CHARS} characters"
    )
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Create the account and print its public id. Safe beside a running service."""
    name = args.name.strip()
    if not 1 <= len(name) <= MAX_NAME_CHARS or not name.isprintable():
        raise InvalidParameterError(
            "NAME", "invalid", f"NAME must have 1 to {MAX_NAME_CHARS} printable characters"
        )
    settings = load_settings_and_log()
    account = command_loop.run(_create_account, settings, name)
    sys.stdout.write(f"{account.public_id}\n")
    return 0


async def _create_account(settings: Settings, name: str) -> Account:
    async with open_prepared_stores(settings) as stores:
        if await stores.accounts.directory.find_by_identity(LOCAL_PROVIDER, name):
            raise AccountNameError(f"there is an account {name!r} already")
        return await stores.accounts.directory.sign_in(
            LOCAL_PROVIDER, name, name, datetime.now(UTC)
        )
