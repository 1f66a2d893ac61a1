"""Refusals of middleware: a page on the address of a page, problem+json on every other."""

import re
from collections.abc import Iterable
from re import Pattern

from attrs import frozen

from newsintel.domain.bounds.slices import run_all
from newsintel.http.asgi import HeaderLines, Scope, Send
from newsintel.http.pages.links import PageLinks
from newsintel.http.pages.rendering import CONTENT_POLICY, HTML, render_page
from newsintel.http.response.problems import PROBLEMS, send_problem
from newsintel.http.route import Route


@frozen
class Refusals:
    """Answers requests that do not reach their route.

    Attributes:
        pages: matches the paths of pages.
    """

    pages: Pattern[str]

    @classmethod
    def of_table(cls, table: Iterable[Route]) -> "Refusals":
        """Return the refusals of a service with these routes."""
        paths = (route.path for route in table if route.is_page)
        return cls(
            re.compile("|".join(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(one)) for one in paths))
        )

    async def send(self, scope: Scope, send: Send, code: str, head: HeaderLines) -> None:
        """Answer a request.

        Args:
            scope: of the request.
            send: takes the messages of the response.
            code: a key of PROBLEMS.
            head: additional headers.
        """
        if not self.pages.fullmatch(scope["path"]):
            await send_problem(scope, send, code, PROBLEMS[code].meaning, head)
            return
        scope["state"] |= {"problem": code, "policy": CONTENT_POLICY}
        body = _render_refusal(scope, code)
        headers = [
            (b"content-type", HTML.encode()),
            (b"content-length", b"%d" % len(body)),
            (b"cache-control", b"no-store"),
            *head,
        ]
        status = PROBLEMS[code].status
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body, "more_body": False})


def _render_refusal(scope: Scope, code: str) -> bytes:
    """Return the page. It names nobody, because the caller may not be known yet."""
    values = {
        "links": PageLinks.of(scope["path"], scope["query_string"]),
        "username": None,
        "code": code,
        "title": PROBLEMS[code].title,
        "detail": PROBLEMS[code].meaning,
        "errors": [],
        "request_id": scope["state"]["request_id"],
    }
    return run_all(render_page("problem.html", values))
