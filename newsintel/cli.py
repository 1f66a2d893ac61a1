"""The command line: which commands there are, and what each failure means to a shell."""

import argparse
import sys
from collections.abc import Sequence
from typing import Any

from newsintel import __version__
from newsintel.commands import (
    config,
    deadlines,
    dedupe,
    demo,
    export,
    import_,
    migrate,
    new_key,
    prune,
    rotate_keys,
    search,
    seed_demo,
    serve,
)
from newsintel.errors import InvalidParameterError, NewsIntelError, SettingsError

COMMANDS = (serve, demo, search, migrate, config, deadlines, dedupe, import_, export, prune, rotate_keys, new_key, seed_demo)

EXIT_FAILED = 1
EXIT_USAGE = 2
"""Settings and arguments that cannot be used; argparse's own code for the latter."""
EXIT_INTERRUPTED = 130
"""128 + SIGINT, as a shell reports it."""


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    top = argparse.ArgumentParser(prog="newsintel", description="One search over every news source, each under its own deadline.")
    top.add_argument("--version", action="version", version=f"newsintel {__version__}")
    commands: Any = top.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add_parser(commands)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        0 done; 1 failed; 2 a setting or an argument cannot be used; 130 interrupted. An unforeseen exception is a bug and propagates.
    """
    args = parser().parse_args(argv)
    try:
        return int(args.run(args))
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except NewsIntelError as error:
        return _explain([error])
    except BaseExceptionGroup as group:
        if group.split(KeyboardInterrupt)[1] is None:  # Ctrl-C, as it leaves nurseries
            return EXIT_INTERRUPTED
        foreseen, rest = group.split(NewsIntelError)
        if rest is not None or foreseen is None:
            raise
        return _explain(_leaves(foreseen))


def _explain(errors: Sequence[BaseException]) -> int:
    """One line per failure on standard error, and the exit code."""
    for error in errors:
        print(f"newsintel: {error}", file=sys.stderr)  # noqa: T201
    return EXIT_USAGE if any(isinstance(error, SettingsError | InvalidParameterError) for error in errors) else EXIT_FAILED


def _leaves(group: BaseExceptionGroup[BaseException]) -> list[BaseException]:
    found: list[BaseException] = []
    for error in group.exceptions:
        found += _leaves(error) if isinstance(error, BaseExceptionGroup) else [error]
    return found
