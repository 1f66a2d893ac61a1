"""The running service against its own description, checked by Schemathesis.

It sends thousands of requests, valid and invalid, to every address.
"""

import os
import subprocess
import sys

import httpx
import pytest

from tests.service import ROOT, running

pytestmark = pytest.mark.slow

CONFORMS = (
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "unsupported_method",
)
SIGNS_OUT = "^/auth/(logout|dev)|^/me$|^/me/sessions$|^/me/page$"
"""Requests that would end the session of all other requests."""

DEPENDS_ON_OTHERS = (
    "^/$|^/articles$|^/auth/reddit"
    "|^/compat/searxng/|^/compat/newsapi/v2/(everything|top-headlines)$"
)
"""A search is a 502 to 504 if every source fails, and some of the demo's sources fail for some
words. A return from a provider is a 503 if the provider reports a failure, as any caller may say.
"""

CONFIG = """
[checks.negative_data_rejection]
expected-statuses = [400, 401, 403, 404, 405, 406, 409, 413, 415, 422, 428, 429, 431, "5xx"]
"""
"""Its own list and 413 and 431: some invalid values are too long for any request."""


@pytest.mark.parametrize(
    ("checks", "which"),
    [
        (
            ("not_a_server_error", *CONFORMS),
            ("--exclude-path-regex", f"{SIGNS_OUT}|{DEPENDS_ON_OTHERS}"),
        ),
        (("never_a_bug", *CONFORMS), ("--include-path-regex", DEPENDS_ON_OTHERS)),
        (("not_a_server_error", *CONFORMS), ("--include-path-regex", SIGNS_OUT)),
    ],
    ids=["ours", "depends_on_others", "signs_out"],
)
def test_the_service_keeps_to_its_description(tmp_path, checks, which):
    """No 5xx that the description does not foresee, and never a 500.

    Every answer is described, each 503 with its Retry-After; undescribed input is refused. The
    caller is signed in.
    """
    with (
        running(tmp_path, "demo", RATE_LIMIT="off", MISS_LIMIT="off") as service,
        httpx.Client(trust_env=False) as browser,
    ):
        ours = {"Sec-Fetch-Site": "same-origin"}
        signed_in = browser.post(
            f"{service.url}/auth/dev/login", json={"username": "somebody"}, headers=ours
        )
        headers = ours | {"Cookie": signed_in.headers["Set-Cookie"].partition(";")[0]}
        (tmp_path / "schemathesis.toml").write_text(CONFIG)
        hooks = {"SCHEMATHESIS_HOOKS": "tests.schemathesis_checks", "PYTHONPATH": ROOT}
        command = [
            *(
                sys.executable,
                "-m",
                "schemathesis.cli",
                "run",
                f"{service.url}/openapi.json",
                *which,
                "--checks",
                ",".join(checks),
            ),
            *("--phases", "coverage,fuzzing", "--max-examples", "20", "--generation-deterministic"),
            *("--generation-with-security-parameters", "false", "--no-color"),
            *(word for header in headers.items() for word in ("--header", ": ".join(header))),
        ]
        done = subprocess.run(
            command,
            cwd=tmp_path,
            env=os.environ | hooks,
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        kept = browser.get(f"{service.url}/me", headers=headers).status_code == 200
        assert kept is (SIGNS_OUT not in which)
