"""The command line: which commands there are, and what each failure means to a shell."""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from newsintel import __version__, stopping
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
        0 done; 1 failed; 2 a setting or an argument cannot be used; 128 + its number if a signal ended it. An unforeseen exception is a
        bug and propagates.
    """
    try:
        with stopping.raising():
            return _run(sys.argv[1:] if argv is None else argv)
    except stopping.Stopped as stopped:
        _discard_output()
        return stopped.exit_code
    finally:
        stopping.ended()


def _run(given: Sequence[str]) -> int:
    args = parser(next(iter(given), None)).parse_args(given)
    try:
        return int(args.run(args))
    except NewsIntelError as error:
        return _explain([error])
    except BaseExceptionGroup as group:
        stopped, others = group.split(stopping.Stopped)
        if others is None and stopped is not None:  # a signal, as it leaves nurseries
            raise leaves(stopped)[0] from None
        foreseen, rest = group.split(NewsIntelError)
        if rest is not None or foreseen is None:
            raise
        return _explain(leaves(foreseen))


def _discard_output() -> None:
    """What is left in the buffer would be written at exit, and wait for a reader that may never read."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _explain(errors: Sequence[BaseException]) -> int:
    """One line per failure on standard error, and the exit code."""
    for error in errors:
        print(f"newsintel: {error}", file=sys.stderr)  # noqa: T201
    return EXIT_USAGE if any(isinstance(error, SettingsError | InvalidParameterError) for error in errors) else EXIT_FAILED
