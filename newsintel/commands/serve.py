"""`newsintel serve` runs the service until a signal (`stopping.SIGNALS`)."""

import argparse
from typing import Any

from newsintel.commands.serving import run_service
from newsintel.commands.setup import load_settings_and_log
from newsintel.runtime import command_loop


def add_parser(commands: Any) -> None:
    """Declare the command."""
    command = commands.add_parser("serve")
    command.set_defaults(run=run)


def run(_args: argparse.Namespace) -> int:
    """Serve. Returns 0 after an orderly shutdown."""
    settings = load_settings_and_log()
    command_loop.run(run_service, settings)
    return 0
