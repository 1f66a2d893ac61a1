"""`newsintel serve` runs the service until a signal (`stopping.SIGNALS`)."""

import argparse
from typing import Any

from newsintel.commands.serving import serve
from newsintel.commands.setup import begin
from newsintel.runtime import command_loop


def add_parser(commands: Any) -> None:
    """Declare the command."""
    command = commands.add_parser("serve")
    command.set_defaults(run=run)


def run(_args: argparse.Namespace) -> int:
    """Serve. Returns 0 after an orderly shutdown."""
    settings = begin()
    command_loop.run(serve, settings)
    return 0
