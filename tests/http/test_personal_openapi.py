"""The description of the personal routes in /openapi.json agrees with the bodies that are sent."""

import pytest
from jsonschema import Draft202012Validator

from tests.http.personal_world import ONE, Person, past_search, world_with_articles

SEARCH = past_search(1)
CASES = [
    ("get", "/me", None, 200),
    ("get", "/me/preferences", None, 200),
    ("get", "/me/preferences/theme", None, 200),
    ("get", "/me/preferences/none", None, 404),
    ("put", "/me/preferences/theme", {"value": [1]}, 200),
    ("put", "/me/preferences/new", {"value": {"a": None}}, 201),
    ("put", "/me/preferences/language", {"value": "?"}, 400),
    ("get", "/me/saved", None, 200),
    ("get", "/me/saved?limit=x", None, 400),
    ("put", f"/me/saved/{ONE.id}", {}, 200),
    ("put", f"/me/dismissed/{ONE.id}", {"reason": "?"}, 400),
    ("put", "/me/opened/nothing", None, 404),
    ("get", "/me/recommendations", None, 200),
    ("get", "/me/recommendations?limit=51", None, 400),
    ("get", "/me/history", None, 200),
    ("get", "/me/export", None, 200),
    ("get", "/me/feeds", None, 200),
    ("post", "/me/feeds", {"name": "x", "shows": "archive", "q": "a"}, 201),
    ("post", "/me/feeds", {"name": "x", "shows": "?"}, 400),
    ("get", "/articles?q=a&format=jsonfeed", None, 200),
    ("get", "/articles?q=a&explain=1", None, 200),
]
TEMPLATES = {
    ONE.id: "{article_id}",
    SEARCH.id: "{id}",
    "theme": "{key}",
    "none": "{key}",
    "nothing": "{article_id}",
    "new": "{key}",
    "language": "{key}",
}


def template(path):
    """Return the path as the description has it."""
    return "/".join(TEMPLATES.get(part, part) for part in path.partition("?")[0].split("/"))


@pytest.mark.parametrize(("method", "path", "body", "status"), CASES)
async def test_bodies_match_the_description(method, path, body, status):
    """Every status and media type is described, and the body fits the schema."""
    world = world_with_articles()
    alice = await Person.of(world)
    await alice.put("/me/preferences/theme", value={"dark": True})
    await alice.put(f"/me/saved/{ONE.id}", notes="x")
    world.own_history.kept[1].append(SEARCH)
    document = await alice.get("/openapi.json")
    response = await alice.ask(method.upper(), path, **({} if body is None else {"json": body}))
    assert response.status_code == status
    content = document["paths"][template(path)][method]["responses"][str(status)]["content"]
    kind = response.content_type.partition(";")[0]
    schema = content[kind]["schema"] | {"components": document["components"]}
    Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(
        await response.get_json()
    )


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("delete", f"/me/saved/{ONE.id}"),
        ("delete", "/me/preferences/theme"),
        ("delete", f"/me/history/{SEARCH.id}"),
        ("put", f"/me/opened/{ONE.id}"),
        ("delete", f"/me/opened/{ONE.id}"),
        ("delete", f"/me/dismissed/{ONE.id}"),
        ("delete", "/me/history"),
    ],
)
async def test_a_write_without_a_result_is_a_204_without_a_body(method, path):
    """The description has no content for it."""
    world = world_with_articles()
    alice = await Person.of(world)
    await alice.put("/me/preferences/theme", value=1)
    await alice.put(f"/me/saved/{ONE.id}", notes="x")
    await alice.ask("PUT", f"/me/opened/{ONE.id}")
    await alice.ask("PUT", f"/me/dismissed/{ONE.id}", json={"reason": "hide"})
    world.own_history.kept[1].append(SEARCH)
    document = await alice.get("/openapi.json")
    response = await alice.ask(method.upper(), path)
    assert (response.status_code, await response.get_data()) == (204, b"")
    assert "content" not in document["paths"][template(path)][method]["responses"]["204"]
