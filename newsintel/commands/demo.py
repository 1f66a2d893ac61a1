"""`newsintel demo` runs the whole service on simulated upstreams: no key, no network, no root."""

import argparse
from pathlib import Path
from typing import Any

from attrs import evolve
from rich.console import Console

from newsintel.commands.serving import run_service
from newsintel.commands.setup import load_settings, load_settings_and_log
from newsintel.config.settings import Settings
from newsintel.demo.server import Simulated, run_simulated_upstreams
from newsintel.runtime import command_loop
from newsintel.runtime.telemetry.logs import get_logger, is_for_machines

log = get_logger(__name__)

GREETING = """\
[bold]newsintel demo[/bold]: {what}, served by the real service with its own PostgreSQL and Redis.

  the page      open {url}/ in a browser
  a search      curl '{url}/articles?q=climate&limit=5'
  its sources   curl '{url}/sources'
  sign in       open {url}/auth/reddit/login in a browser: simulated Reddit asks for a user name
  trends        newsintel seed-demo   in another terminal; then curl '{url}/trending'
  a fault       curl -X PUT {control}/guardian -d '{{"fault": "hang"}}'   then a new search

Stop it with Ctrl-C.
"""


def add_parser(commands: Any) -> None:
    """Declare the command."""
    command = commands.add_parser("demo")
    command.add_argument(
        "--replay",
        metavar="DIR",
        type=Path,
        help="answer from recorded responses in DIR instead of the invented news",
    )
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Serve the demo until a signal. Returns 0 after an orderly shutdown."""
    command_loop.run(_serve_demo, args.replay)
    return 0


async def _serve_demo(replay: Path | None) -> None:
    async with run_simulated_upstreams(replay=replay) as simulated:
        settings = load_settings_and_log(lambda: load_demo_settings(simulated))
        await run_service(settings, on_ready=lambda url: _greet(url, simulated, settings, replay))


def load_demo_settings(simulated: Simulated) -> Settings:
    """Return the settings of a demo: this process's environment with the simulated upstreams."""
    settings = load_settings({"NEWSINTEL_ENV": "development", **simulated.environ})
    # The demo has its own servers and folder: invented articles must not mix with a real archive.
    settings = evolve(
        settings,
        data_dir=settings.data_dir / "demo",
        database_url=None,
        database_read_url=None,
        migrate_database_url=None,
        redis_url=None,
        workers=1,  # its simulated upstreams live in the same process
    )
    # The development sign-in accepts everybody, so it must be reachable from this machine only.
    return evolve(settings, dev_sign_in=settings.bind.is_loopback)


def _greet(url: str, simulated: Simulated, settings: Settings, replay: Path | None) -> None:
    what = (
        f"recorded responses from {replay}" if replay else "invented news from simulated upstreams"
    )
    told = {"what": what, "url": settings.public_url or url, "control": simulated.control_url}
    if is_for_machines():
        log.info("demo", **told)
    else:
        Console(stderr=True, soft_wrap=True).print(GREETING.format(**told))
