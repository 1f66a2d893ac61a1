"""Judges of other projects read every page of the demo: axe-core and the Nu HTML checker."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import httpx
import pytest

from newsintel.http.pages.assets import ASSETS
from tests.npm import install
from tests.outbound.alerts.receivers import mailbox, receiving
from tests.service import running
from tests.waiting import PATIENCE_S, wait_for
from tests.webdriver import browser

JUDGES = Path(__file__).parent / "http" / "pages" / "judges"
PAGES = [
    "/",
    "/?q=climate",
    "/?q=climate&publisher=nobody",
    "/?q=climate&limit=0",
    "/search",
    "/search?q=climate",
    "/trends",
    "/trends?q=climate",
    "/docs",
    "/story/a_aaaaaaaaaaaaaaaaaaaa",
    "/me/page",
    "/saved",
    "/ops",
    "/alerts",
    "CONFIRM",
    "STORY",
]
OWN_PAGES = [
    *("/", "/?q=climate", "/search?q=climate", "/saved", "/me/page", "/ops", "STORY"),
    *("/alerts", "/alerts?q=election", "/alerts?q=-climate", "/alerts?search=ALERT"),
    "/alerts?edit=ALERT",
]
"""The pages that a person who is signed in sees differently."""
CASES = [*((path, False) for path in PAGES), *((path, True) for path in OWN_PAGES)]
SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}
RUN_AXE = """
    const done = arguments[arguments.length - 1];
    axe.run(document, {resultTypes: ["violations"]}).then(
        found => done(found.violations.map(one => [one.id, one.nodes.map(node => node.html)])),
        error => done([["failed", String(error)]]));
"""
UNFOLD = "document.querySelectorAll('details').forEach(one => { one.open = true; })"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def judges(tmp_path_factory):
    """The folder with the judges."""
    folder = tmp_path_factory.mktemp("judges")
    install(JUDGES, folder)
    return folder / "node_modules"


@pytest.fixture(scope="module")
def box():
    """A mail server."""
    with mailbox() as opened:
        yield opened


@pytest.fixture(scope="module")
def demo(tmp_path_factory, box):
    """A running demo without limits, that sends mail, in which somebody has searched."""
    settings = {
        "RATE_LIMIT": "off",
        "MISS_LIMIT": "off",
        "OPS_PAGE": "1",
        "OPERATORS": "dev:<b>ann",
        "SMTP_URL": f"smtp://127.0.0.1:{box.port}",
        "SMTP_FROM": "n@us.example",
    }
    with running(tmp_path_factory.mktemp("demo"), "demo", **settings) as up:
        up.search("climate")
        up.search("election")
        yield up


@pytest.fixture(scope="module")
def person(demo):
    """A client of somebody who has saved, noted, searched, and made a key and a feed."""
    with httpx.Client(
        base_url=demo.url.replace("127.0.0.1", "localhost"),
        trust_env=False,
        timeout=PATIENCE_S,
        headers=SAME_ORIGIN,
        follow_redirects=True,
    ) as client:
        client.post("/auth/dev/login", json={"username": "<b>ann"}).raise_for_status()
        for article in client.get("/articles?q=climate").json()["articles"][:3]:
            client.put(f"/me/saved/{article['id']}", json={"notes": "a <b>note"}).raise_for_status()
        client.post("/me/keys", json={"name": "my <b>reader", "scope": "read"}).raise_for_status()
        feed = {"name": "floods", "shows": "archive", "q": "flood"}
        client.post("/me/feeds", json=feed).raise_for_status()
        with receiving(500) as receiver:
            save_alert(client, demo, receiver.url)
        yield client


def save_alert(client, demo, hook):
    """Save a search whose webhook fails, and wait until it has matches and a log."""
    to = [{"kind": "webhook", "to": f"{hook}/hook"}, {"kind": "email", "to": "ann@example.org"}]
    search = {
        "name": "an <b>alert",
        "query": {"q": "vaccine", "sources": ["guardian"], "publisher": None},
        "deliver": to,
        "every": "at_once",
        "later_members": True,
    }
    made = client.post("/me/searches", json=search).raise_for_status().json()
    path = f"/me/searches/{made['id']}"
    demo.search("vaccine")
    wait_for(lambda: client.get(f"{path}/matches").json()["articles"], "matches")

    def list_attempts():
        log = client.get(f"{path}/deliveries").json()["deliveries"]
        return [attempt for one in log for attempt in one["attempts"] if not one["test"]]

    wait_for(list_attempts, "an attempt")


def find_link(box):
    """The path of the link by which an address is confirmed."""
    mail = wait_for(lambda: box.mails and box.mails[0][2], "a mail")
    return re.search(r"/confirm/\d+/[\w-]{43}", mail.get_content())[0]


@pytest.fixture(scope="module")
def find_address(demo, person, box):
    """Gives the address of a page: of the story with the most reports, of an alert, of a mail."""
    found = demo.search("climate").json()["articles"]
    story = max(found, key=lambda one: len(one["duplicates"]))["group_id"]
    (alert,) = person.get("/me/searches").json()["searches"]
    addresses = {
        "STORY": f"/story/{story}",
        "/alerts?search=ALERT": f"/alerts?search={alert['id']}",
        "/alerts?edit=ALERT": f"/alerts?edit={alert['id']}",
        "CONFIRM": find_link(box),
    }
    return lambda path: addresses.get(path, path)


@pytest.fixture(scope="module")
def show(tmp_path_factory, find_address, person):
    """Opens a page in a theme, unfolded, for everybody or for the person."""
    with browser(tmp_path_factory.mktemp("profile")) as window:
        home = str(person.base_url).rstrip("/")

        def shown(path, look, *, own):
            window.go(f"{home}/static/")
            window.ask("DELETE", "/cookie")
            if own:
                [(name, value)] = person.cookies.items()
                window.ask("POST", "/cookie", cookie={"name": name, "value": value})
            window.emulate(prefers_color_scheme=look)
            window.go(home + find_address(path))
            window.run(UNFOLD)
            return window

        yield shown


@pytest.mark.parametrize("look", ["light", "dark"])
@pytest.mark.parametrize(("path", "own"), CASES)
def test_axe_finds_nothing(judges, show, path, own, look):
    """By the default rules and best practices."""
    window = show(path, look, own=own)
    window.run((judges / "axe-core" / "axe.min.js").read_text())
    assert window.ask("POST", "/execute/async", script=RUN_AXE, args=[]) == []


@pytest.mark.skipif(shutil.which("java") is None, reason="needs a Java runtime")
def test_the_nu_checker_finds_nothing(judges, demo, person, find_address, tmp_path):
    """Every page and the style sheet, without errors and without warnings."""
    with httpx.Client(base_url=demo.url, trust_env=False, follow_redirects=True) as everybody:
        for number, (path, own) in enumerate(CASES):
            page = (person if own else everybody).get(find_address(path)).content
            (tmp_path / f"{number}.html").write_bytes(page)
        waiting = everybody.get("/?q=never+asked+before").content
        assert b"data-stream" in waiting
        (tmp_path / "waiting.html").write_bytes(waiting)
        (tmp_path / "own-waiting.html").write_bytes(person.get("/?q=never+asked").content)
    for name in ("page.css", "ops.css"):
        (tmp_path / name).write_bytes(ASSETS[name].body)
    [jar] = (judges / "vnu-jar").rglob("vnu.jar")
    done = subprocess.run(
        ["java", "-jar", jar, "--also-check-css", "--format", "json", *sorted(tmp_path.iterdir())],
        capture_output=True,
        text=True,
        check=False,
    )
    messages = json.loads(done.stderr or done.stdout)["messages"]
    assert [(Path(one["url"]).name, one["message"], one.get("extract")) for one in messages] == []
