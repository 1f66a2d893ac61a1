"""GET /openapi.json (OpenAPI 3.1.0): the description of every route, made from the route table."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from newsintel import __version__
from newsintel.config.settings import Settings
from newsintel.domain.accounts.model import Access
from newsintel.domain.search.codec import to_json
from newsintel.http.bodies.examples import SCHEMAS, build_example, find_document
from newsintel.http.bodies.formats import MEDIA_TYPES, Format
from newsintel.http.bodies.schemas.parts import or_blank, ref
from newsintel.http.middleware.identify import ANONYMOUS_PATHS
from newsintel.http.middleware.rate_limits import is_exempt
from newsintel.http.paths import DESCRIPTION, SEARCH, SEARCHES
from newsintel.http.request.credentials import name_session_cookie
from newsintel.http.request.described import describe_object
from newsintel.http.request.form import FORM
from newsintel.http.request.json_body import Member
from newsintel.http.request.query_string import Parameter
from newsintel.http.response.fixed_answer import FixedAnswer
from newsintel.http.response.problems import (
    PROBLEMS,
    RETRIED_STATUSES,
    build_document,
    find_form,
)
from newsintel.http.route import PAGE_MEDIA, Route
from newsintel.http.routes.described_headers import (
    CHALLENGE_HEADERS,
    HEADERS,
    LIMIT_HEADERS,
    REQUEST_ID,
    RETRY_HEADERS,
    SEARCH_HEADERS,
    refer,
)

COMMON_PROBLEMS = (
    *("invalid_parameter", "unauthenticated", "too_large", "headers_too_large", "wrong_host"),
    "internal",
)
"""Codes that every route can answer with."""

BODY_PROBLEMS = ("invalid_body", "request_timeout", "unsupported_media_type")
EMPTY_STATUSES = (204, 303)
UNAUTHORIZED = 401
KEY_DESCRIPTION = (
    "An API key, `ni_...`, made by POST /me/keys. In a request with a key, cookies are ignored. "
    "`Authorization: GoogleLogin auth=ni_...` means the same; other schemes are ignored."
)
KEY_SECURITY: dict[str, list[str]] = {"key": []}
SESSION_SECURITY: dict[str, list[str]] = {"session": []}

FORMATS: dict[Format, Any] = {
    Format.RSS: {"schema": {"type": "string"}},
    Format.JSON_FEED: {"schema": ref("JsonFeed")},
    Format.CSV: {"schema": {"type": "string"}},
}
"""The bodies of the other formats than JSON."""


def build_route(document: Mapping[str, Any]) -> Route:
    """The route of the description. The description has this route too, whatever the document."""
    body = to_json(document)
    # It changes only with releases and settings.
    view = FixedAnswer.of_text(body, "application/json", cache_control="public, max-age=300").pack()
    return Route(DESCRIPTION, view, "This description", {200: {"type": "object"}})


def describe_api(table: Iterable[Route], settings: Settings) -> dict[str, Any]:
    """Return the OpenAPI document."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "newsintel",
            "version": __version__,
            "summary": "One search over every news source, each under its own deadline.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": settings.public_url}],
        "paths": _describe_paths(table, settings),
        "components": {
            "schemas": SCHEMAS,
            "examples": _build_examples(),
            "headers": HEADERS,
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": KEY_DESCRIPTION},
                "session": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": name_session_cookie(settings),
                    "description": "Set by signing in.",
                },
            },
        },
    }


def _build_examples() -> dict[str, Any]:
    """Return an example of each body and of each problem."""
    bodies = {name: {"value": build_example(ref(name))} for name in SCHEMAS}
    problems = {
        f"problem_{code}": {
            "summary": problem.title,
            "value": _make_example(code, SEARCH),
        }
        for code, problem in PROBLEMS.items()
    }
    return bodies | problems


def _add_example(media: str, described: dict[str, Any]) -> dict[str, Any]:
    """Return a described body with an example."""
    schema = described["schema"]
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return described | {"examples": {"typical": {"$ref": f"#/components/examples/{name}"}}}
    text = schema == {"type": "string"}
    return described | {"example": find_document(media) if text else build_example(schema)}


def _describe_paths(table: Iterable[Route], settings: Settings) -> dict[str, Any]:
    paths: dict[str, Any] = {}
    for route in table:
        if not route.described:
            continue
        paths.setdefault(route.path, {})[route.method.lower()] = _describe_operation(
            route, settings
        )
    return paths


def _describe_operation(route: Route, settings: Settings) -> dict[str, Any]:
    limited = bool(settings.rate_limit) and not is_exempt(route.path)
    answers = {
        str(status): _describe_answer(status, schema, route)
        for status, schema in route.answers.items()
    }
    name = (
        route.path.strip("/").replace("/", "_").replace("{", "").replace("}", "").replace(".", "_")
    ).replace("-", "_")
    always = REQUEST_ID | (LIMIT_HEADERS if limited else {})
    name = name or "front"  # an operation needs a name, and this path has none
    responses = answers | _describe_problems(
        route, limited=limited or (bool(settings.miss_limit) and route.path in SEARCHES)
    )
    return {
        "operationId": f"{route.method.lower()}_{name}" if route.can_write else name,
        "summary": route.about,
        "parameters": [
            *_describe_path_parameters(route),
            *(_describe_query_parameter(one, blank=route.blank_is_absent) for one in route.takes),
        ],
        **({"requestBody": _describe_body(route.body)} if route.body else {}),
        **({"requestBody": _describe_form(route)} if route.form else {}),
        "responses": {
            status: one | {"headers": refer(always | one.get("headers", {}))}
            for status, one in responses.items()
        },
        "security": _describe_security(route.need),
    }


def _describe_security(need: Access | None) -> list[dict[str, list[str]]]:
    """Return the alternative security requirements; {} means that none is needed."""
    if need is None:
        return [{}, SESSION_SECURITY, KEY_SECURITY]
    return [SESSION_SECURITY] if need is Access.SESSION else [SESSION_SECURITY, KEY_SECURITY]


def _describe_body(
    members: Iterable[Member | Parameter], media: str = "application/json"
) -> dict[str, Any]:
    schema = describe_object(members, blank=media == FORM)
    return {"required": True, "content": {media: _add_example(media, {"schema": schema})}}


def _describe_form(route: Route) -> dict[str, Any]:
    body = _describe_body(route.form, FORM)
    body["content"][FORM]["schema"]["additionalProperties"] = route.foreign
    # What a foreign form does not have may stand in the query string.
    body["required"] = not route.foreign or any(one.required for one in route.form)
    return body


def _describe_answer(status: int, schema: dict[str, Any] | None, route: Route) -> dict[str, Any]:
    if status in EMPTY_STATUSES:
        return {"description": "Done; the response has no body."}
    content = (
        {route.media or "text/plain": {"schema": {"type": "string"}}}
        if schema is None
        else {route.media or "application/json": {"schema": schema}}
    )
    further = FORMATS if route.formats else {Format.RSS: FORMATS[Format.RSS]} if route.feed else {}
    if status == 200:
        content |= {MEDIA_TYPES[one].partition(";")[0]: schema for one, schema in further.items()}
    examples = {media: _add_example(media, one) for media, one in content.items()}
    headers = {"headers": SEARCH_HEADERS} if status == 200 and route.path in SEARCHES else {}
    return {"description": "The answer.", "content": examples} | headers


def _describe_problems(route: Route, *, limited: bool) -> dict[str, Any]:
    """Return a response for each status; several codes may share one status."""
    by_status: dict[int, list[str]] = {}
    also = ("rate_limited",) if limited else ()
    for code in dict.fromkeys(
        (*COMMON_PROBLEMS, *also, *_list_implied_problems(route), *route.problems)
    ):
        by_status.setdefault(PROBLEMS[code].status, []).append(code)
    return {
        str(status): {
            "description": ", ".join(codes),  # their meanings are in the examples, once
            "content": _describe_problem_bodies(route, codes),
        }
        | _describe_problem_headers(status)
        for status, codes in sorted(by_status.items())
    }


def _describe_problem_bodies(route: Route, codes: Iterable[str]) -> dict[str, Any]:
    """Return the bodies of a status: a problem, and on the address of a page also a page."""
    form = find_form(route.path)
    described: dict[str, Any] = {"schema": ref(form.schema)}
    if form.schema == "Problem":
        described["examples"] = {
            code: {"$ref": f"#/components/examples/problem_{code}"} for code in codes
        }
    else:
        described["examples"] = {
            code: {"value": form.build(_make_example(code, route.path))} for code in codes
        }
    content: dict[str, Any] = {form.media_type: described}
    if route.is_page:
        content[PAGE_MEDIA] = _add_example(PAGE_MEDIA, {"schema": {"type": "string"}})
    return content


def _make_example(code: str, path: str) -> dict[str, Any]:
    """Return a problem document; the details differ from case to case."""
    return build_document(code, PROBLEMS[code].meaning, path=path, request_id="5f2c")


def _describe_problem_headers(status: int) -> dict[str, Any]:
    if status in RETRIED_STATUSES:
        return {"headers": RETRY_HEADERS}
    return {"headers": CHALLENGE_HEADERS} if status == UNAUTHORIZED else {}


def _list_implied_problems(route: Route) -> Iterator[str]:
    """Yield the codes that follow from the method, need and body of a route."""
    if not route.can_write and route.path not in ANONYMOUS_PATHS:
        yield "busy"
    if route.need:
        yield "not_ready"
    if route.need is Access.SESSION:
        yield "session_required"
    if route.need is Access.WRITE:
        yield "insufficient_scope"
    if route.can_write:
        yield "cross_site"
    if route.body or route.form:
        yield from BODY_PROBLEMS


def _describe_path_parameters(route: Route) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": kind.schema,
            "example": build_example(kind.schema, name),
        }
        for name, kind in route.in_path.items()
    ]


def _describe_query_parameter(parameter: Parameter, *, blank: bool) -> dict[str, Any]:
    schema = or_blank(parameter.schema) if blank else parameter.schema
    described = {
        "name": parameter.name,
        "in": "query",
        "required": parameter.required,
        "description": parameter.about,
        "schema": schema
        | ({} if parameter.default in (None, ()) else {"default": parameter.default}),
        "example": build_example(schema, parameter.name),
    }
    # The values are comma-separated in one parameter, unless it may be repeated.
    return described | (
        {"style": "form", "explode": parameter.many} if schema.get("type") == "array" else {}
    )
