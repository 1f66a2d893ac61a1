"""`newsintel serve`: the service, until a signal (`stopping.SIGNALS`)."""

import argparse
from typing import Any

from newsintel import app, command_loop, telemetry
from newsintel.commands.setup import load_settings


def add_parser(commands: Any) -> None:
    """Declare the command."""
    command = commands.add_parser("serve", help="serve the HTTP API until SIGTERM or SIGINT")
    command.set_defaults(run=run)


def run(_args: argparse.Namespace) -> int:
    """Serve; 0 after an orderly end."""
    settings = load_settings()
    telemetry.set_up_logging(settings)
    command_loop.run(app.serve, settings)
    return 0
