"""`newsintel serve`: the service, until SIGTERM or SIGINT."""

import argparse
from typing import Any

import trio

from newsintel import app
from newsintel.commands.setup import begin


def add_parser(commands: Any) -> None:
    """Declare the command."""
    command = commands.add_parser("serve")
    command.set_defaults(run=run)


def run(_args: argparse.Namespace) -> int:
    """Serve; 0 after an orderly end."""
    settings = begin()
    trio.run(app.serve, settings)
    return 0
