"""`newsintel demo`: the whole service on simulated upstreams: no key, no network, no root."""

import argparse
from pathlib import Path
from typing import Any

from attrs import evolve
from rich.console import Console

from newsintel.commands.serving import serve
from newsintel.commands.setup import begin, load_settings
from newsintel.config.settings import Settings
from newsintel.demo.server import Simulated, simulated_upstreams
from newsintel.runtime import command_loop
from newsintel.runtime.telemetry.logs import for_machines, get_logger

log = get_logger(__name__)

GREETING = """\
[bold]newsintel demo[/bold]: {what}, served by the real service with its own PostgreSQL and Redis.

  a search      curl '{url}/articles?q=climate&limit=5'
  its sources   curl '{url}/sources'
  sign in       open {url}/auth/reddit/login in a browser: a page that stands in for Reddit's asks who to be
  trends        newsintel seed-demo   in another terminal: invented people; then curl '{url}/trending'
  trouble       curl -X PUT {control}/guardian -d '{{"fault": "hang"}}'   then search for something new

Stop it with Ctrl-C.
"""


def add_parser(commands: Any) -> None:
    """Declare the command."""
    command = commands.add_parser("demo")
    command.add_argument("--replay", metavar="DIR", type=Path, help="answer from recorded responses in DIR instead of the invented news")
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Serve the demo until a signal; 0 after an orderly end."""
    command_loop.run(_demo, args.replay)
    return 0


async def _demo(replay: Path | None) -> None:
    async with simulated_upstreams(replay=replay) as simulated:
        settings = begin(lambda: demo_settings(simulated))
        await serve(settings, on_ready=lambda url: _greet(url, simulated, settings, replay))


def demo_settings(simulated: Simulated) -> Settings:
    """The settings of a demo: this process's environment, on simulated upstreams."""
    settings = load_settings({"NEWSINTEL_ENV": "development", **simulated.environ})
    # Servers and a folder of its own: what is simulated must not mix with an archive that somebody keeps.
    settings = evolve(settings, data_dir=settings.data_dir / "demo", database_url=None, migrate_database_url=None, redis_url=None)
    return evolve(settings, dev_sign_in=settings.bind.loopback)  # it lets anybody in: on this machine alone


def _greet(url: str, simulated: Simulated, settings: Settings, replay: Path | None) -> None:
    what = f"recorded responses from {replay}" if replay else "invented news from simulated upstreams"
    told = {"what": what, "url": settings.public_url or url, "control": simulated.control_url}
    if for_machines():
        log.info("demo", **told)
    else:
        Console(stderr=True, soft_wrap=True).print(GREETING.format(**told))
