"""A real browser: headless Chromium, controlled by the W3C WebDriver protocol of chromedriver.

So no client library is needed.
"""

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
    """One browser window."""

    session: str
    client: httpx.Client

    def ask(self, method, path, **body):
        """Send one command; return its value."""
        response = self.client.request(
            method, self.session + path, json=body if method == "POST" else None
        )
        value = response.json()["value"]
        assert response.status_code == 200, value
        return value

    def go(self, url):
        """Open an address and wait until it has loaded."""
        self.ask("POST", "/url", url=url)

    @property
    def url(self):
        """The current address without its fragment.

        Reddit's redirect adds one, and browsers keep it.
        """
        return self.ask("GET", "/url").partition("#")[0]

    @property
    def text(self):
        """The text that a person reads."""
        return self.ask("POST", "/execute/sync", script="return document.body.innerText", args=[])

    @property
    def source(self):
        """The current markup of the page."""
        return self.ask("GET", "/source")

    def find(self, css):
        """The WebDriver path of an element."""
        return f"/element/{self.ask('POST', '/element', using='css selector', value=css)[ELEMENT]}"

    def write(self, css, text):
        """Type into a field and replace its content."""
        field = self.find(css)
        self.ask("POST", f"{field}/clear")
        self.ask("POST", f"{field}/value", text=text)

    def click(self, css):
        """Click something that opens another page, and wait until it has loaded.

        The driver waits only for a navigation that has started when it looks. On a busy machine
        none has started yet, so this marks the old page and waits until the mark is gone.
        """
        self.ask("POST", "/execute/sync", script="window.left = true", args=[])
        self.ask("POST", f"{self.find(css)}/click")
        give_up = time.monotonic() + LEAD_S
        while not self.ask("POST", "/execute/sync", script=ARRIVED, args=[]):
            assert time.monotonic() < give_up, f"a click on {css} leads nowhere"
            time.sleep(0.02)

    def press(self, css, shows):
        """Click something that changes the current page; wait until `shows` is true.

        `shows` is an expression of JavaScript.
        """
        self.ask("POST", f"{self.find(css)}/click")
        give_up = time.monotonic() + LEAD_S
        while not self.ask("POST", "/execute/sync", script=f"return Boolean({shows})", args=[]):
            assert time.monotonic() < give_up, f"a click on {css} does not show {shows}"
            time.sleep(0.02)

    def run(self, script, *args):
        """The value that a function body of JavaScript returns."""
        return self.ask("POST", "/execute/sync", script=script, args=list(args))

    def every(self, css, expression):
        """The value of a JavaScript expression about each element, `one`."""
        return self.run(
            f"return [...document.querySelectorAll(arguments[0])].map(one => {expression})", css
        )

    def wait(self, shows):
        """Wait until an expression of JavaScript is true; return its value."""
        give_up = time.monotonic() + LEAD_S
        while not (value := self.run(f"return {shows}")):
            assert time.monotonic() < give_up, f"the page never shows {shows}"
            time.sleep(0.02)
        return value

    def type_keys(self, text):
        """Press and release each key, wherever the focus is."""
        presses = [{"type": kind, "value": key} for key in text for kind in ("keyDown", "keyUp")]
        self._act({"type": "key", "id": "keys", "actions": presses})

    def drag(self, css, start, end):
        """Press in an element, move and release.

        `start` and `end` are shares of its width; it is pressed at half of its height.
        """
        box = self.run(
            "const at = document.querySelector(arguments[0]).getBoundingClientRect();"
            "return [at.x, at.y, at.width, at.height]",
            css,
        )
        y = round(box[1] + box[3] / 2)
        moves = [
            {"type": "pointerMove", "duration": 0, "x": round(box[0] + box[2] * share), "y": y}
            for share in (start, (start + end) / 2, end)
        ]
        press, release = ({"type": kind, "button": 0} for kind in ("pointerDown", "pointerUp"))
        actions = [moves[0], press, *moves[1:], release]
        self._act({"type": "pointer", "id": "mouse", "actions": actions})

    def _act(self, source):
        self.ask("POST", "/actions", actions=[source])

    def control(self, command, **params):
        """Send a command of the Chrome DevTools Protocol; return its result."""
        return self.ask("POST", "/goog/cdp/execute", cmd=command, params=params)

    def control_scripts(self, on):
        """Switch the scripts of pages on or off; those of the tests run anyway."""
        self.control("Emulation.setScriptExecutionDisabled", value=not on)

    def emulate(self, **features):
        """Set media features, e.g. `prefers_color_scheme="dark"`."""
        wanted = [
            {"name": name.replace("_", "-"), "value": value} for name, value in features.items()
        ]
        self.control("Emulation.setEmulatedMedia", features=wanted)

    def read_log(self):
        """What the console has since the last call, reports about the policy included."""
        return [entry["message"] for entry in self.ask("POST", "/se/log", type="browser")]

    def choose(self, css, option):
        """Choose an option of a list."""
        self.ask("POST", f"{self.find(css)}/value", text=option)

    def fetch(self, method, path, body=None):
        """What a script of the current page gets: status and JSON (None if there is none).

        No page of ours lets a script fetch anything, so this lifts the page's policy.
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
        """Every cookie of the current page, also those that scripts cannot read."""
        return {cookie["name"]: cookie for cookie in self.ask("GET", "/cookie")}

    def photograph(self, path):
        """Save a screenshot as a PNG file."""
        path.write_bytes(base64.b64decode(self.ask("GET", "/screenshot")))


def _installed():
    """True if Chromium and its driver are installed. Root installs them if apt-get exists."""
    wanted = ("chromium", "chromedriver")
    if not all(map(shutil.which, wanted)) and os.geteuid() == 0 and shutil.which("apt-get"):
        for step in (
            ["update"],
            ["install", "-y", "--no-install-recommends", "chromium", "chromium-driver"],
        ):
            subprocess.run(["apt-get", "-qq", *step], check=False, capture_output=True, timeout=300)
    return all(map(shutil.which, wanted))


@contextmanager
def browser(profile):
    """A browser with its own profile.

    Skip the test if none is installed and none can be.
    """
    if not _installed():
        pytest.skip(
            "needs chromium and chromedriver (Debian: apt-get install chromium chromium-driver)"
        )
    port = free_port()
    driver = subprocess.Popen(
        ["chromedriver", f"--port={port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        with httpx.Client(
            base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=PATIENCE_S
        ) as client:
            # Chromium's sandbox does not work for root. The browser opens only our own pages.
            args = [
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--window-size=1000,700",
                f"--user-data-dir={profile}",
            ]
            wanted = {
                "capabilities": {
                    "alwaysMatch": {
                        "goog:chromeOptions": {"args": args, "binary": shutil.which("chromium")},
                        "goog:loggingPrefs": {"browser": "ALL"},
                    }
                }
            }
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
    """Return the new session as soon as the driver listens."""
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
