"""The rules of the router."""

from collections.abc import Callable

from quart.routing import QuartRule


class MatchedRule(QuartRule):
    """A rule for addresses that are only matched, never built.

    werkzeug compiles two Python functions for each rule, to build its addresses. That took a third
    of the time in which the application is made.
    """

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:  # noqa: ARG002, FBT001, FBT002 - werkzeug's
        """Return a function that refuses to build an address."""
        return _refuse_to_build


def _refuse_to_build(*_: object) -> tuple[str, str]:
    raise NotImplementedError("addresses of routes are written in newsintel.http.paths")
