"""One row per address and method: what serves it, what it takes and what it answers. Router, readers, access and OpenAPI all read these."""

import re
from collections.abc import Awaitable, Callable, Mapping
from enum import StrEnum
from typing import Any

from attrs import field, frozen
from quart import Response

from newsintel.domain.accounts.model import Access
from newsintel.http.request.json_body import Member
from newsintel.http.request.query_kinds import Kind
from newsintel.http.request.query_string import Given, Parameter
from newsintel.http.services import Services


class Method(StrEnum):
    """What can be asked of an address. GET answers HEAD too."""

    GET = "GET"
    POST = "POST"
    PUT = "PUT"
    DELETE = "DELETE"


@frozen
class Route:
    """An address under one method.

    Attributes:
        path: in OpenAPI's spelling, e.g. `/articles/{id}`.
        answers: the JSON Schema of each status' body; None where it is text (of 204 and redirects: nothing).
        in_path: the kinds of the path's parameters.
        problems: codes beyond those that every address can answer with, and those that follow from method, need and body.
        need: what access it takes at least; None = anybody's.
        foreign: True where somebody else's program writes the query string: unknown parameters are then not looked at.
        body: the members of the JSON object that it takes; () = no body, and what is sent is not looked at.
        media: the type of answers that are text.
    """

    path: str
    view: Callable[[Services, Given], Awaitable[Response]]
    about: str
    answers: Mapping[int, dict[str, Any] | None]
    takes: tuple[Parameter, ...] = ()
    in_path: Mapping[str, Kind] = field(factory=dict)
    problems: tuple[str, ...] = ()
    method: Method = Method.GET
    need: Access | None = None
    body: tuple[Member, ...] = ()
    foreign: bool = False
    media: str = "text/plain"

    def __attrs_post_init__(self) -> None:
        names = [*(one.name for one in self.takes), *(one.name for one in self.body), *self.in_path]
        if set(re.findall(r"{(\w+)}", self.path)) != set(self.in_path):
            raise ValueError(f"{self.method} {self.path} does not say what its path may hold")
        if len(set(names)) < len(names):  # they reach the view in one mapping
            raise ValueError(f"{self.method} {self.path} has two values of one name")

    @property
    def rule(self) -> str:
        """The path in the router's spelling."""
        return self.path.replace("{", "<").replace("}", ">")

    @property
    def writes(self) -> bool:
        """True if it may change something."""
        return self.method is not Method.GET
