"""`newsintel mcp`: the official SDK's client starts it and talks to it."""

import signal
import subprocess
import sys

import pytest
import trio
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters

from tests.service import COMMAND, ROOT, environ
from tests.waiting import PATIENCE_S

OFF = {"SOURCES": "guardian", "GUARDIAN_KEY": "a-key", "GUARDIAN_URL": "http://127.0.0.1:9"}


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["legacy", "auto"])
async def test_the_official_client_starts_and_uses_it(tmp_path, mode):
    """It lists the tools, searches, and leaves; no key is needed."""
    command, *args = [*COMMAND, "mcp"]
    server = StdioServerParameters(
        command=command, args=args, env=environ(tmp_path, **OFF), cwd=ROOT
    )
    with trio.fail_after(PATIENCE_S):
        async with Client(server, mode=mode) as client:
            names = [tool.name for tool in (await client.list_tools()).tools]
            found = await client.call_tool("archive_search", {"query": "rain"})
            failed = await client.call_tool("search", {"query": "rain"})
    assert names[0] == "search"
    assert found.structured_content == {"results": [], "left_out": 0}
    # The only source cannot be reached, and the archive is empty.
    assert failed.is_error
    assert '"guardian":"unreachable"' in failed.content[0].text


@pytest.mark.slow
def test_it_ends_with_its_input_and_by_a_signal(tmp_path):
    """Also while it waits for a message that never comes."""
    for end in (lambda one: one.stdin.close(), lambda one: one.send_signal(signal.SIGTERM)):
        process = subprocess.Popen(
            [*COMMAND, "mcp"],
            env=environ(tmp_path, **OFF),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        process.stdin.write(b'{"jsonrpc":"2.0","id":1,"method":"ping"}\nnot json\n')
        process.stdin.flush()
        assert b'"id":1' in process.stdout.readline()
        end(process)
        code = process.wait(PATIENCE_S)
        for pipe in (process.stdin, process.stdout, process.stderr):
            pipe.close()
        assert code in (0, 128 + signal.SIGTERM)


def test_without_the_sdk_one_line_says_what_to_install(tmp_path):
    """Exit status 2: what is missing is part of the installation."""
    program = (
        "import sys; from newsintel.http.routes.mcp import door; door.SDK = 'nobody_has_this'; "
        "from newsintel.commands.main import main; sys.exit(main(['mcp']))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program],
        env=environ(tmp_path, **OFF),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.splitlines() == [
        "newsintel: mcp needs further packages: pip install 'newsintel[mcp]'"
    ]
