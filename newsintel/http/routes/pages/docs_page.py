"""GET /docs: the description of the API, readable in a browser."""

from collections.abc import Iterator, Mapping
from typing import Any

from newsintel import __version__
from newsintel.domain.bounds.slices import run_all
from newsintel.http.pages.links import PageLinks
from newsintel.http.pages.rendering import CONTENT_POLICY, HTML, render_page
from newsintel.http.response.fixed_answer import FixedAnswer
from newsintel.http.route import PAGE_MEDIA, Route

PATH = "/docs"


def build_route(document: Mapping[str, Any]) -> Route:
    """The route of the page. `document`: from `openapi.describe_api`."""
    values = {
        "links": PageLinks(PATH, {}),
        "username": None,
        "version": __version__,
        "base": next((one["url"] for one in document.get("servers", ())), ""),
        "operations": list(_list_operations(document["paths"])),
        "schemas": document.get("components", {}).get("schemas", {}),
        "describe": describe_schema,
    }
    body = run_all(render_page("docs.html", values))
    # It changes only with releases and settings.
    kept = "public, max-age=300"
    view = FixedAnswer.of_text(body, HTML, cache_control=kept, policy=CONTENT_POLICY).pack()
    about = "This description as a page"
    return Route(PATH, view, about, {200: None}, media=PAGE_MEDIA)


def _list_operations(paths: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for path, methods in paths.items():
        for method, operation in methods.items():
            body = operation.get("requestBody", {}).get("content", {})
            yield {
                "id": operation["operationId"],
                "method": method.upper(),
                "path": path,
                "summary": operation["summary"],
                "needs": _describe_needs(operation["security"]),
                "parameters": operation["parameters"],
                "body": [(media, one["schema"]) for media, one in body.items()],
                "responses": operation["responses"],
            }


def _describe_needs(security: list[dict[str, Any]]) -> str:
    if {} in security:
        return ""
    return "session or key" if len(security) > 1 else "session"


def describe_schema(schema: Mapping[str, Any]) -> str:
    """Return a JSON Schema in a few words, e.g. `list of Article` or `integer, 1 to 100`."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if several := schema.get("anyOf") or schema.get("oneOf"):
        return " or ".join(map(describe_schema, several))
    if "items" in schema:
        return f"list of {describe_schema(schema['items'])}"
    if isinstance(values := schema.get("additionalProperties"), dict):
        return f"map of {describe_schema(values)}"
    return _describe_scalar(schema)


def _describe_scalar(schema: Mapping[str, Any]) -> str:
    if schema.get("maxLength") == 0:
        return "empty"
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    kind = str(schema.get("type", "any JSON"))
    if "minimum" in schema and "maximum" in schema:
        return f"{kind}, {schema['minimum']} to {schema['maximum']}"
    return f"{kind}, {schema['format']}" if "format" in schema else kind
