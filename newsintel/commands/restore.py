"""`newsintel restore` fills an empty database from a backup, and brings it up to this version."""

import argparse
from pathlib import Path
from typing import Any

from newsintel.commands.lines import name_file_in_errors
from newsintel.commands.setup import load_settings_and_log, write_message
from newsintel.config.settings import Settings
from newsintel.runtime import command_loop
from newsintel.runtime.telemetry.metrics import Metrics
from newsintel.storage.opening import open_backups, open_stores


def add_parser(commands: Any) -> None:
    """Declare the command."""
    command = commands.add_parser("restore")
    command.add_argument("file", metavar="FILE", help="a backup that `newsintel backup` wrote")
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Restore. A failed restore leaves the database empty."""
    settings = load_settings_and_log(quiet=True)
    with name_file_in_errors(args.file), Path(args.file).open("rb"):
        pass
    schema = command_loop.run(_restore, settings, str(Path(args.file).absolute()))
    write_message(
        "backup_restored",
        f"{args.file} restored (its schema was {schema})",
        file=args.file,
        schema=schema,
    )
    return 0


async def _restore(settings: Settings, file: str) -> str:
    async with open_stores(settings, Metrics().count) as stores:
        async with open_backups(settings) as backups:
            schema = await backups.restore(file)
        await stores.migrate()
    return schema
