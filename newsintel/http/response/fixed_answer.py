"""Answers that are the same for everybody while the process lives: health, files, the description.

The hit path sends them without the framework. For signed-in callers they are the route's view.
"""

from typing import ClassVar

from attrs import evolve, field, frozen
from quart import Response, request

from newsintel.http.asgi import HeaderLines
from newsintel.http.response.conditional import decode_lines
from newsintel.http.response.packing import choose_form, describe_packed, pack, vary_by_encoding
from newsintel.http.services import Services


@frozen
class FixedAnswer:
    """A finished answer with the status 200, and the view that gives it.

    Attributes:
        body: the finished body.
        lines: its header lines.
        packed: the same answer compressed by gzip, for clients that accept it; None = there is
            none.
        policy: the content security policy of a page; None = that of all other answers.
        tag: it has no entity tag.
    """

    body: bytes
    lines: tuple[tuple[bytes, bytes], ...]
    packed: "FixedAnswer | None" = field(default=None, kw_only=True)
    policy: bytes | None = field(default=None, kw_only=True)
    tag: ClassVar[None] = None

    @classmethod
    def of_text(
        cls, body: bytes, kind: str, *, cache_control: str, policy: bytes | None = None
    ) -> "FixedAnswer":
        """Return the answer with a body of this content type."""
        lines = (
            (b"content-type", kind.encode()),
            (b"content-length", b"%d" % len(body)),
            (b"cache-control", cache_control.encode()),
        )
        return cls(body, lines, policy=policy)

    def pack(self) -> "FixedAnswer":
        """Return the same answer with its compressed form."""
        packed, lines = pack(self.body), vary_by_encoding(self.lines)
        smaller = evolve(self, body=packed, lines=tuple(describe_packed(lines, packed)))
        return evolve(self, lines=tuple(lines), packed=smaller)

    def is_fresh(self, _now_s: float) -> bool:
        """It always is: it never changes."""
        return True

    def build_headers(self) -> HeaderLines:
        """Return the header lines."""
        return [*self.lines]

    async def __call__(self, _services: Services) -> Response:
        """Answer the current request."""
        chosen = choose_form(self, request.scope["headers"])
        if chosen.policy is not None:
            request.scope["state"]["policy"] = chosen.policy
        return Response(chosen.body, headers=decode_lines(chosen.build_headers()))
