"""A real browser: Chromium without a window, spoken to by chromedriver's own protocol (W3C WebDriver), so that no client is needed."""

import base64
import os
import shutil
import subprocess
import time
from contextlib import contextmanager

import httpx
import pytest
from attrs import frozen

from tests.service import free_port
from tests.waiting import PATIENCE_S

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
"""The key under which WebDriver names an element (W3C WebDriver, 11)."""
START_S = LEAD_S = PATIENCE_S
ARRIVED = "return !window.left && document.readyState === 'complete'"


@frozen
class Browser:
    """One window."""

    session: str
    client: httpx.Client

    def ask(self, method, path, **body):
        """One command; its value."""
        response = self.client.request(method, self.session + path, json=body if method == "POST" else None)
        value = response.json()["value"]
        assert response.status_code == 200, value
        return value

    def go(self, url):
        """Open an address and wait until it is there."""
        self.ask("POST", "/url", url=url)

    @property
    def url(self):
        """Where it is now; Reddit has browsers come back with a fragment, which they keep."""
        return self.ask("GET", "/url").partition("#")[0]

    @property
    def text(self):
        """What a person reads."""
        return self.ask("POST", "/execute/sync", script="return document.body.innerText", args=[])

    @property
    def source(self):
        """The page's markup as it is now."""
        return self.ask("GET", "/source")

    def find(self, css):
        """The path of an element."""
        return f"/element/{self.ask('POST', '/element', using='css selector', value=css)[ELEMENT]}"

    def write(self, css, text):
        """Type into a field, in place of what is there."""
        field = self.find(css)
        self.ask("POST", f"{field}/clear")
        self.ask("POST", f"{field}/value", text=text)

    def click(self, css):
        """Click something that leads to another page, and wait until that is there.

        The driver waits only for what has begun when it looks, and on a busy machine nothing has: so the page that is left is marked.
        """
        self.ask("POST", "/execute/sync", script="window.left = true", args=[])
        self.ask("POST", f"{self.find(css)}/click")
        give_up = time.monotonic() + LEAD_S
        while not self.ask("POST", "/execute/sync", script=ARRIVED, args=[]):
            assert time.monotonic() < give_up, f"a click on {css} leads nowhere"
            time.sleep(0.02)

    def press(self, css, shows):
        """Click something that changes the page it is on, and wait until a script's expression is true of it."""
        self.ask("POST", f"{self.find(css)}/click")
        give_up = time.monotonic() + LEAD_S
        while not self.ask("POST", "/execute/sync", script=f"return Boolean({shows})", args=[]):
            assert time.monotonic() < give_up, f"a click on {css} does not show {shows}"
            time.sleep(0.02)

    def choose(self, css, option):
        """Choose an option of a list."""
        self.ask("POST", f"{self.find(css)}/value", text=option)

    def fetch(self, method, path, body=None):
        """What a script of the page that is open gets: status and JSON (None if there is none).

        No page of ours lets any script fetch anything, so its policy is lifted for this, as the web page's own will allow it.
        """
        self.ask("POST", "/goog/cdp/execute", cmd="Page.setBypassCSP", params={"enabled": True})
        self.go(self.url)
        script = """
            const [method, path, body, done] = arguments;
            const headers = body ? {"Content-Type": "application/json"} : {};
            fetch(path, {method, headers, body: body && JSON.stringify(body)})
                .then(async answer => done([answer.status, await answer.json().catch(() => null)]))
                .catch(error => done([0, `${error}`]));
        """
        return self.ask("POST", "/execute/async", script=script, args=[method, path, body])

    def cookies(self):
        """Every cookie of the page that is open, also those that no script sees."""
        return {cookie["name"]: cookie for cookie in self.ask("GET", "/cookie")}

    def photograph(self, path):
        """Keep what is seen as a PNG file."""
        path.write_bytes(base64.b64decode(self.ask("GET", "/screenshot")))


def _installed():
    """Whether Chromium and its driver are here; root installs them where there is Debian's package manager."""
    wanted = ("chromium", "chromedriver")
    if not all(map(shutil.which, wanted)) and os.geteuid() == 0 and shutil.which("apt-get"):
        for step in (["update"], ["install", "-y", "--no-install-recommends", "chromium", "chromium-driver"]):
            subprocess.run(["apt-get", "-qq", *step], check=False, capture_output=True, timeout=300)
    return all(map(shutil.which, wanted))


@contextmanager
def browser(profile):
    """A browser with a profile of its own; skips the test where there is none and none can be installed."""
    if not _installed():
        pytest.skip("needs chromium and chromedriver (Debian: apt-get install chromium chromium-driver)")
    port = free_port()
    driver = subprocess.Popen(["chromedriver", f"--port={port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=PATIENCE_S) as client:
            # As root Chromium refuses its sandbox; it opens nothing here but pages of our own.
            args = ["--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1000,700", f"--user-data-dir={profile}"]
            wanted = {"capabilities": {"alwaysMatch": {"goog:chromeOptions": {"args": args, "binary": shutil.which("chromium")}}}}
            made = _when_up(client, wanted)
            opened = Browser(f"/session/{made['sessionId']}", client)
            try:
                yield opened
            finally:
                client.delete(opened.session)
    finally:
        driver.terminate()
        driver.wait(PATIENCE_S)


def _when_up(client, wanted):
    """The new session, as soon as the driver listens."""
    give_up = time.monotonic() + START_S
    while True:
        try:
            response = client.post("/session", json=wanted)
        except httpx.TransportError:
            assert time.monotonic() < give_up, "chromedriver does not listen"
            time.sleep(0.1)
            continue
        assert response.status_code == 200, response.text
        return response.json()["value"]
