"""Webhooks' signatures, judged by the JavaScript library of the specification's authors."""

import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from newsintel.domain.alerts.messages import build_webhook
from newsintel.domain.alerts.signing import SigningKey, create_secret, rotate_keys, sign_webhook
from newsintel.http.bodies.search import summarize_article
from tests.domain.alerts.made import WORLD, delivery, story
from tests.npm import install

SOURCE = Path(__file__).parent / "npm"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with the library."""
    made = tmp_path_factory.mktemp("npm")
    install(SOURCE, made)
    return made


def verify(folder: Path, secret: str, headers: dict[str, str], body: bytes):
    """Return what the library reads, or None if it refuses."""
    given = {"secret": secret, "headers": headers, "body": body.decode()}
    done = subprocess.run(
        ["node", "verify.mjs"],
        cwd=folder,
        input=json.dumps(given),
        capture_output=True,
        text=True,
        check=False,
    )
    return json.loads(done.stdout) if done.returncode == 0 else None


@pytest.mark.slow
def test_the_javascript_library_verifies_our_webhooks(folder):
    """With either key after a rotation, with the world's titles; and refuses a changed body."""
    old, new = create_secret(), create_secret()
    now = datetime.now(UTC)
    stories = tuple(story(str(at), title) for at, title in enumerate(WORLD))
    body = build_webhook(delivery(stories=stories, total=len(stories)), summarize_article)
    headers = dict(sign_webhook(rotate_keys([SigningKey(old)], new, now), "d_1", now, body))
    for secret in (old, new):
        read = verify(folder, secret, headers, body)
        assert [one["title"] for one in read["data"]["articles"]] == list(WORLD)
    assert verify(folder, create_secret(), headers, body) is None
    assert verify(folder, new, headers, body + b" ") is None
