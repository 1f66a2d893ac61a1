"""Runs OpenID providers of other projects in processes, and plays a person's browser there."""

import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path
from tempfile import TemporaryFile
from urllib.parse import urljoin

import httpx
from attrs import define, field

from tests.npm import install
from tests.service import free_port
from tests.waiting import PATIENCE_S

CERTIFIED = Path(__file__).parent / "certified"
START_S = PATIENCE_S
MOST_PAGES = 20


@contextmanager
def mock_provider(*users):
    """Run PyPI's oidc-provider-mock; yields its issuer.

    `users` are the claims of the accounts that it knows. Any other address becomes the subject of
    its person.
    """
    issuer = f"http://localhost:{free_port()}"
    told = [f"--user-claims={json.dumps(user)}" for user in users]
    command = [
        sys.executable,
        "-m",
        "oidc_provider_mock",
        f"--port={issuer.rpartition(':')[2]}",
        "--require-nonce",
        *told,
    ]
    with _running(command, issuer):
        yield issuer


@contextmanager
def certified_provider(folder, redirect_uri, secret):
    """Run npm's oidc-provider, which the OpenID Foundation certified; yields its issuer.

    npm installs it in `folder`. Skips the test if node is missing.
    """
    install(CERTIFIED, folder)
    issuer = f"http://127.0.0.1:{free_port()}/"  # an issuer may end with a slash
    with _running(["node", "serve.mjs", issuer, redirect_uri, secret], issuer, folder):
        yield issuer


@contextmanager
def _running(command, issuer, folder=None):
    """Run a provider's process: yield when it answers, and end it afterwards."""
    with TemporaryFile("w+") as log:
        process = subprocess.Popen(
            command, cwd=folder, env=os.environ | {"NO_COLOR": "1"}, stdout=log, stderr=log
        )
        try:
            _wait_until_up(process, issuer, log)
            yield
        finally:
            process.terminate()
            process.wait(PATIENCE_S)


def _wait_until_up(process, issuer, log):
    give_up = time.monotonic() + START_S
    while True:
        try:
            httpx.get(
                f"{issuer.removesuffix('/')}/.well-known/openid-configuration", trust_env=False
            ).raise_for_status()
        except httpx.HTTPError:
            log.seek(0)
            assert process.poll() is None, log.read()
            assert time.monotonic() < give_up, "the provider does not answer"
            time.sleep(0.1)
        else:
            return


@define
class _Forms(HTMLParser):
    """The forms of a page, and its links."""

    found: list[dict] = field(factory=list)
    links: list[str] = field(factory=list)

    def __attrs_post_init__(self):
        super().__init__()

    def handle_starttag(self, tag, attrs):
        """Record what a browser would send."""
        given = dict(attrs)
        if tag == "form":
            self.found.append({"action": given.get("action", ""), "fields": {}})
        elif tag == "input" and self.found and given.get("name"):
            self.found[-1]["fields"][given["name"]] = given.get("value", "")
        elif tag == "a":
            self.links.append(given.get("href", ""))


def go_through(url, home, *, declines=False, **filled):
    """Act as a person at a provider: submit the first form of each page, or decline.

    Returns the URL under `home` that the provider redirects to.
    """
    with httpx.Client(trust_env=False, timeout=PATIENCE_S) as client:
        response = client.get(url)
        for _ in range(MOST_PAGES):
            if response.is_redirect:
                there = urljoin(str(response.url), response.headers["location"])
                if there.startswith(home):
                    return there
                response = client.get(there)
                continue
            assert response.status_code == 200, response.text
            page = _Forms()
            page.feed(response.text)
            form, here = page.found[0], str(response.url)
            if declines and page.links and "abort" in page.links[-1]:
                response = client.get(urljoin(here, page.links[-1]))
            else:
                sent = (
                    {"action": "deny"}
                    if declines
                    else form["fields"]
                    | {name: filled[name] for name in form["fields"] if name in filled}
                )
                response = client.post(urljoin(here, form["action"]), data=sent)
    raise AssertionError("no page of the provider leads back to us")
