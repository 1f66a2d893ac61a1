"""Takes the pictures of docs/ from the demo: run it as `./dev pictures`."""

import tempfile
from pathlib import Path

from tests.service import running
from tests.webdriver import browser

DOCS = Path(__file__).parents[1] / "docs"
WIDTH, HEIGHT = 1100, 760
STORIES = "document.querySelectorAll('.story').length"
SLOW_MS = 50_000
"""How late the slow source is; the pictures are taken before."""


def take_pictures(folder: Path) -> None:
    """Take each picture; the service and the browser run in this folder."""
    data, profile = folder / "data", folder / "profile"
    data.mkdir()
    profile.mkdir()
    with running(data, "demo", RATE_LIMIT="off") as demo, browser(profile) as window:
        home = demo.url.replace("127.0.0.1", "localhost")
        frame = {"width": WIDTH, "height": HEIGHT, "deviceScaleFactor": 1, "mobile": False}
        window.control("Emulation.setDeviceMetricsOverride", **frame)
        window.emulate(prefers_color_scheme="light")
        demo.behave("reddit", latency_ms=SLOW_MS)
        window.go(f"{home}/?q=election")
        window.wait(f"{STORIES} && document.querySelectorAll('[data-status=ok]').length === 2")
        window.photograph(DOCS / "page-streaming.png")
        demo.behave("reddit", latency_ms=0)
        demo.search("climate")
        window.go(f"{home}/?q=climate")
        window.run("document.querySelector('.story details').open = true")
        window.photograph(DOCS / "page-light.png")
        window.click(".story .view")
        window.photograph(DOCS / "page-story.png")
        window.emulate(prefers_color_scheme="dark")
        window.go(f"{home}/?q=climate")
        window.photograph(DOCS / "page-dark.png")


def take_operators_picture(folder: Path) -> None:
    """Take the picture of /ops, with the usual deadlines."""
    data, profile = folder / "data-ops", folder / "profile-ops"
    data.mkdir()
    profile.mkdir()
    deadlines = {f"{name}_DEADLINE_S": "1.0" for name in ("NEWSAPI", "GUARDIAN", "REDDIT")}
    settings = deadlines | {"OPS_PAGE": "1", "OPERATORS": "dev:operator", "RATE_LIMIT": "off"}
    with running(data, "demo", **settings) as demo, browser(profile) as window:
        for words in ("climate", "election", "climate", "climate"):
            demo.search(words)
        window.go(f"{demo.url.replace('127.0.0.1', 'localhost')}/me/page?next=/ops")
        window.write("input[name=username]", "operator")
        window.click("button[value=sign_in]")
        window.photograph(DOCS / "page-ops.png")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        take_pictures(Path(folder))
        take_operators_picture(Path(folder))
