"""Whether a new version serves in good health, by what /health and /health/ready answer."""

import json
import urllib.error
import urllib.request
from collections.abc import Sequence
from typing import Any

from ops.deploy.decisions import Json

REQUEST_S = 10

WELL = ("ready", "disabled")
"""States of a source that nobody needs to look at (docs/sources.md)."""


def judge_health(commit: str, commits: Sequence[object], ready: Json, before: Json) -> str:
    """Return what is wrong with a new version; empty if it serves as well as the version before.

    A source can be away for reasons of its own: a spent quota, an outage, a refusal. The new
    version is to blame only for a store, or for a source that was ready before it.

    Args:
        commit: of the new version.
        commits: that several answers of /health named.
        ready: the answer of /health/ready now.
        before: that of the version before; {} if there was none.
    """
    if set(commits) != {commit}:
        return f"/health names {sorted(set(map(str, commits)))}"
    status = ready.get("status")
    if status == "ready":
        return ""
    if status != "degraded":
        return f"/health/ready says {status!r}"
    failing = [name for name, state in ready["checks"].items() if state != "ok"]
    worse = [
        name for name in list_absent_sources(ready) if before.get("sources", {}).get(name) in WELL
    ]
    if failing or worse or not ready["checks"]:
        return f"/health/ready says 'degraded', worse than before: {failing + worse or 'stores'}"
    return ""


def list_absent_sources(ready: Json) -> list[str]:
    """Return the sources that would not be asked now."""
    return [name for name, state in ready.get("sources", {}).items() if state not in WELL]


def fetch_health(url: str) -> dict[str, Any]:
    """Return a health route's JSON, also of a 503; {} without a JSON answer."""
    try:
        with urllib.request.urlopen(url, timeout=REQUEST_S) as response:  # noqa: S310 - the operator's own URL
            body = json.load(response)
    except urllib.error.HTTPError as error:
        body = _parse_json(error.read())
    except (OSError, ValueError):
        return {}
    return body if isinstance(body, dict) else {}


def _parse_json(text: bytes) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return {}
