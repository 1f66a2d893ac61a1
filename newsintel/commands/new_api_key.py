"""`newsintel new-api-key` creates a key for an account that `new-account` created."""

import argparse
import sys
from datetime import UTC, datetime
from typing import Any

from newsintel.commands.setup import load_settings_and_log
from newsintel.commands.stores import open_prepared_stores
from newsintel.config.settings import Settings
from newsintel.domain.accounts.model import LOCAL_PROVIDER, MOST_KEYS, Access, ApiKey
from newsintel.domain.security.keys import create_api_key, digest_secret
from newsintel.errors import AccountNameError
from newsintel.runtime import command_loop

KEY_NAME = "made by newsintel new-api-key"
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
    command.add_argument(
        "--revoke-others", action="store_true", help="revoke every other key of the account"
    )
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Create a key and print nothing else, so that the output can go into a file.

    The key is never shown again. Safe beside a running service.
    """
    settings = load_settings_and_log()
    key = command_loop.run(
        _create_key, settings, args.name.strip(), Access(args.scope), args.revoke_others
    )
    sys.stdout.write(f"{key}\n")
    return 0


async def _create_key(settings: Settings, name: str, access: Access, revoke_others: bool) -> str:  # noqa: FBT001 - the loop passes by position
    async with open_prepared_stores(settings) as stores:
        account = await stores.accounts.directory.find_by_identity(LOCAL_PROVIDER, name)
        if account is None:
            raise AccountNameError(
                f"there is no account {name!r}: make it with newsintel new-account"
            )
        if revoke_others:
            for other in await stores.accounts.api_keys.list_of_user(account.id):
                await stores.accounts.api_keys.revoke(account.id, other.public_id)
        key = create_api_key()
        asked = ApiKey("", KEY_NAME, access, datetime.now(UTC), None, None)
        if (
            await stores.accounts.api_keys.create(account.id, asked, digest_secret(key), MOST_KEYS)
            is None
        ):
            raise AccountNameError(
                f"account {name!r} has {MOST_KEYS} keys already: end them with --revoke-others"
            )
        return key
