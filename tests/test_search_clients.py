"""Clients that other projects wrote do their job against the demo, unmodified.

Each runs in an environment of its own, which the test makes from a lock.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.npm import install
from tests.service import running
from tests.waiting import PATIENCE_S, wait_for

pytestmark = pytest.mark.slow

FOLDER = Path(__file__).parent / "clients"
QUERY = "climate"
PAGE = 2


def run(*command, cwd):
    """Run a program; returns what it printed."""
    done = subprocess.run(
        [*map(str, command)],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def make_python(name, folder):
    """Make an environment from a lock; returns its interpreter."""
    python = folder / "env" / "bin" / "python"
    run(sys.executable, "-m", "venv", folder / "env", cwd=folder)
    pip = (python, "-m", "pip", "install", "-qq", "--disable-pip-version-check")
    lock = FOLDER / "python" / f"{name}.txt"
    done = subprocess.run(
        [*map(str, pip), "--require-hashes", "--only-binary", ":all:", "-r", str(lock)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.skip(f"pip cannot get the packages: {done.stderr[-300:]}")
    return python


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    """The folder in which the packages of npm are installed."""
    folder = tmp_path_factory.mktemp("node")
    install(FOLDER / "node", folder)
    return folder


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """A running demo with all sources, which knows its feeds and has answered the query."""
    with running(tmp_path_factory.mktemp("demo"), "demo", SOURCES="") as service:
        address = "/compat/newsapi/v2/sources"
        wait_for(lambda: service.get(address).json().get("sources"), "the list of feeds")
        service.search(QUERY)
        yield service


@pytest.fixture(scope="module")
def key(service):
    """An API key of the service."""
    ours = {"Sec-Fetch-Site": "same-origin"}
    signed_in = service.client.post(
        f"{service.url}/auth/dev/login", json={"username": "somebody"}, headers=ours
    )
    headers = ours | {"Cookie": signed_in.headers["Set-Cookie"].partition(";")[0]}
    service.client.cookies.clear()
    made = service.client.post(
        f"{service.url}/me/keys", json={"name": "client", "scope": "read"}, headers=headers
    )
    return made.json()["key"]


def test_langchain_searches(service, tmp_path):
    """LangChain's SearxSearchWrapper takes the address; engines and time ranges select."""
    python = make_python("langchain", tmp_path)
    address = f"{service.url}/compat/searxng/search"
    script = FOLDER / "python" / "search_by_langchain.py"
    found = json.loads(run(python, script, address, QUERY, cwd=tmp_path))
    ours = service.search(QUERY, language="en", limit=3).json()["articles"]
    assert [one["link"] for one in found["results"]] == [one["url"] for one in ours]
    assert all(one["engines"] == ["guardian"] for one in found["of_one"])
    assert found["of_one"][0]["category"] == "news"
    assert ours[0]["description"] in found["text"]


def test_mcp_searxng_searches(service, node):
    """A model's host starts npm's mcp-searxng; its tool gives our titles and sources."""
    printed = run("node", "search_by_mcp.mjs", f"{service.url}/compat/searxng", QUERY, cwd=node)
    result = json.loads(printed.splitlines()[-1])
    text = result["content"][0]["text"]
    assert not result.get("isError"), text
    best = service.search(QUERY, limit=1).json()["articles"][0]
    assert f"Title: {best['title']}" in text
    assert f"Engines: {best['source']}" in text


def check_newsapi(found):
    """Check what a client of NewsAPI got."""
    assert found["everything"]["status"] == "ok"
    assert len(found["everything"]["articles"]) == PAGE
    assert found["everything"]["totalResults"] > PAGE
    assert found["headlines"]["articles"]
    assert found["sources"]["sources"][0]["id"]


def test_newsapi_python_searches(service, key, tmp_path):
    """newsapi-python works with its constants patched, and raises its own error for a wrong key."""
    python = make_python("newsapi", tmp_path)
    address = f"{service.url}/compat/newsapi/v2"
    script = FOLDER / "python" / "search_by_newsapi.py"
    found = json.loads(run(python, script, address, key, QUERY, cwd=tmp_path))
    check_newsapi(found)
    assert found["refused"] == "apiKeyInvalid"
    assert found["since"]["totalResults"] == 0


def test_npm_newsapi_searches(service, key, node):
    """npm's newsapi works with its option for a proxy."""
    printed = run(
        "node", "search_by_newsapi.mjs", f"{service.url}/compat/newsapi/", key, QUERY, cwd=node
    )
    found = json.loads(printed)
    check_newsapi(found)
    assert found["refused"].startswith("NewsAPIError: apiKeyInvalid")


def check_generated(found, service):
    """Check what a generated client got."""
    ours = service.search(QUERY, limit=PAGE).json()
    assert found["titles"] == [article["title"] for article in ours["articles"]]
    assert found["total"] == ours["total"]
    assert found["code"] == "invalid_parameter"


def test_a_python_client_is_generated_and_searches(service, tmp_path):
    """openapi-python-client makes a client of the description, with every route in JSON."""
    python = make_python("generator", tmp_path)
    (tmp_path / "openapi.json").write_text(service.get("/openapi.json").text)
    run(
        python.with_name("openapi-python-client"),
        *("generate", "--path", "openapi.json", "--meta", "none", "--output-path", "generated"),
        cwd=tmp_path,
    )
    script = tmp_path / "search_by_generated.py"
    script.write_text((FOLDER / "python" / script.name).read_text())
    check_generated(json.loads(run(python, script, service.url, QUERY, cwd=tmp_path)), service)


def test_typescript_types_are_generated_and_search(service, node):
    """openapi-typescript makes types that a strict compiler accepts, and the program runs."""
    (node / "openapi.json").write_text(service.get("/openapi.json").text)
    source = FOLDER / "node" / "search_by_types.mts"
    (node / source.name).write_text(source.read_text())
    programs = node / "node_modules" / ".bin"
    run(programs / "openapi-typescript", "openapi.json", "-o", "schema.d.ts", cwd=node)
    run(
        programs / "tsc",
        *("--strict", "--module", "nodenext", "--target", "es2022", source.name),
        cwd=node,
    )
    check_generated(
        json.loads(run("node", "search_by_types.mjs", service.url, QUERY, cwd=node)), service
    )
