"""`newsintel serve` runs the service until a signal (`stopping.SIGNALS`)."""

import argparse
from functools import partial
from typing import Any

from newsintel.commands.setup import load_settings, load_settings_and_log
from newsintel.config.environment import PREFIX
from newsintel.runtime import command_loop
from newsintel.runtime.workers.handover import Handover


def add_parser(commands: Any) -> None:
    """Declare the command."""
    command = commands.add_parser("serve")
    command.add_argument(
        "--workers",
        metavar="N",
        help=f"processes that serve on one port; auto = one for each core ({PREFIX}WORKERS)",
    )
    # For the supervisor alone, which starts its workers with it.
    command.add_argument("--handover", type=Handover.parse, help=argparse.SUPPRESS)
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Serve. Returns 0 after an orderly shutdown.

    The modules of the service take seconds to import, and the supervisor does not need them.
    """
    if args.handover is not None:
        from newsintel.commands.worker import run_worker  # noqa: PLC0415

        args.handover.take()
        settings = load_settings_and_log(worker=args.handover.worker)
        command_loop.run(run_worker, settings.for_worker(), args.handover)
        return 0
    overrides = {} if args.workers is None else {f"{PREFIX}WORKERS": args.workers}
    settings = load_settings_and_log(partial(load_settings, overrides))
    if settings.workers > 1:
        from newsintel.commands.workers import run_workers  # noqa: PLC0415

        command_loop.run(run_workers, settings)
    else:
        from newsintel.commands.serving import run_service  # noqa: PLC0415

        command_loop.run(run_service, settings)
    return 0
