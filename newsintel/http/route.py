"""The table of routes, one row per path and method: its view, its parameters and its responses.

The router, the readers of requests, the access checks and the OpenAPI document all use these rows.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from enum import StrEnum
from inspect import signature
from keyword import iskeyword
from typing import Any

from attrs import AttrsInstance, field, fields_dict, frozen
from quart import Response

from newsintel.domain.accounts.model import Access
from newsintel.http.request.json_body import Member
from newsintel.http.request.query_kinds import Kind
from newsintel.http.request.query_string import Parameter
from newsintel.http.services import Services

PAGE_MEDIA = "text/html"


class Method(StrEnum):
    """The HTTP methods. A route for GET also answers HEAD."""

    GET = "GET"
    POST = "POST"
    PUT = "PUT"
    PATCH = "PATCH"
    DELETE = "DELETE"


View = Callable[[Services], Awaitable[Response]] | Callable[[Services, Any], Awaitable[Response]]
"""Any may be any class: `Route` compares its fields with the values of the request."""


@frozen
class Route:
    """A path with one method.

    Attributes:
        path: in OpenAPI's spelling, e.g. `/articles/{id}`.
        view: takes the services and, if there are values in the path, the query string or the body,
            an instance of `parameters`.
        answers: the JSON Schema of the body for each status; None if the body is text (for 204 and
            redirects: empty).
        in_path: the kinds of the path's parameters.
        problems: codes in addition to those that every route can answer with, and to those that
            follow from method, need and body.
        need: the access that the route requires; None = the route is public.
        foreign: True if a program of a third party writes the query string or the form: unknown
            parameters are ignored, and what the form does not have is read from the query string.
        body: the members of the JSON object that the route takes; () = no body, and a body that is
            sent is ignored.
        media: the media type of the body; of a stream, `answers` has the schema of each event.
            None = `application/json`, or `text/plain` for text.
        form: the fields of the HTML form that the route takes instead of a body in JSON; an empty
            field counts as absent.
        secret_address: True if the path holds a secret that allows the change by itself. Then a
            request may come from a page of any site (RFC 8058).
        described: False for a protocol that describes itself; then the API description omits it.
        feed: whether a 200 may be a feed in RSS instead.
        formats: whether the parameter `format` chooses other formats for the body of a 200.
        parameters: the attrs class that annotates the view's second argument. It has a field for
            each value, in snake_case and with `_` after a keyword of Python (`from_`). None = the
            view has no second argument.
    """

    path: str
    view: View
    about: str
    answers: Mapping[int, dict[str, Any] | None]
    takes: tuple[Parameter, ...] = ()
    in_path: Mapping[str, Kind] = field(factory=dict)
    problems: tuple[str, ...] = ()
    method: Method = Method.GET
    need: Access | None = None
    body: tuple[Member, ...] = ()
    foreign: bool = False
    media: str | None = None
    formats: bool = False
    form: tuple[Parameter, ...] = ()
    secret_address: bool = False
    described: bool = True
    feed: bool = False
    parameters: type[AttrsInstance] | None = field(init=False)

    @parameters.default
    def _annotated(self) -> type[AttrsInstance] | None:
        _, *given = signature(self.view).parameters.values()
        return given[0].annotation if given else None

    def __attrs_post_init__(self) -> None:
        declared: tuple[Parameter | Member, ...] = (*self.takes, *self.body, *self.form)
        names = [*(one.name for one in declared), *self.in_path]
        if set(re.findall(r"{(\w+)}", self.path)) != set(self.in_path):
            raise ValueError(f"{self.method} {self.path} does not say what its path may hold")
        if len(set(names)) < len(names):  # the view gets them all in one object
            raise ValueError(f"{self.method} {self.path} has two values of one name")
        fields = fields_dict(self.parameters) if self.parameters else {}
        if set(fields) != set(map(name_field, names)):
            raise ValueError(f"{self.method} {self.path} takes {names}, its view {[*fields]}")

    def answer(self, services: Services, values: Mapping[str, Any]) -> Awaitable[Response]:
        """Call the view with the request's values by name."""
        view: Callable[..., Awaitable[Response]] = self.view
        if self.parameters is None:
            return view(services)
        return view(
            services, self.parameters(**{name_field(name): values[name] for name in values})
        )

    @property
    def rule(self) -> str:
        """The path in the router's spelling."""
        return self.path.replace("{", "<").replace("}", ">")

    @property
    def is_page(self) -> bool:
        """Whether people read the answers, so that errors are pages too."""
        return self.media == PAGE_MEDIA

    @property
    def blank_is_absent(self) -> bool:
        """Whether an empty value in the query string counts as absent.

        Forms send their empty fields, and many programs the settings that they do not use.
        """
        return self.is_page or self.foreign

    @property
    def can_write(self) -> bool:
        """Whether the route may change data."""
        return self.method is not Method.GET


def name_field(name: str) -> str:
    """Return the name of the field for a value: `from_` for `from`, `page_size` for `pageSize`."""
    name = re.sub(r"(?<=[a-z])[A-Z]", lambda capital: f"_{capital[0].lower()}", name)
    return f"{name}_" if iskeyword(name) else name
