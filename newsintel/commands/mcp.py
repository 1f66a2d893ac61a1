"""`newsintel mcp` is an MCP server on standard input and output, for one program on this machine.

It runs the pipeline in its own process, like `search`, and joins the servers of a running service
on the same DATA_DIR. It needs no key: who may start the program may also read its settings.
"""

import argparse
import uuid
from typing import Any

from newsintel import app
from newsintel.commands.setup import load_settings_and_log
from newsintel.commands.standard_streams import InputLines, Output
from newsintel.config.settings import Settings
from newsintel.domain.accounts.model import Caller
from newsintel.errors import SettingsError
from newsintel.http.application import create_front
from newsintel.http.routes.mcp.door import is_installed, load_server
from newsintel.http.routes.mcp.tools import ToolCall, build_tools
from newsintel.runtime import command_loop
from newsintel.runtime.asker import set_store_user

PERSON = "standard_input"
"""For whom the limits count."""

EXAMPLE = """\
A client starts this command itself. Its configuration, for most clients:

  {"mcpServers": {"news": {"command": "newsintel", "args": ["mcp"]}}}

docs/mcp.md names clients and settings. A running service also answers at its address, under /mcp.
"""


def add_parser(commands: Any) -> None:
    """Declare the command."""
    command = commands.add_parser(
        "mcp", epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    command.set_defaults(run=run)


def run(_args: argparse.Namespace) -> int:
    """Serve until standard input ends. Returns 0."""
    settings = load_settings_and_log(quiet=True)
    if not is_installed():
        raise SettingsError("mcp needs further packages: pip install 'newsintel[mcp]'")
    command_loop.run(_serve, settings)
    return 0


async def _serve(settings: Settings) -> None:
    library = await load_server()
    async with app.open_pipeline(settings) as services:
        set_store_user(PERSON)
        call = ToolCall(create_front(services).inner, Caller(PERSON), uuid.uuid4().hex)
        server = library.build_server(build_tools(tuple(settings.source)), call)
        await library.serve_streams(server, InputLines(0), Output(1))
