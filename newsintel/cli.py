"""The command line: which commands there are, and what each failure means to a shell."""

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from newsintel import __version__
from newsintel.errors import InvalidParameterError, NewsIntelError, SettingsError, leaves

COMMANDS = {
    "serve": "serve",
    "demo": "demo",
    "search": "search",
    "migrate": "migrate",
    "config": "config",
    "deadlines": "deadlines",
    "dedupe": "dedupe",
    "import": "import_",
    "export": "export",
    "prune": "prune",
    "rotate-keys": "rotate_keys",
    "new-key": "new_key",
    "new-account": "new_account",
    "new-api-key": "new_api_key",
    "seed-demo": "seed_demo",
}
"""Each command's module. Only that of the command asked for is imported: all together take over two seconds here, `config` half of one."""

EXIT_FAILED = 1
EXIT_USAGE = 2
"""Settings and arguments that cannot be used; argparse's own code for the latter."""
EXIT_INTERRUPTED = 130
"""128 + SIGINT, as a shell reports it."""


def parser(asked: str | None) -> argparse.ArgumentParser:
    """The command line of the command asked for; the whole of it if none is, or one that there is not."""
    top = argparse.ArgumentParser(prog="newsintel", description="One search over every news source, each under its own deadline.")
    top.add_argument("--version", action="version", version=f"newsintel {__version__}")
    commands: Any = top.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for module in [COMMANDS[asked]] if asked in COMMANDS else COMMANDS.values():
        import_module(f"newsintel.commands.{module}").add_parser(commands)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        0 done; 1 failed; 2 a setting or an argument cannot be used; 130 interrupted. An unforeseen exception is a bug and propagates.
    """
    given = sys.argv[1:] if argv is None else argv
    args = parser(next(iter(given), None)).parse_args(given)
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
        return _explain(leaves(foreseen))


def _explain(errors: Sequence[BaseException]) -> int:
    """One line per failure on standard error, and the exit code."""
    for error in errors:
        print(f"newsintel: {error}", file=sys.stderr)  # noqa: T201
    return EXIT_USAGE if any(isinstance(error, SettingsError | InvalidParameterError) for error in errors) else EXIT_FAILED
