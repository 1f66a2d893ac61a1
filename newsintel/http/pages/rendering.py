"""Renders the templates. All text is escaped; a value that is missing is an error."""

from collections.abc import Mapping
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from newsintel.domain.bounds.slices import Sliced
from newsintel.http.pages.assets import ASSETS
from newsintel.http.pages.timeline import HEIGHT, WIDTH
from newsintel.http.pages.wording import (
    describe_rule,
    describe_status,
    format_bytes,
    format_day,
    format_moment,
    format_seconds,
    mark_passages,
    mark_title,
    name_source,
)

HTML = "text/html; charset=utf-8"

PIECES = 200
"""Pieces of a template that are joined without a pause: about 1 ms."""

CONTENT_POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    b"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
    b"require-trusted-types-for 'script'; trusted-types 'none'"
)
"""The content security policy of pages (OWASP ASVS 5.0, 3.4.3): only files of this service, nothing
inline, and no script may make markup of text (Trusted Types)."""

ENVIRONMENT = Environment(
    loader=PackageLoader("newsintel.http", "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)
ENVIRONMENT.filters |= {
    "bytes": format_bytes,
    "day": format_day,
    "marked": mark_passages,
    "marked_title": mark_title,
    "moment": format_moment,
    "seconds": format_seconds,
    "source_name": name_source,
    "status_words": describe_status,
}
ENVIRONMENT.globals |= {
    "assets": {name: asset.path.removeprefix("/") for name, asset in ASSETS.items()},
    "describe_rule": describe_rule,
    "HEIGHT": HEIGHT,
    "WIDTH": WIDTH,
}


def render_page(template: str, values: Mapping[str, Any]) -> Sliced[bytes]:
    """Return a finished page, in slices.

    Args:
        template: the file's name.
        values: everything that the template names.
    """
    pieces = []
    for piece in ENVIRONMENT.get_template(template).generate(**values):
        pieces.append(piece)
        if len(pieces) % PIECES == 0:
            yield
    return "".join(pieces).encode()
