"""The files that pages load: one style sheet, scripts and the icon.

An address contains a digest of the content, so browsers may keep a file for ever.
"""

import hashlib
import re
from collections.abc import Mapping
from importlib.resources import files

from attrs import frozen

from newsintel.http.paths import STATIC

MEDIA_TYPES = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
NAMES = (
    *("page.css", "ops.css", "icon.svg"),
    *("stream.js", "keys.js", "timeline.js", "ops.js", "alerts.js"),
)

_COMMENT = re.compile(r"^\s*(?://|/\*).*\n", re.MULTILINE)
_INDENT = re.compile(r"^[ \t]+", re.MULTILINE)
"""Our files have each comment on lines of its own, and no text that continues on the next line."""


@frozen
class Asset:
    """A file as it is sent. Its path is e.g. `/static/page.0123456789ab.css`."""

    path: str
    body: bytes
    media_type: str


def load_assets() -> Mapping[str, Asset]:
    """Return every file by its name."""
    folder = files("newsintel.http").joinpath("static")
    return {name: _build_asset(name, folder.joinpath(name).read_text("utf-8")) for name in NAMES}


def _build_asset(name: str, text: str) -> Asset:
    stem, _, suffix = name.rpartition(".")
    body = _INDENT.sub("", _COMMENT.sub("", text)).encode()
    digest = hashlib.sha256(body).hexdigest()[:12]
    return Asset(f"{STATIC}{stem}.{digest}.{suffix}", body, MEDIA_TYPES[suffix])


ASSETS = load_assets()
