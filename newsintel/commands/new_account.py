"""`newsintel new-account` creates an account without a provider, for programs with an API key."""

import argparse
import sys
from datetime import UTC, datetime
from typing import Any

from newsintel.commands.setup import begin
from newsintel.commands.stores import prepared_stores
from newsintel.config.settings import Settings
from newsintel.domain.accounts.model import LOCAL, Account
from newsintel.errors import AccountNameError, InvalidParameterError
from newsintel.runtime import command_loop

LONGEST = 100


def add_parser(commands: Any) -> None:
    """Declare the command."""
    command = commands.add_parser("new-account")
    command.add_argument("name", metavar="NAME", help=f"the account's name, up to {LONGEST} characters")
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Create the account and print its public id. Safe beside a running service."""
    name = args.name.strip()
    if not 1 <= len(name) <= LONGEST or not name.isprintable():
        raise InvalidParameterError("NAME", "invalid", f"NAME must have 1 to {LONGEST} printable characters")
    settings = begin()
    account = command_loop.run(_make, settings, name)
    sys.stdout.write(f"{account.public_id}\n")
    return 0


async def _make(settings: Settings, name: str) -> Account:
    async with prepared_stores(settings) as stores:
        if await stores.accounts.directory.find(LOCAL, name):
            raise AccountNameError(f"there is an account {name!r} already")
        return await stores.accounts.directory.sign_in(LOCAL, name, name, datetime.now(UTC))
