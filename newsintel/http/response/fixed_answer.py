"""Answers that are the same for everybody while the process lives: health, files, the description.

The hit path sends them without the framework. For signed-in callers they are the route's view.
"""

from typing import ClassVar

from attrs import frozen
from quart import Response

from newsintel.http.asgi import HeaderLines
from newsintel.http.response.conditional import decode_lines
from newsintel.http.services import Services


@frozen
class FixedAnswer:
    """A finished answer with the status 200, and the view that gives it.

    Attributes:
        body: the finished body.
        lines: its header lines.
        tag: it has no entity tag.
    """

    body: bytes
    lines: tuple[tuple[bytes, bytes], ...]
    tag: ClassVar[None] = None

    @classmethod
    def of_text(cls, body: bytes, kind: str, *, cache_control: str) -> "FixedAnswer":
        """Return the answer with a body of this content type."""
        lines = (
            (b"content-type", kind.encode()),
            (b"content-length", b"%d" % len(body)),
            (b"cache-control", cache_control.encode()),
        )
        return cls(body, lines)

    def is_fresh(self, _now_s: float) -> bool:
        """It always is: it never changes."""
        return True

    def build_headers(self) -> HeaderLines:
        """Return the header lines."""
        return [*self.lines]

    async def __call__(self, _services: Services) -> Response:
        """Answer the current request."""
        return Response(self.body, headers=decode_lines(self.build_headers()))
