"""GET /openapi.json (OpenAPI 3.1.0): the description of every route, made from the route table."""

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from quart import Response

from newsintel import __version__
from newsintel.config.settings import Settings
from newsintel.domain.accounts.model import Access
from newsintel.domain.search.codec import to_json
from newsintel.http.bodies.schemas import COMPONENTS, ref
from newsintel.http.middleware.rate_limits import is_exempt
from newsintel.http.paths import DESCRIPTION, SEARCH
from newsintel.http.request.credentials import session_cookie
from newsintel.http.request.json_body import LEFT_OUT
from newsintel.http.request.query_string import Parameter
from newsintel.http.response.problems import PROBLEM_JSON, PROBLEMS
from newsintel.http.route import Route
from newsintel.http.services import Services

EVERYWHERE = ("invalid_parameter", "unauthenticated", "too_large", "wrong_host", "internal")
"""Codes that every route can answer with."""

WITH_BODY = ("invalid_body", "request_timeout", "unsupported_media_type")
NOTHING_SENT = (204, 303)
BY_KEY = (
    "An API key, `ni_...`, made by POST /me/keys. In a request with a key, cookies are ignored. "
    "Authorization headers with other schemes than Bearer are ignored."
)
KEY: dict[str, list[str]] = {"key": []}
SESSION: dict[str, list[str]] = {"session": []}

LIMITS: dict[str, Any] = {
    "RateLimit-Policy": {"description": 'What one person may, e.g. `"search";q=60;w=60`: calls, seconds.', "schema": {"type": "string"}},
    "RateLimit": {"description": 'What is left of each, e.g. `"search";r=59;t=42`: calls, seconds to reset.', "schema": {"type": "string"}},
}
"""Headers of every response of a rate-limited route."""


def routes(others: Iterable[Route], settings: Settings) -> tuple[Route, ...]:
    """The route of the description, which describes itself too."""
    about = Route(DESCRIPTION, partial(_answer, b""), "This description", {200: {"type": "object"}})
    body = to_json(describe((*others, about), settings))
    return (Route(about.path, partial(_answer, body), about.about, about.answers),)


async def _answer(body: bytes, _services: Services) -> Response:
    # It changes only with releases and settings.
    return Response(body, headers={"Cache-Control": "public, max-age=300"}, content_type="application/json")


def describe(table: Iterable[Route], settings: Settings) -> dict[str, Any]:
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
        "paths": _paths(table, settings),
        "components": {
            "schemas": COMPONENTS,
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": BY_KEY},
                "session": {"type": "apiKey", "in": "cookie", "name": session_cookie(settings), "description": "Set by signing in."},
            },
        },
    }


def _paths(table: Iterable[Route], settings: Settings) -> dict[str, Any]:
    paths: dict[str, Any] = {}
    for route in table:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, settings)
    return paths


def _operation(route: Route, settings: Settings) -> dict[str, Any]:
    limited = bool(settings.rate_limit) and not is_exempt(route.path)
    answers = {str(status): _answer_of(status, schema, route.media) for status, schema in route.answers.items()}
    name = route.path.strip("/").replace("/", "_").replace("{", "").replace("}", "").replace(".", "_")
    responses = answers | _problems(route, limited=limited or (bool(settings.miss_limit) and route.path == SEARCH))
    return {
        "operationId": f"{route.method.lower()}_{name}" if route.writes else name,
        "summary": route.about,
        "parameters": [*_in_path(route), *map(_in_query, route.takes)],
        **({"requestBody": _body(route)} if route.body else {}),
        "responses": {status: one | {"headers": LIMITS} for status, one in responses.items()} if limited else responses,
        "security": _security(route.need),
    }


def _security(need: Access | None) -> list[dict[str, list[str]]]:
    """Return the alternative security requirements; {} means that none is needed."""
    if need is None:
        return [{}, SESSION, KEY]
    return [SESSION] if need is Access.SESSION else [SESSION, KEY]


def _body(route: Route) -> dict[str, Any]:
    properties = {
        one.name: one.kind.schema | {"description": one.about} | ({} if one.default in (LEFT_OUT, None) else {"default": one.default})
        for one in route.body
    }
    required = [one.name for one in route.body if one.required]
    schema = {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def _answer_of(status: int, schema: dict[str, Any] | None, media: str) -> dict[str, Any]:
    if status in NOTHING_SENT:
        return {"description": "Done; the response has no body."}
    content = {media: {"schema": {"type": "string"}}} if schema is None else {"application/json": {"schema": schema}}
    return {"description": "The answer.", "content": content}


def _problems(route: Route, *, limited: bool) -> dict[str, Any]:
    """Return a response for each status; several codes may share one status."""
    by_status: dict[int, list[str]] = {}
    also = ("rate_limited",) if limited else ()
    for code in dict.fromkeys((*EVERYWHERE, *also, *_implied(route), *route.problems)):
        by_status.setdefault(PROBLEMS[code].status, []).append(code)
    content = {PROBLEM_JSON: {"schema": ref("Problem")}}
    return {str(status): {"description": ", ".join(codes), "content": content} for status, codes in sorted(by_status.items())}


def _implied(route: Route) -> Iterator[str]:
    """Yield the codes that follow from the method, need and body of a route."""
    if route.need:
        yield "not_ready"
    if route.need is Access.SESSION:
        yield "session_required"
    if route.need is Access.WRITE:
        yield "insufficient_scope"
    if route.writes:
        yield "cross_site"
    if route.body:
        yield from WITH_BODY


def _in_path(route: Route) -> list[dict[str, Any]]:
    return [{"name": name, "in": "path", "required": True, "schema": kind.schema} for name, kind in route.in_path.items()]


def _in_query(parameter: Parameter) -> dict[str, Any]:
    described = {
        "name": parameter.name,
        "in": "query",
        "required": parameter.required,
        "description": parameter.about,
        "schema": parameter.kind.schema | ({} if parameter.default is None else {"default": parameter.default}),
    }
    # The values are comma-separated in one parameter, because a repeated parameter is refused.
    return described | ({"style": "form", "explode": False} if parameter.kind.schema.get("type") == "array" else {})
