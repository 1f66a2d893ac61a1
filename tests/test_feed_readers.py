"""Unmodified feed readers sync with the demo: Debian's newsboat, and libgreader of PyPI."""

import json
import os
import pty
import select
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest

from tests.service import running
from tests.waiting import PATIENCE_S, wait_for

pytestmark = pytest.mark.slow

API = "/compat/greader"
LIBGREADER = ("libgreader==0.7.1", "requests", "setuptools<80", "wheel")
SHOWN = 500
"""Articles that newsboat asks for: more than arrive during a test."""
DRIVER = Path(__file__).parent / "http" / "readers" / "sync_libgreader.py"


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """One demo for all tests of this module, which ask again and again for a result."""
    with running(tmp_path_factory.mktemp("demo"), "demo", RATE_LIMIT="off") as service:
        yield service


class Person:
    """A person of the demo with a key, and one feed that has articles."""

    def __init__(self, demo, name):
        self._browser = httpx.Client(
            base_url=demo.url,
            trust_env=False,
            timeout=PATIENCE_S,
            headers={"Sec-Fetch-Site": "same-origin"},
        )
        self._browser.post("/auth/dev/login", json={"username": name}).raise_for_status()
        made = self._browser.post("/me/keys", json={"name": "reader", "scope": "write"})
        self.key = made.raise_for_status().json()["key"]
        feed = {"name": "Climate 🌍", "shows": "archive", "q": "climate"}
        self._browser.post("/me/feeds", json=feed).raise_for_status()
        self._browser.get("/articles", params={"q": "climate"}).raise_for_status()
        wait_for(lambda: self.unread()[0] > 2, "articles in the archive")

    def close(self):
        """Close the browser."""
        self._browser.close()

    def unread(self):
        """The unread items of the feed, and of everything."""
        counted = self._browser.get(f"{API}/reader/api/0/unread-count")
        body = counted.raise_for_status().json()
        return [one["count"] for one in body["unreadcounts"]]

    def count_read(self):
        """How many items are read. Unread ones keep arriving in the demo."""
        path = f"{API}/reader/api/0/stream/items/ids"
        asked = {"it": "user/-/state/com.google/read", "n": str(SHOWN)}
        found = self._browser.get(path, params=asked).raise_for_status().json()
        return len(found["itemRefs"])

    def saved(self):
        """The titles of the saved articles."""
        return [one["title"] for one in self._browser.get("/me/saved").json()["articles"]]


def test_libgreader_reads_marks_and_stars(demo, tmp_path, request):
    """It signs in, lists, marks one item as read, stars another, marks all as read."""
    python = tmp_path / "venv" / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    options = ("--disable-pip-version-check", "--quiet", "--no-build-isolation")
    for packages in (LIBGREADER[1:], LIBGREADER[:1]):
        installed = subprocess.run(
            [python, "-m", "pip", "install", *options, *packages],
            capture_output=True,
            text=True,
            check=False,
        )
        if installed.returncode:
            pytest.skip(f"pip cannot get the packages: {installed.stderr[-300:]}")
    alice = Person(demo, "libgreader")
    request.addfinalizer(alice.close)
    done = subprocess.run(
        [python, DRIVER, demo.url + API, alice.key], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["title"] == "Climate 🌍"
    assert seen["answers"][-1] == "OK"
    before, after_one, after_all = seen["unread"]
    assert (after_one, after_all) == (before - 1, 0)
    assert seen["starred"] == [seen["second"]] == alice.saved()


class Terminal:
    """A program in a terminal, whose screen text is collected."""

    def __init__(self, descriptor):
        self._descriptor = descriptor
        self._shown = ""

    def wait_for(self, text):
        """Wait until the program has written a text since the last call."""
        self.wait_until(lambda: text in self._shown, text)
        self._shown = self._shown.rpartition(text)[2]

    def wait_until(self, find, what):
        """Wait until `find` returns something true. A program whose output nobody reads stops."""
        until = time.monotonic() + PATIENCE_S
        while not find():
            assert time.monotonic() < until, f"{what} did not come: {self._shown[-2_000:]}"
            if select.select([self._descriptor], [], [], 0.1)[0]:
                self._shown += os.read(self._descriptor, 65_536).decode(errors="replace")

    def press(self, keys):
        """Send keys."""
        os.write(self._descriptor, keys.encode())


@contextmanager
def newsboat(folder, *args):
    """Run newsboat in a terminal of 100 columns; end it afterwards."""
    process, descriptor = pty.fork()
    if process == 0:
        os.environ |= {"TERM": "xterm", "LINES": "40", "COLUMNS": "100", "LANG": "C.UTF-8"}
        os.execvp("newsboat", ["newsboat", *list_files(folder), *args])  # noqa: S606
    try:
        yield Terminal(descriptor)
    finally:
        os.kill(process, 15)
        os.close(descriptor)
        os.waitpid(process, 0)


def list_files(folder, cache="cache"):
    """The arguments that name newsboat's files."""
    return ["-C", str(folder / "config"), "-u", str(folder / "urls"), "-c", str(folder / cache)]


@pytest.fixture
def boat(demo, tmp_path):
    """A person, and a folder with the configuration of newsboat for this person."""
    if shutil.which("newsboat") is None:
        pytest.skip("needs newsboat")
    person = Person(demo, "newsboat")
    (tmp_path / "urls").touch()
    (tmp_path / "config").write_text(
        f'urls-source "feedhq"\n'
        f'feedhq-url "{demo.url}{API}"\n'
        f'feedhq-login "newsboat"\n'
        f'feedhq-password "{person.key}"\n'
        f'feedhq-flag-star "s"\n'
        f"feedhq-min-items {SHOWN}\n"
        f"feedhq-show-special-feeds no\n"
        f"show-read-feeds yes\n"
    )
    yield person, tmp_path
    person.close()


def sync(folder, cache="cache"):
    """Let newsboat load the feed; returns how many articles are unread and read in its cache."""
    subprocess.run(
        ["newsboat", *list_files(folder, cache), "-x", "reload"], timeout=PATIENCE_S, check=True
    )
    query = "SELECT sum(unread), sum(1 - unread) FROM rss_item"
    with closing(sqlite3.connect(folder / cache)) as opened:
        return opened.execute(query).fetchone()


def test_newsboat_reads_marks_and_stars(boat):
    """Its requests are those of Google Reader; items are Atom.

    It syncs, opens an article (which is read as soon as the next key is pressed), flags it (which
    stars it), and marks the feed as read. What it marks is read in another newsboat, too.
    """
    person, folder = boat
    before = person.unread()[0]
    unread, read = sync(folder)
    assert unread >= min(before, SHOWN)
    assert read == 0
    with newsboat(folder) as terminal:
        terminal.wait_for("Climate")
        terminal.press("\n")
        terminal.wait_for("Articles in feed")
        terminal.press("\n")
        terminal.wait_for("Link: ")
        terminal.press("q")
        terminal.wait_until(lambda: person.count_read() == 1, "one article is read")
        terminal.press("\x05")  # edit flags
        terminal.wait_for("Flags")
        terminal.press("s\n")
        terminal.wait_until(lambda: len(person.saved()) == 1, "one article is starred")
        assert sync(folder, "another cache")[1] == 1
        terminal.press("A")
        terminal.wait_until(lambda: person.count_read() >= min(before, SHOWN), "the feed is read")
