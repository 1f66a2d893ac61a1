"""A source that another package brings: found by its entry point, it works like ours."""

import json
import subprocess
import sys
import threading
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from attrs import evolve

from newsintel.errors import NewsIntelError
from newsintel.outbound.sources import guardian, third_party
from newsintel.outbound.sources.third_party import GROUP, load_third_party
from tests.service import ROOT, environ, newsintel
from tests.waiting import PATIENCE_S

PACKAGES = Path(ROOT) / "tests" / "data" / "third_party"
REPORTS = {
    "reports": [
        {"headline": "Storm reaches the coast", "link": "https://skywatch.example/1"},
        {"headline": "", "link": "https://skywatch.example/2"},
        {"headline": "Flood", "link": "ftp://x"},
    ]
}


class Service(BaseHTTPRequestHandler):
    """The invented service. `asked` has each request line and key."""

    def __init__(self, asked, *args) -> None:
        self.asked = asked
        super().__init__(*args)

    def do_GET(self) -> None:
        """Answer with the reports."""
        self.asked.append((self.path, self.headers["X-Api-Key"]))
        body = json.dumps(REPORTS).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_) -> None:
        """Print nothing."""


def test_an_installed_package_is_a_source(tmp_path):
    """The package is only on the path. Its settings are known, and a search asks it."""
    asked: list[tuple[str, str]] = []
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Service, asked)) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        known = {
            "SOURCES": "skywatch",
            "SKYWATCH_URL": f"http://127.0.0.1:{server.server_port}",
            "SKYWATCH_KEY": "secret-key",
            "SKYWATCH_DEADLINE_S": "60",
            "SEARCH_DEADLINE_S": "60",
        }
        more_path = f"{ROOT}:{PACKAGES}"
        shown = newsintel(tmp_path, "config", python_path=more_path, **known).stdout
        assert "NEWSINTEL_SKYWATCH_PACE_S" in shown
        assert "secret-key" not in shown
        done = newsintel(tmp_path, "search", "storm", "--json", python_path=more_path, **known)
        server.shutdown()
    assert done.returncode == 0, done.stderr
    body = json.loads(done.stdout)
    assert body["sources"]["skywatch"]["status"] == "ok"
    assert [one["title"] for one in body["articles"]] == ["Storm reaches the coast"]
    assert asked == [("/v1/reports?q=storm&limit=100", "secret-key")]


def test_the_page_shows_the_package_that_is_tested():
    """Line by line, and in at most sixty lines."""
    code = (PACKAGES / "skywatch_source.py").read_text()
    page = (Path(ROOT) / "docs" / "add-a-source.md").read_text()
    assert f"```python\n{code}```\n" in page
    assert len(code.splitlines()) <= 60
    points = next(PACKAGES.glob("*.dist-info")) / "entry_points.txt"
    (group, line) = points.read_text().splitlines()
    name, _, value = line.partition(" = ")
    assert f'[project.entry-points."{group.strip("[]")}"]\n{name} = "{value}"' in page


def point(value: str) -> EntryPoint:
    """An entry point of the group."""
    return EntryPoint("any", value, GROUP)


def load(monkeypatch, *values: str, own=()):
    """Load the sources of these entry points."""
    monkeypatch.setattr(third_party, "entry_points", lambda **_: [*map(point, values)])
    return load_third_party(own)


ODD = evolve(guardian.SOURCE, options=evolve(guardian.SOURCE.options, name="Odd-Name"))
GUARDIAN = "newsintel.outbound.sources.guardian:SOURCE"


def test_sources_come_by_name(monkeypatch):
    """Without any package there is none."""
    assert load(monkeypatch) == ()
    assert load(monkeypatch, GUARDIAN) == (guardian.SOURCE,)


@pytest.mark.parametrize(
    ("values", "own", "reason"),
    [
        ([GUARDIAN], ["guardian"], "there is a source guardian already"),
        ([GUARDIAN, GUARDIAN], [], "there is a source guardian already"),
        (["nowhere:SOURCE"], [], "ModuleNotFoundError: No module named 'nowhere'"),
        (["json:loads"], [], "it is a function, not a Source"),
    ],
)
def test_what_cannot_be_used_is_named(monkeypatch, values, own, reason):
    """In one line."""
    with pytest.raises(NewsIntelError) as raised:
        load(monkeypatch, *values, own=own)
    assert str(raised.value).endswith(reason)
    assert values[-1] in str(raised.value)


def test_a_name_must_fit_the_archive(monkeypatch):
    """It is stored with each article."""
    odd = "tests.outbound.sources.test_third_party:ODD"
    with pytest.raises(NewsIntelError, match="'Odd-Name' is no name for a source"):
        load(monkeypatch, odd)


def test_a_broken_package_stops_a_command_with_one_line(tmp_path):
    """Not with a traceback."""
    info = tmp_path / "broken-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[{GROUP}]\nbroken = nowhere:SOURCE\n")
    for command in ("config", "search"):
        done = subprocess.run(
            [sys.executable, "-m", "newsintel", command],
            env=environ(tmp_path) | {"PYTHONPATH": f"{ROOT}:{tmp_path}"},
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_S,
        )
        assert done.returncode == 1
        assert done.stderr == (
            "newsintel: the source nowhere:SOURCE (newsintel.sources) cannot be used: "
            "ModuleNotFoundError: No module named 'nowhere'\n"
        )
