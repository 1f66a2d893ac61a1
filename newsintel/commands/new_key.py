"""`newsintel new-key` prints a new key for SECRET_KEYS."""

import argparse
import secrets
import sys
from typing import Any


def add_parser(commands: Any) -> None:
    """Declare the command."""
    command = commands.add_parser("new-key")
    command.set_defaults(run=run)


def run(_args: argparse.Namespace) -> int:
    """Print 32 random bytes in base64url, and nothing else, so that output can go into a file."""
    sys.stdout.write(secrets.token_urlsafe(32) + "\n")
    return 0
