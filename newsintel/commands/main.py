"""The command line: the list of commands, and the exit code of each failure."""

import argparse
import re
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from importlib import import_module
from typing import Any, NoReturn

from newsintel import __version__
from newsintel.commands.standard_descriptors import (
    discard_output,
    find_output_fault,
    open_closed_descriptors,
    write_utf8,
)
from newsintel.errors import InvalidParameterError, NewsIntelError, SettingsError, flatten_errors
from newsintel.runtime import stopping

PROGRAM = "newsintel"

COMMANDS = {
    "serve": "serve the HTTP API until a signal ends it",
    "demo": "serve the same API with invented news: no key, no network, no root",
    "search": "search once, in the terminal",
    "mcp": "serve a language model's client on standard input and output",
    "config": "print every setting, its value and its meaning",
    "deadlines": "suggest deadlines for your sources, from measured latencies",
    "migrate": "bring the database's schema up to this version",
    "dedupe": "group the lines of a JSONL file that tell one story",
    "import": "archive the articles in a file of JSON lines",
    "export": "write the archive's articles as JSON lines",
    "backup": "write all of PostgreSQL to a file, accounts and history included",
    "restore": "fill an empty database from a backup",
    "prune": "delete searches that are older than the history keeps",
    "new-key": "print a new key for NEWSINTEL_SECRET_KEYS",
    "rotate-keys": "re-encrypt stored tokens with the first of NEWSINTEL_SECRET_KEYS",
    "new-account": "make an account that needs no provider, for programs with a key",
    "new-api-key": "print a new API key for an account that new-account made",
    "feeds": "list, add, remove, import and export the feeds that the service reads",
    "seed-demo": "fill the demo with two weeks of activity by invented people",
}
"""Each command's summary. The module of a command is imported only when the command runs: importing
all of them takes over two seconds."""

EPILOG = """\
commands:
{commands}

`newsintel COMMAND --help` tells more. Settings come from the environment; `newsintel config` lists
them. New here? `newsintel demo` needs no key.

exit status: 0 done, 1 failed, 2 a setting or an argument cannot be used, 128 + n ended by signal n
(130 interrupted)
"""

NOT_LINUX = (
    "newsintel: runs on Linux alone, because it needs /proc and Linux's socket options: "
    "use a container (docs/containers.md) or a virtual machine\n"
)

EXIT_FAILED = 1
EXIT_USAGE = 2
"""For settings and arguments that cannot be used; argparse exits with the same code."""


class CommandParser(argparse.ArgumentParser):
    """A parser whose errors are one line, like every failure, and point to the help.

    Attributes:
        takes_words: whether arguments may come before, between and after options, and may begin
            with one dash (-football).
    """

    takes_words = False

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse. A space before -word makes it an argument for argparse; a search drops spaces."""
        if not self.takes_words:
            return super().parse_known_args(args, namespace)
        self.takes_words = False  # parse_known_intermixed_args calls this method again
        return self.parse_known_intermixed_args(
            [f" {word}" if re.match("-[^-]", word) and word != "-h" else word for word in args],
            namespace,
        )

    def error(self, message: str) -> NoReturn:
        """Print the error as one line and exit."""
        # The import is slow, and --version does not need it.
        from newsintel.commands.setup import set_up_log_only, write_failure  # noqa: PLC0415

        set_up_log_only()
        write_failure(f"{message} (see {self.prog} --help)")
        sys.exit(EXIT_USAGE)


def build_parser(asked: str | None) -> argparse.ArgumentParser:
    """Build the parser: all arguments of the requested command, summaries of the others."""
    top = CommandParser(
        prog=PROGRAM,
        usage=f"{PROGRAM} [-h] [--version] COMMAND ...",
        description="One search over every news source, each under its own deadline.",
        epilog=EPILOG.format(
            commands="\n".join(f"  {name:<13}{summary}" for name, summary in COMMANDS.items())
        ),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"{PROGRAM} {__version__}")
    commands: Any = top.add_subparsers(
        required=True, metavar="COMMAND", prog=PROGRAM, help=argparse.SUPPRESS
    )
    if asked in COMMANDS:
        import_module(f"newsintel.commands.{get_module_name(asked)}").add_parser(commands)
        command: argparse.ArgumentParser = commands.choices[asked]
        command.description = (
            command.description or f"{COMMANDS[asked][0].upper()}{COMMANDS[asked][1:]}."
        )
    return top


def get_module_name(command: str) -> str:
    """Return a command's module name in `commands`; `import` is a Python keyword."""
    return "import_" if command == "import" else command.replace("-", "_")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command, or show the help if there is none. An unexpected exception propagates.

    Returns:
        0 done; 1 failed; 2 a setting or an argument cannot be used; 128 + n ended by signal n.
    """
    open_closed_descriptors()
    write_utf8()
    try:
        with stopping.raise_on_signal():
            return _run_to_last_output(sys.argv[1:] if argv is None else argv)
    except stopping.Stopped as stopped:
        discard_output()
        return stopped.exit_code
    finally:
        stopping.clear_limit()


def _run_to_last_output(given: Sequence[str]) -> int:
    """Run a command, and write all of its output. If that fails, say so in one line."""
    exit_code = EXIT_FAILED
    failure: BaseException | None = None
    try:
        exit_code = _run_command(given)
    except stopping.Stopped:
        raise  # the reader of the output may never read it
    except (OSError, BaseExceptionGroup, SystemExit) as error:
        failure = error
    fault = find_output_fault(failure)
    if fault is None:
        if failure is not None:
            raise failure
        return exit_code
    discard_output()
    if not isinstance(fault, BrokenPipeError):  # else the reader wanted no more
        return _explain_errors([NewsIntelError(f"standard output: {fault.strerror}")])
    return EXIT_FAILED


def _run_command(given: Sequence[str]) -> int:
    asked = next((word for word in given if not word.startswith("-")), None)
    if asked in COMMANDS and sys.platform != "linux":
        sys.stderr.write(NOT_LINUX)
        return EXIT_FAILED
    try:
        top = build_parser(asked)
    except NewsIntelError as error:  # a source of another package cannot be used
        return _explain_errors([error])
    if not given:
        top.print_help()
        return EXIT_USAGE
    if asked is not None and asked not in COMMANDS:
        near = get_close_matches(asked, COMMANDS, n=1)
        top.error(f"there is no command {asked!r}" + (f"; did you mean {near[0]}?" if near else ""))
    args = top.parse_args(given)
    try:
        return int(args.run(args))
    except NewsIntelError as error:
        return _explain_errors([error])
    except BaseExceptionGroup as group:
        stopped, others = group.split(stopping.Stopped)
        if others is None and stopped is not None:  # nurseries wrap the signal in groups
            raise flatten_errors(stopped)[0] from None
        foreseen, rest = group.split(NewsIntelError)
        if rest is not None or foreseen is None:
            raise
        return _explain_errors(flatten_errors(foreseen))


def _explain_errors(errors: Sequence[BaseException]) -> int:
    """Print one line per failure on standard error, and return the exit code."""
    # The import is slow, and --version does not need it.
    from newsintel.commands.setup import ensure_log, write_failure  # noqa: PLC0415

    ensure_log()  # a command may fail before it loads its settings
    for error in errors:
        write_failure(str(error))
    return (
        EXIT_USAGE
        if any(isinstance(error, SettingsError | InvalidParameterError) for error in errors)
        else EXIT_FAILED
    )
