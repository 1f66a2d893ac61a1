"""The rules of the router, and the methods that fixed paths refuse."""

import re
from collections.abc import Callable, Collection, Iterator

from quart.routing import QuartRule

from newsintel.http.route import Method, Route


class MatchedRule(QuartRule):
    """A rule for addresses that are only matched, never built.

    werkzeug compiles two Python functions for each rule, to build its addresses. That took a third
    of the time in which the application is made.
    """

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:  # noqa: ARG002, FBT001, FBT002 - werkzeug's
        """Return a function that refuses to build an address."""
        return _refuse_to_build


def _refuse_to_build(*_: object) -> tuple[str, str]:
    raise RuntimeError("addresses of routes are written in newsintel.http.paths")


def list_narrow_paths(table: Collection[Route]) -> Iterator[tuple[Route, list[str], list[str]]]:
    """Yield the fixed paths for which a path parameter could stand, and what they refuse.

    `PATCH /me/searches/preview` is not `PATCH /me/searches/{id}`: the path has no such method.

    Yields:
        A route of the path, the methods that the path has, and all others.
    """
    fixed: dict[str, list[Route]] = {}
    for route in table:
        if not route.in_path:
            fixed.setdefault(route.path, []).append(route)
    for path, routes in fixed.items():
        own = {route.method for route in routes}
        if any(
            route.in_path and route.method not in own and _covers(route.path, path)
            for route in table
        ):
            heads = ["HEAD"] if Method.GET in own else []
            yield routes[0], [*heads, *own], sorted({*Method} - own)


def _covers(pattern: str, path: str) -> bool:
    """Return whether a path parameter of the pattern may stand for a part of the path."""
    return re.fullmatch(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(pattern)), path) is not None
