"""`newsintel new-api-key` creates a key for an account that `new-account` created."""

import argparse
import sys
from datetime import UTC, datetime
from typing import Any

from newsintel.commands.setup import begin
from newsintel.commands.stores import prepared_stores
from newsintel.config.settings import Settings
from newsintel.domain.accounts.model import LOCAL, MOST_KEYS, Access, ApiKey
from newsintel.domain.security.keys import digest, new_api_key
from newsintel.errors import AccountNameError
from newsintel.runtime import command_loop

MADE_HERE = "made by newsintel new-api-key"
"""The name of such keys in the list of keys."""


def add_parser(commands: Any) -> None:
    """Declare the command."""
    command = commands.add_parser("new-api-key")
    command.add_argument("name", metavar="NAME", help="the account")
    command.add_argument(
        "--scope",
        required=True,
        choices=(Access.READ.value, Access.WRITE.value),
        help="read: read the account's data; write: also change it",
    )
    command.add_argument("--revoke-others", action="store_true", help="revoke every other key of the account")
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Create a key and print nothing else, so that the output can go into a file.

    The key is never shown again. Safe beside a running service.
    """
    settings = begin()
    key = command_loop.run(_make, settings, args.name.strip(), Access(args.scope), args.revoke_others)
    sys.stdout.write(f"{key}\n")
    return 0


async def _make(settings: Settings, name: str, access: Access, revoke_others: bool) -> str:  # noqa: FBT001 - the loop passes by position
    async with prepared_stores(settings) as stores:
        account = await stores.accounts.directory.find(LOCAL, name)
        if account is None:
            raise AccountNameError(f"there is no account {name!r}: make it with newsintel new-account")
        if revoke_others:
            for other in await stores.accounts.api_keys.of_user(account.id):
                await stores.accounts.api_keys.revoke(account.id, other.public_id)
        key = new_api_key()
        asked = ApiKey("", MADE_HERE, access, datetime.now(UTC), None, None)
        if await stores.accounts.api_keys.make(account.id, asked, digest(key), MOST_KEYS) is None:
            raise AccountNameError(f"account {name!r} has {MOST_KEYS} keys already: end them with --revoke-others")
        return key
