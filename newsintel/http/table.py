"""One row per address: what serves it, what it takes and what it answers. The router, the strict reader and OpenAPI all read these rows."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from attrs import field, frozen
from quart import Response

from newsintel.http.params import Parameter
from newsintel.http.services import Services

Given = Mapping[str, Any]
"""A request's values by name: query parameters as their kinds read them, path parameters as text."""


@frozen
class Route:
    """An address that answers GET, and HEAD with it.

    Attributes:
        path: in OpenAPI's spelling, e.g. `/articles/{id}`.
        answers: the JSON Schema of each status' body; None where it is text.
        in_path: JSON Schemas of the path's parameters.
        problems: codes beyond those that every address can answer with.
    """

    path: str
    view: Callable[[Services, Given], Awaitable[Response]]
    about: str
    answers: Mapping[int, dict[str, Any] | None]
    takes: tuple[Parameter, ...] = ()
    in_path: Mapping[str, dict[str, Any]] = field(factory=dict)
    problems: tuple[str, ...] = ()

    @property
    def rule(self) -> str:
        """The path in the router's spelling."""
        return self.path.replace("{", "<").replace("}", ">")
