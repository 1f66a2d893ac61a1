"""`newsintel backup` writes all of PostgreSQL to a file: articles, accounts, saves, history."""

import argparse
from pathlib import Path
from typing import IO, Any

from newsintel.commands.lines import name_file_in_errors
from newsintel.commands.replacing import open_replacement
from newsintel.commands.setup import load_settings_and_log, write_message
from newsintel.config.settings import Settings
from newsintel.runtime import command_loop
from newsintel.storage.opening import open_backups

MODE = 0o600
"""Permissions of a new backup: it holds what accounts saved and searched."""


def add_parser(commands: Any) -> None:
    """Declare the command."""
    command = commands.add_parser("backup")
    command.add_argument(
        "file", metavar="FILE", help="replaced when the backup is complete; - for standard output"
    )
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Back up. FILE stays as it was unless the backup is complete."""
    settings = load_settings_and_log(quiet=True)
    with name_file_in_errors(args.file), open_replacement(args.file, MODE) as out:
        schema = command_loop.run(_back_up, settings, out)
    size = "" if args.file == "-" else f", {Path(args.file).stat().st_size:,} bytes"
    write_message(
        "backup_written",
        f"backup written to {args.file}{size} (schema {schema})",
        file=args.file,
        schema=schema,
    )
    return 0


async def _back_up(settings: Settings, out: IO[bytes]) -> str:
    async with open_backups(settings) as backups:
        return await backups.dump(out)
